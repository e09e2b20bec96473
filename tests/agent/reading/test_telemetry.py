"""Nothing of ours phones out or leaves a device id behind."""

import os
import subprocess
import sys
from pathlib import Path


def test_loading_the_encoder_leaves_no_trace_in_a_home(tmp_path: Path) -> None:
    code = "from agent.reading.encoder import load_encoder; load_encoder().read('hello there')"
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert not list(tmp_path.rglob("*onnxruntime*"))
