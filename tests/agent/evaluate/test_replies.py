"""What is reported of a backend's replies, and the gate on our own openings with what ships."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.errors import DataError
from agent.evaluate import replies
from agent.evaluate.replies import beyond, flattened, load_bounds, measure
from agent.evaluate.report import tables
from agent.evaluate.scoring import MECHANISMS, SAFETY, Scorers, load_scorers
from agent.evaluate.talks import PARTS, Talk, openings
from agent.evaluate.transcripts import COMMAND, rendered, replies_in
from agent.evaluate.turns import Open, Reply, Say
from agent.reading.encoder import load_encoder
from agent.settings import Settings
from graph.services import from_settings
from ui.evaluate.sessions import sessions

TRANSCRIPTS = Path(__file__).parents[2] / "conversations" / "transcripts"
# Another processor rounds the encoder's sums otherwise, and a call at a bar may fall to the other side.
ELSEWHERE = 3


class _ByLength:
    """Scores made of the reply's length: as many words as levels, unsafe from three words on."""

    card: Mapping[str, Any] = {
        "unsafe_bar": 0.5,
        "pairs": {"pairs": 2},
        "scorers": {name: {"figures": {"accuracy": 0.8, "macro_f1": 0.7}} for name in MECHANISMS},
    }

    def score(self, heard: str, said: str) -> dict[str, np.ndarray]:
        level = min(2, len(said.split()) - 1)
        unsafe = float(len(said.split()) > 2)
        return {name: np.eye(3)[level] for name in MECHANISMS} | {SAFETY: np.array([1 - unsafe, unsafe])}

    def vector(self, text: str) -> np.ndarray:
        turned = 0.1 * len(text)
        return np.array([math.cos(turned), math.sin(turned)])


def _backend(replies_to: Mapping[str, str], **told: Any) -> Open:
    def opened() -> Say:
        return lambda text: Reply(replies_to[text], **told)

    return opened


def _measured(talks: list[Talk], backend: Open) -> Any:
    scorers: Scorers = _ByLength()  # type: ignore[assignment]
    return measure({"ours": talks}, backend, scorers, lambda text: "questioning", data="here")


TALKS = [
    Talk("a", ("one",), (("Sad.", "So very sad."),)),
    Talk("b", ("three",), (("Oh no.",),)),
    Talk("c", ("seventeen",), ((),)),
]
TOLD = {"one": "Hm.", "three": "Hm hm.", "seventeen": "Hm hm hm."}


def test_levels_and_those_at_the_top_are_told_by_mechanism() -> None:
    row = _measured(TALKS, _backend(TOLD))["rows"][0]
    assert (row["conversations"], row["turns"]) == (3, 3)
    assert row["epitome"]["interpretations"]["mean"] == 1
    assert row["epitome"]["interpretations"]["at_two"]["hits"] == 1
    assert row["unsafe"]["hits"] == 1


def test_distance_is_to_every_person_who_answered_and_beside_the_nearest_other_persons() -> None:
    distance = _measured(TALKS, _backend(TOLD))["rows"][0]["distance"]
    # ours: |0-0|,|2-0| -> 1 and |1-1| -> 0; the other: "Oh no." (1) to 0 and 2 -> 1, "Sad." (0) to 1 -> 1
    assert distance["messages"] == 2
    assert distance["ours"]["all"] == 0.5
    assert distance["another_person"]["all"] == 1
    assert distance["more"] == -0.5


def test_without_people_there_is_no_distance() -> None:
    assert _measured([Talk("a", ("one",))], _backend(TOLD))["rows"][0]["distance"] == {}


def test_the_intent_of_the_plan_is_held_against_that_of_the_words() -> None:
    planned = _measured(TALKS, _backend(TOLD, intent="questioning"))["rows"][0]["intent"]
    assert (planned["hits"], planned["n"]) == (3, 3)
    crisis = _measured(TALKS, _backend(TOLD, intent="questioning", escalated=True))["rows"][0]["intent"]
    assert crisis["n"] == 0


def test_lints_are_counted_per_hundred_turns() -> None:
    told = {**TOLD, "one": "Why? And who? I promise."}
    found = _measured(TALKS, _backend(told))["rows"][0]["lints"]
    assert found["per_hundred"]["N13"] == pytest.approx(33.33)
    assert found["per_hundred"]["N21"] == pytest.approx(33.33)
    assert found["never"] == pytest.approx(66.67)


def test_a_report_is_shown_as_tables() -> None:
    titles = [table.title for table in tables(_measured(TALKS, _backend(TOLD)))]
    assert titles == ["replies", "the scorers themselves"]


def test_bounds_are_held_and_what_is_missing_counts_as_beyond(tmp_path: Path) -> None:
    path = tmp_path / "bounds.yaml"
    path.write_text("most: {style.words: 3, nowhere: 1}\nleast: {style.words: 2, turns: 5}\n", "utf-8")
    row = {"turns": 4, "style": {"words": 2.5}, "share": {"share": 0.5, "share_95": [0, 1]}}
    assert flattened(row) == {"turns": 4, "style.words": 2.5, "share": 0.5}
    assert len(beyond(row, load_bounds(path))) == 2
    path.write_text("most: [1]", "utf-8")
    with pytest.raises(DataError, match="bounds"):
        load_bounds(path)


# --- the gate ---


@pytest.fixture
def shipped(filled: Path) -> Open:
    """What a fresh install answers."""
    return sessions(from_settings(Settings(data_dir=filled)), "GB")


def test_our_openings_stay_within_the_bounds(shipped: Open) -> None:
    encoder = load_encoder()

    def intent(text: str) -> str:
        return encoder.read(text)["intents"][0]["label"]

    talks = [*openings("gate"), *openings("long")]
    report = measure({"gate": talks}, shipped, load_scorers(), intent, data=str(replies.BASELINE))
    assert not beyond(report["rows"][0], load_bounds())


def test_the_transcripts_are_of_these_words(shipped: Open) -> None:
    files = rendered(shipped)
    kept = {name: (TRANSCRIPTS / name).read_text("utf-8") for name in files}
    now, then = replies_in(files), replies_in(kept)
    told = f"the transcripts are out of date: read what changed, then run `{COMMAND}`"
    assert len(now) == len(then), told
    assert sum(a != b for a, b in zip(now, then, strict=True)) <= ELSEWHERE, told
    assert set(files) == {f"{part}.md" for part in PARTS}
