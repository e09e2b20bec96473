"""Latency by step and by way, of made-up turns."""

from collections.abc import Callable
from dataclasses import dataclass, field

from agent.evaluate.latency import Taken, latency
from agent.evaluate.turns import Open, Reply, Say


@dataclass
class Told:
    path: list[str]
    milliseconds: dict[str, float] = field(default_factory=dict)


def test_steps_whole_turns_and_the_way_of_danger_are_told_apart() -> None:
    heard: list[str] = []

    def opened(watch: Callable[[Taken], object]) -> Open:
        def say(text: str) -> Reply:
            heard.append(text)
            step, spent = ("crisis", 5.0) if text == "danger" else ("respond", float(text or 0) + 1)
            watch(Told(["perceive", step], {"perceive": 10.0, step: spent}))
            return Reply("Hm.")

        def begin() -> Say:
            return lambda text: say("1000" if text == "hello" else text)

        return begin

    report = latency(opened, [["0", "2"]], ["danger"], model="fake")
    rows = {row["view"]: (row["n"], row["p50_ms"], row["p95_ms"]) for row in report["rows"]}
    assert report["first_turn_ms"] == 1011
    assert rows["turns by respond"][:2] == (2, 12)
    assert rows["turns by crisis"] == (4, 15, 15)
    assert rows["every turn"][0] == rows["perceive"][0] == 6
    assert rows["perceive"] == (6, 10, 10)
    assert rows["crisis"] == (4, 5, 5)
