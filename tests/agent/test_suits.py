"""What sentences are worth after a message: whole and damaged files, and what the numbers rest on."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.brief import Reading, unread
from agent.errors import SupporterError
from agent.responders.replies import load_replies, placed
from agent.suits import (
    KINDS,
    WORTH,
    Labels,
    Layers,
    Placed,
    beside,
    dump,
    heard,
    likely,
    load_suits,
    sentence_side,
    table,
    worth,
)
from agent.supporter import Moment, key_of

Vector = NDArray[np.float32]
LABELS = Labels(("sad",), ("guilt", "joy"), ("vent",), ("questioning",))
SENTENCES = (
    Placed("That's a heavy thing to sit with.", "told.say", "guilt"),
    Placed("How good.", "told.back", "joy"),
    Placed("What went through you then?", "listening"),
    Placed("So $clause.", "mirroring"),
)


def vector(text: str) -> Vector:
    """Some unit vector that depends on the text alone."""
    made = np.random.default_rng(key_of(text) % 2**32).normal(size=384).astype(np.float32)
    return made / np.float32(np.linalg.norm(made))


def reading(tellings: Mapping[str, float]) -> Reading:
    return {**unread([]), "heads": {"telling": [{"label": name, "p": p} for name, p in tellings.items()]}}


def layers() -> Layers:
    chance, inputs = (
        np.random.default_rng(0),
        beside(Moment(("x",), 1), reading({}), table(SENTENCES)).shape[1],
    )
    said = heard(Moment(("x",), 1), reading({}), LABELS, vector).shape[0]

    def some(*shape: int) -> Vector:
        return (chance.normal(size=shape) / 8).astype(np.float32)

    return Layers(
        some(inputs), abs(some(inputs)) + 1, some(inputs, 5), some(5), some(5, 2), some(2),
        some(said, 6), some(6), some(384, 6), some(6), some(384, 2), some(2),
    )  # fmt: skip


def written(folder: Path, keep: int = len(SENTENCES)) -> Path:
    texts = [one.text for one in SENTENCES[:keep]]
    bank = sentence_side(np.stack([vector(text) for text in texts]), layers())
    raw = dump(layers(), [key_of(text) for text in texts], bank)
    told = {"encoder": "e", "labels": LABELS._asdict(), "sha256": hashlib.sha256(raw).hexdigest()}
    (folder / "suits.npz").write_bytes(raw)
    (folder / "suits.json").write_text(json.dumps(told))
    return folder


def test_every_sentence_is_worth_something_between_the_worst_and_the_best(tmp_path: Path) -> None:
    suit = load_suits(vector, SENTENCES, written(tmp_path), "e")
    found = suit(Moment(("i forgot her birthday",), 1), reading({"guilt": 0.8}))
    assert set(found) == {one.text for one in SENTENCES}
    assert all(WORTH[0] <= value <= WORTH[2] for value in found.values())
    assert found == suit(Moment(("i forgot her birthday",), 1), reading({"guilt": 0.8}))
    assert found != suit(Moment(("i forgot her birthday",), 1), reading({"joy": 0.8}))


def test_a_sentence_that_changed_is_weighed_as_one_that_ships(tmp_path: Path) -> None:
    moment, told = Moment(("hello", "well"), 2), reading({"joy": 0.4})
    whole = load_suits(vector, SENTENCES, written(tmp_path), "e")(moment, told)
    later = load_suits(vector, SENTENCES, written(tmp_path, keep=2), "e")(moment, told)
    assert whole.keys() == later.keys()
    assert all(abs(whole[text] - later[text]) < 0.01 for text in whole)


def test_a_damaged_file_or_another_encoder_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SupporterError, match="hearken train suits"):
        load_suits(vector, SENTENCES, tmp_path)
    written(tmp_path)
    with pytest.raises(SupporterError, match="another encoder"):
        load_suits(vector, SENTENCES, tmp_path, "other")
    (tmp_path / "suits.npz").write_bytes(b"no")
    with pytest.raises(SupporterError, match="hearken train suits"):
        load_suits(vector, SENTENCES, tmp_path)


def test_only_the_probability_of_its_own_telling_counts_for_a_sentence() -> None:
    moment = Moment(("what a day",), 1)
    without, with_joy = (beside(moment, reading(told), table(SENTENCES)) for told in ({}, {"joy": 0.9}))
    changed = (without != with_joy).any(axis=1).tolist()
    assert changed == [False, True, False, False]


def test_what_may_be_said_is_worth_more_the_likelier_it_is_good() -> None:
    chances = np.array([[0.1, 0.0], [0.9, 0.1], [0.95, 0.9], [0.2, 0.9]], dtype=np.float32)
    found = worth(chances)
    assert found[0] < found[1] < found[2]
    assert found[3] < found[1]  # good cannot be likelier than passable
    bank = sentence_side(np.stack([vector(one.text) for one in SENTENCES]), layers())
    moment = Moment(("x",), 1)
    told = beside(moment, reading({}), table(SENTENCES))
    found = likely(layers(), heard(moment, reading({}), LABELS, vector), told, bank)
    assert found.shape == (len(SENTENCES), 2)
    assert ((found > 0) & (found < 1)).all()


def test_every_sentence_of_a_supportive_reply_has_its_place() -> None:
    found = {one.text: one for one in placed()}
    replies = load_replies()
    assert {one.kind for one in found.values()} == set(KINDS)
    assert found[replies.told["guilt"].say[0]].telling == "guilt"
    assert all(text in found for cue in replies.cues for text in (*cue.back, *cue.say, *cue.ask))
    assert all(one.text.endswith("?") for one in found.values() if one.kind in {"told.apt_ask", "matter_ask"})
    assert not any("?" in one.text for one in found.values() if one.kind in {"told.apt", "matter"})


def test_the_shipped_net_prefers_what_answers_what_was_done() -> None:
    from graph.services import Services

    services = Services()
    text = "i shouted at my mum on the phone and now she wont pick up. its all my fault"
    read = services.read(text)
    told: Reading = {**unread([]), "emotions": read["emotions"], "heads": read["heads"]}
    assert services.suit is not None
    found = services.suit(Moment((text,), 1), told)
    replies = load_replies()
    guilt, joy = (max(found[one] for one in replies.told[name].say) for name in ("guilt", "joy"))
    assert guilt > joy
