"""Runs deploy/ray_serve.py in a Ray of its own for a moment; prints what came of it as JSON.

To be begun in that folder, as `serve run` is: replicas look for the file there.
"""

import importlib
import json

import httpx
import ray
from ray import serve

from tests.chroma_server import free_port


def main() -> None:
    made = importlib.import_module("ray_serve")
    port = free_port()
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=100 * 2**20,
        _temp_dir="/tmp/ray-hearken",  # noqa: S108 - a socket's path may not be long
    )
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(made.app, name="hearken")
        deployments = serve.status().applications["hearken"].deployments
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            opened = client.post("/v1/conversations", json={"country": "GB"}).json()
            here = f"/v1/conversations/{opened['id']}"
            calm = client.post(f"{here}/turns", json={"text": "I had an awful day at work"}).json()
            text = "I want to kill myself tonight, I have the pills in my hand"
            events = client.post(f"{here}/stream", json={"text": text}).text.strip().split("\n\n")
            reply = json.loads(events[-1].partition("data: ")[2])
            history = client.get(here).json()
            client.delete(here).raise_for_status()
            gone = client.get(here).status_code
        found = {
            "replicas": sum(sum(one.replica_states.values()) for one in deployments.values()),
            "calm": (calm["risk"], calm["saved"]),
            "events": [one.partition("\n")[0].removeprefix("event: ") for one in events],
            "risk": reply["risk"],
            "escalated": reply["escalated"],
            "card": str(reply["card"]),
            "history": len(history),
            "gone": gone,
        }
    finally:
        serve.shutdown()
        ray.shutdown()
    print(json.dumps(found))  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main()
