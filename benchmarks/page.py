"""How quick the page is: `python benchmarks/page.py [--messages 200] [--runs 5] [--browser]`, as JSON.

Script time is what Streamlit's script takes for one rerun of the page, without a browser (AppTest), in an
empty conversation and in a long one; first paint is what headless Chromium reports of the real app
(`--browser`, needs the `dev` extra). Knows nothing of what is on the page.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAINTS = "() => Object.fromEntries(performance.getEntriesByType('paint').map(p => [p.name, p.startTime]))"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--browser", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(HEARKEN_DATA_DIR=folder, HEARKEN_COUNTRY="GB", HF_HUB_OFFLINE="1")
        found: dict[str, Any] = {"load": round(os.getloadavg()[0], 1), "cpus": os.cpu_count()}
        found["script_ms"] = _script(options.messages, options.runs)
        if options.browser:
            found["browser_ms"] = _browser(options.runs)
    print(json.dumps(found, indent=2))


def _script(messages: int, runs: int) -> dict[str, Any]:
    """Milliseconds of CPU and of the clock for a rerun; the least of the clock too: others use the CPU."""
    from langchain_core.messages import AIMessage, HumanMessage
    from streamlit import config
    from streamlit.testing.v1 import AppTest

    # A server keeps the compiled script; AppTest compiles it anew, so at least nothing is woven into it.
    config.set_option("runner.magicEnabled", False)
    at = AppTest.from_file(str(ROOT / "ui" / "app.py"), default_timeout=600).run()
    empty = _timed(at, runs)
    at.chat_input[0].set_value("my boss shouted at me").run()
    session = at.session_state.session
    turn = at.session_state.turns[session.messages[-1].id]
    said = []
    for number in range(messages // 2):
        said.append(HumanMessage(f"Message {number}: my boss shouted at me again today.", id=f"h{number}"))
        said.append(AIMessage(f"Reply {number}. " + turn.text, id=f"a{number}"))
        at.session_state.turns[f"a{number}"] = turn
    session._values = {**session._values, "messages": said}  # a long talk, without having it
    long = _timed(at, runs)
    shown = len(at.chat_message)
    at.session_state["everything"] = True
    return {
        "empty": empty,
        f"{messages} messages": {**long, "drawn": shown},
        f"{messages} messages, all of them drawn": {**_timed(at, runs), "drawn": len(at.chat_message)},
    }


def _timed(at: Any, runs: int) -> dict[str, float]:
    """The script alone, measured around its execution in its own thread."""
    from streamlit.runtime.scriptrunner import script_runner

    real, took = script_runner.exec_func_with_error_handling, []

    def measured(*given: Any, **how: Any) -> Any:
        clock, cpu = time.perf_counter(), time.thread_time()
        try:
            return real(*given, **how)
        finally:
            took.append((1000 * (time.perf_counter() - clock), 1000 * (time.thread_time() - cpu)))

    script_runner.exec_func_with_error_handling = measured
    try:
        at.run()
        took.clear()
        for _ in range(runs):
            at.run()
            if at.exception:
                raise SystemExit("the page failed")
    finally:
        script_runner.exec_func_with_error_handling = real
    clocks, cpus = zip(*took, strict=True)
    return {
        "clock_least": round(min(clocks), 1),
        "clock_median": round(statistics.median(clocks), 1),
        "cpu_median": round(statistics.median(cpus), 1),
    }


def _browser(runs: int) -> dict[str, Any]:
    """First paints of a warm server, each in a fresh browser context; and when one can write."""
    sys.path.insert(0, str(ROOT))
    from tests.ui import browser as real

    if shutil.which("chromium") is None:
        raise SystemExit("install Chromium for --browser")
    painted, ready = [], []
    with real.served(Path(os.environ["HEARKEN_DATA_DIR"]) / "log") as url, real.chromium() as chromium:
        real.opened(chromium, url).close()  # what a first start loads is measured by benchmarks/turn.py
        for _ in range(runs):
            begun = time.perf_counter()
            tab = real.opened(chromium, url)
            ready.append(1000 * (time.perf_counter() - begun))
            painted.append(tab.evaluate(PAINTS).get("first-contentful-paint", float("nan")))
            tab.close()
    return {
        "first_contentful_paint": {"least": round(min(painted)), "median": round(statistics.median(painted))},
        "place_to_write": {"least": round(min(ready)), "median": round(statistics.median(ready))},
    }


if __name__ == "__main__":
    main()
