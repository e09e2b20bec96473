"""Work spread over threads or over Ray: the same results in the same order, and plain words on failure."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.errors import DataError, SettingsError
from agent.evaluate.ahead import known, texts
from graph.spread import in_threads, over_processes, over_ray
from tests.agent.train.public import write_csv

ROOT = Path(__file__).parent.parent.parent
HAVE = importlib.util.find_spec("ray") is not None
POSTS = ["I could not sleep again", "my dog died", "I want to kill myself", "", "ok \ud800?", "nobody calls"]


def run(folder: Path, *words: object, script: Sequence[str] = ("-m", "ui.cli")) -> Any:
    """A process of its own: Ray leaves threads and handlers behind in the one that started it."""
    env = {**os.environ, "HEARKEN_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *script, *map(str, words)]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if "The current node timed out during startup" in done.stderr:
        pytest.skip("Ray gives a machine 30 seconds to start it in, and this one is too busy")
    return done


def test_threads_keep_the_order_and_stop_when_nobody_asks_for_more() -> None:
    assert list(in_threads(lambda n: 2 * n, range(100))) == [(n, 2 * n) for n in range(100)]
    assert next(in_threads(lambda n: n, range(10**9))) == (0, 0)


def test_processes_find_what_this_one_does_in_the_same_order() -> None:
    with over_processes(partial(partial, map, abs), 2) as over:
        assert list(over(range(-50, 50))) == [(n, abs(n)) for n in range(-50, 50)]
        assert list(over([])) == []


def test_a_short_run_starts_no_process() -> None:
    made: list[str] = []

    def make() -> Any:
        made.append("here")  # a process could not be told of a function inside of another
        return partial(map, abs)

    with over_processes(make, 2, after=3) as over:
        assert list(over([-1, 2, -3])) == [(-1, 1), (2, 2), (-3, 3)]
    assert made == ["here"]


def test_what_the_function_raises_is_raised_here_and_a_killed_process_is_told() -> None:
    with over_processes(partial(partial, map, len), 2) as over, pytest.raises(TypeError):
        list(over([1, 2]))
    with (
        pytest.raises(DataError, match="--processes 1"),
        over_processes(partial(partial, map, os._exit), 2) as over,
    ):
        list(over([3]))


@pytest.mark.skipif(HAVE, reason="Ray is installed here")
def test_without_ray_it_is_said_how_to_get_it() -> None:
    with pytest.raises(SettingsError, match=r"hearken\[ray\]"), over_ray(partial(partial, abs)):
        pass


def test_what_was_read_ahead_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [("sad", "one"), ("sad", "one"), ("proud", "two"), ("wishing", "three")]
    write_csv(path, ("label", "text"), rows)
    assert texts("emotions", path, None) == ["one", "two"]
    asked: list[str] = []

    def look(text: str) -> dict[str, dict[str, float]]:
        asked.append(text)
        return {}

    ready = known({"one": {"expressed": {"sad": 1.0}}}, look)
    assert ready("one") == {"expressed": {"sad": 1.0}}
    assert ready("two") == {}
    assert asked == ["two"]


def test_sets_that_are_only_named_are_not_read_ahead(tmp_path: Path) -> None:
    columns = ("query", "gpt-3.5-turbo")
    asked = "Consider this post: it is late. Question: {} "
    answer = "This post shows symptoms of depression. Reasoning: it says so."
    write_csv(
        tmp_path / "DR.csv", columns, [(asked.format("Does the poster suffer from depression?"), answer)]
    )
    write_csv(tmp_path / "T-SID.csv", columns, [(asked.format("What mental disorder does it show?"), answer)])
    assert texts("imhi", tmp_path / "DR.csv", None) == texts("imhi", tmp_path, None)


def test_an_address_without_the_engine_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "read", "--file", "x.csv", "--out", tmp_path / "o.jsonl", "--address", "here:1")
    assert done.returncode == 2
    assert "--engine ray" in done.stderr


@pytest.mark.skipif(not HAVE, reason="hearken[ray] is not installed")
def test_ray_reads_measures_and_embeds_as_this_process_does(tmp_path: Path) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text("".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(POSTS * 3)))
    write_csv(tmp_path / "e.csv", ("label", "text"), [("sad", one) for one in POSTS if one.isascii() and one])
    (tmp_path / "texts").mkdir()
    section = "# How do people get to sleep again?\n\n" + " ".join(
        f"On evening {name}, going to bed at the same hour and keeping the room dark may help the body rest."
        for name in ("one", "two", "three", "four")
    )
    (tmp_path / "texts/a.md").write_text(section)
    over = ("--engine", "ray")
    for name, engine in (("local", ()), ("ray", over)):
        folder = tmp_path / name
        done = run(folder, "read", "--file", posts, "--out", tmp_path / f"{name}.jsonl", *engine)
        assert done.returncode == 0, done.stderr
        assert ("a second" in done.stderr) == (name == "ray")
        done = run(folder, "evaluate", "emotions", "--data", tmp_path / "e.csv", "--out",
                   tmp_path / f"{name}.json", *engine)  # fmt: skip
        assert done.returncode == 0, done.stderr
        done = run(folder, "ingest", tmp_path / "texts", *engine)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "local.jsonl").read_bytes() == (tmp_path / "ray.jsonl").read_bytes()
    one, other = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("local", "ray"))
    assert one.pop("speed")
    assert other.pop("speed") == {}
    assert one == other
    found = run(tmp_path, tmp_path / "local/index/index", tmp_path / "ray/index/index", script=("-c", SAME))
    assert found.stdout.startswith("True "), found.stderr


# The vectors under which the two indexes keep what was ingested.
SAME = """
import sys
import chromadb
told = []
for folder in sys.argv[1:]:
    (one,) = chromadb.PersistentClient(folder).list_collections()
    rows = one.get(where={"kind": "folder"}, include=["embeddings"])
    told.append({i: v.tolist() for i, v in zip(rows["ids"], rows["embeddings"])})
print(bool(told[0]) and told[0] == told[1], len(told[0]))
"""


@pytest.mark.skipif(not HAVE, reason="hearken[ray] is not installed")
def test_a_worker_that_fails_and_a_cluster_that_is_not_there_are_told_plainly(tmp_path: Path) -> None:
    script = """
from functools import partial
from agent.errors import HearkenError
from graph.spread import over_ray
import operator
with over_ray(partial(partial, operator.mul, 2)) as over:
    print(list(over(range(600))) == [(n, 2 * n) for n in range(600)], list(over([])))
try:
    with over_ray(partial(partial, operator.truediv, 1)) as over:
        list(over([0]))
except HearkenError as error:
    print(error)
"""
    done = run(tmp_path, script=("-c", script))
    assert done.stdout.startswith("True []\nA worker of Ray failed"), done.stderr
