"""`hearken data preferences|feedback`: from raw replies and people's marks to pairs that can be learned."""

import json
from pathlib import Path

import pytest
import yaml

from agent.errors import DataError
from agent.train.preferences import load, reviewed
from graph import Session, shelf
from graph.shelf import Report
from tests import fakes
from tests.agent.train.public import write_csv
from tests.ui.test_tuning import call

SAID = "I moved to another town in spring and I still eat alone every evening"
GRAVE = "You have depression, that is clear to me."
CALM = "It sounds as if the evenings have become long."


def test_from_a_public_file_to_pairs_behind_the_prompt_of_a_real_turn(tmp_path: Path) -> None:
    rows = [(f"{SAID} {n}.", f"{CALM} {GRAVE}" if n % 3 else CALM) for n in range(6)]
    write_csv(tmp_path / "pairs.csv", ("Context", "Response"), [*rows, ("I want to kill myself", GRAVE)])
    talk = [{"speaker": side, "content": text, "annotation": {}}
            for side, text in (("speaker", SAID), ("listener", "Just get over it then."))]  # fmt: skip
    (tmp_path / "failed.json").write_text(json.dumps([{"dialog": talk}] * 3))
    sources = (tmp_path / "pairs.csv", tmp_path / "failed.json")
    told = call("data", "preferences", *sources, "--out", tmp_path / "o", "--share", "0.5")
    assert "diagnosis" in told.stdout
    assert "a failed conversation" in told.stdout
    assert SAID not in told.stdout
    parts = load(tmp_path / "o")
    pairs = [*parts["train"], *parts["valid"]]
    assert len(pairs) == 7
    assert not any("depression" in one["chosen"] or not one["chosen"] for one in pairs)
    assert all(one["brief"]["plan"]["steps"] for one in pairs)
    report = json.loads((tmp_path / "o/report.json").read_text())
    assert report["left out"]["the crisis branch answers this"] == 1


def test_replies_of_a_model_are_sampled_and_judged(tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="hearken[local] is not installed")
    from tests.agent.llm.tiny_llms import llama

    model = llama(tmp_path / "m", width=336, hidden=32, seed=3, reads=4096)
    write_csv(tmp_path / "pairs.csv", ("Context", "Response"), [(f"{SAID} {n}.", CALM) for n in range(5)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ui.preferring.PATIENCE", 60.0)
        told = call("data", "preferences", tmp_path / "pairs.csv", "--out", tmp_path / "o", "--share", "0.5",
                    "--model", model, "--samples", 1, "--json")  # fmt: skip
    report = json.loads(told.stdout)
    assert report["train"]["pairs"] + report["valid"]["pairs"] > 1
    assert all(one["rejected"] != CALM for one in load(tmp_path / "o")["train"])


def test_what_people_marked_becomes_pairs_to_be_learned_once_somebody_read_them(tmp_path: Path) -> None:
    session = Session.open(country="GB", keep=True, services=fakes.services())
    session.say(SAID)
    session.close()
    reply = next(one for one in session.messages if one.type == "ai")
    path = tmp_path / "data" / "conversations.sqlite"
    shelf.mark(path, session.thread, str(reply.id), 0)
    told = Report(shelf.iso(), f"{SAID} now", "Cheer up, it is not so bad.", "Cold.")
    shelf.report(path, session.thread, told)
    assert json.loads(call("data", "feedback", "--out", tmp_path / "f", "--json").stdout)["replies"] == 0
    shelf.consent(path)
    assert SAID not in call("data", "feedback", "--out", tmp_path / "f").stdout
    rows = [json.loads(line) for line in (tmp_path / "f/pairs.jsonl").read_text().splitlines()]
    assert [one["why"][0] for one in rows] == ["marked as not helpful", "reported"]
    assert rows[0]["rejected"] == reply.content
    assert all(one["chosen"] and one["chosen"] != one["rejected"] for one in rows)
    assert [one["reviewed_by"] for one in rows] == [None, None]
    assert (tmp_path / "f/pairs.jsonl").stat().st_mode & 0o077 == 0
    edits = yaml.safe_load((tmp_path / "f/proposals.yaml").read_text("utf-8"))
    assert all(one["accepted_by"] is None for one in edits)
    assert reviewed(tmp_path / "f/pairs.jsonl") == []
    for name in ("train", "valid"):  # put in the place of pairs that were made, they are still refused
        (tmp_path / f"f/{name}.jsonl").write_text(json.dumps(rows[0]) + "\n")
    with pytest.raises(DataError, match="nobody has reviewed"):
        load(tmp_path / "f")
    rows[0]["reviewed_by"] = "A. Person, 2026-11-26"
    (tmp_path / "f/pairs.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    raw = [(f"{SAID} {n}.", f"{CALM} {GRAVE}") for n in range(4)]
    write_csv(tmp_path / "c.csv", ("Context", "Response"), raw)
    call("data", "preferences", tmp_path / "c.csv", tmp_path / "f/pairs.jsonl", "--out", tmp_path / "o",
         "--share", "0.5")  # fmt: skip
    parts = load(tmp_path / "o")
    assert sum(one["source"] == "use" for part in parts.values() for one in part) == 1


def test_a_list_of_owners_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one owner a line"):
        call("data", "feedback", "--out", tmp_path / "f", "--consented", tmp_path / "none.txt")
