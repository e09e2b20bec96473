"""The API as a Ray Serve application, for those who run Ray already.

    pip install -c constraints.txt '.[serve,postgres,ray]'
    cd deploy    # a replica looks for this file where `serve run` was begun, not in --app-dir
    HEARKEN_STORE_URL=postgresql://… HEARKEN_KEYS_FILE=… serve run ray_serve:app

Each replica is what a process of `hearken serve` is: any of them may answer any turn. Ray starts them anew
and spreads them; it queues nothing here, because a queue of Ray's would put danger behind the rest.
"""

from fastapi import FastAPI
from ray import serve

from ui.serve.app import create_app

__all__ = ["app"]


def built() -> FastAPI:
    """Made inside the replica: the app holds threads and open files, which cannot be sent to one."""
    return create_app()


# As many at once as ever may come: who waits is the app's own decision, which hears danger first.
@serve.deployment(
    num_replicas=1,
    max_ongoing_requests=10_000,
    ray_actor_options={"num_cpus": 1},
    health_check_timeout_s=60,
    graceful_shutdown_timeout_s=90,  # a turn once begun runs to its end
)
@serve.ingress(built)
class Hearken:
    """The whole API. `serve build` and a YAML file may change how many there are."""


app = Hearken.bind()
