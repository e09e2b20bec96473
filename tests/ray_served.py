"""Runs deploy/ray_serve.py in a Ray of its own for a moment; prints what came of it as JSON."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import httpx
import ray
from ray import serve

from tests.chroma_server import free_port

FILE = Path(__file__).parent.parent / "deploy" / "ray_serve.py"


def main() -> None:
    spec = importlib.util.spec_from_file_location("ray_serve", FILE)
    assert spec is not None
    assert spec.loader is not None
    made: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
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
            here = (
                f"/v1/conversations/{client.post('/v1/conversations', json={'country': 'GB'}).json()['id']}"
            )
            reply = client.post(f"{here}/turns", json={"text": "I want to kill myself"}).json()
            history = client.get(here).json()
        found = {
            "replicas": sum(sum(one.replica_states.values()) for one in deployments.values()),
            "escalated": reply["escalated"],
            "card": str(reply["card"]),
            "history": len(history),
        }
    finally:
        serve.shutdown()
        ray.shutdown()
    print(json.dumps(found))  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main()
