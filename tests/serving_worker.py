"""A worker of the API in a process of its own, which a test may kill.

    python -m tests.serving_worker FOLDER LEASE

Writes its port into FOLDER, and for a message with "wait" in it stands still while FOLDER/hold is there.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from agent.brief import Brief
from agent.settings import load_settings
from tests.fakes import services
from ui.serve import app


def main(folder: Path, lease: float) -> None:
    app.LEASE = lease

    def respond(brief: Brief) -> Iterator[str]:
        if "wait" in brief["text"]:
            (folder / "asked").touch()
            while (folder / "hold").exists():
                time.sleep(0.02)
        yield "That sounds like a lot to carry."

    made = app.create_app(load_settings(), services(country="GB", respond=respond))
    config = uvicorn.Config(made, host="127.0.0.1", port=0, access_log=False, log_level="error")
    server = uvicorn.Server(config)

    async def run() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        (folder / "port.part").write_text(str(port))
        (folder / "port.part").rename(folder / "port")
        await serving

    asyncio.run(run())


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
