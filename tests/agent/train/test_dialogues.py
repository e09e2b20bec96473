"""Conversations for training: read from each format, made fit, split, and turned into tokens."""

import json
import random
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from agent.errors import DataError
from agent.prompt import Message
from agent.train.dialogue_rows import Malformed
from agent.train.dialogue_sources import Example, from_hub, from_path
from agent.train.dialogues import load_examples, prepare, stats, write
from tests.agent.train.public import write_csv

CALM = "It sounds as if the evenings have become long and quiet for you."
ASKED = "I moved to another town in spring and I still eat alone every evening of the week."


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def read(path: Path) -> tuple[list[Example], list[Malformed]]:
    bad: list[Malformed] = []
    return list(from_path(path, bad)), bad


def said(example: Example) -> list[tuple[str, str]]:
    return [(one["role"], one["content"]) for one in example["messages"]]


def chat(*texts: str) -> dict[str, Any]:
    sides = ("user", "assistant")
    return {"messages": [{"role": sides[n % 2], "content": text} for n, text in enumerate(texts)]}


def many(count: int) -> list[Example]:
    """Examples of as many conversations, none like another."""
    words = "river garden letter winter kitchen brother music window train coat bread street".split()  # noqa: SIM905
    examples: list[Example] = []
    for number in range(count):
        six = random.Random(number).sample(words, 6)  # noqa: S311
        drawn = f"{' '.join(six[:3])} and {' '.join(six[3:])}"
        asked = Message(role="user", content=f"my {drawn} is on my mind")
        reply = Message(role="assistant", content=f"The {drawn} stays with you.")
        examples.append(
            Example(
                messages=[asked, reply],
                kind="reply",
                feeling="",
                intent="",
                source="made",
                group=f"g{number}",
                held=False,
                counsel=False,
                author="",
            )
        )
    return examples


def test_counselchat_gives_question_answer_author_and_part(tmp_path: Path) -> None:
    columns = ("questionID", "questionTitle", "questionText", "therapistInfo", "answerText", "split")
    rows = [("7", "Alone", "I eat <b>alone</b>.", "Ann", "<p>That is hard.</p><p>Who is near?</p>", "val")]
    write_csv(tmp_path / "cc.csv", columns, [*rows, ("8", "x", "", "", "y", "test")])
    (one,), bad = read(tmp_path / "cc.csv")
    assert said(one) == [("user", "Alone\nI eat alone ."), ("assistant", "That is hard.\nWho is near?")]
    assert (one["held"], one["author"], one["counsel"], bad) == (True, "Ann", True, [])


@pytest.mark.parametrize(
    "columns",
    [("Context", "Response"), ("input", "output"), ("Questions", "Answers"), ("prompt", "response")],
)
def test_pairs_of_question_and_answer_under_any_of_their_names(
    tmp_path: Path, columns: Sequence[str]
) -> None:
    write_csv(tmp_path / "pairs.csv", columns, [(ASKED, CALM)])
    assert [said(one) for one in read(tmp_path / "pairs.csv")[0]] == [[("user", ASKED), ("assistant", CALM)]]


def test_imhi_is_a_task_grouped_by_its_post_in_either_form(tmp_path: Path) -> None:
    forms = (
        'Consider this post: "I am tired." Question: Does the poster suffer from stress?',
        "I am tired. Question: Does the poster suffer from depression? Answer:",
    )
    write_csv(
        tmp_path / "imhi.csv", ("query", "gpt-3.5-turbo"), [(form, "No. Reasoning: x") for form in forms]
    )
    first, second = read(tmp_path / "imhi.csv")[0]
    assert first["kind"] == second["kind"] == "task"
    assert first["group"] == second["group"]
    assert first["messages"][0]["content"] == forms[0]


def test_empathetic_dialogues_keep_emotion_intent_and_the_turns_before(tmp_path: Path) -> None:
    columns = ("conv_id", "utterance_idx", "context", "prompt", "role", "utterance", "auto_intent")
    turns = (("speaker", "It is dark_comma_ late", "sad"), ("listener", "What happened?", "questioning"),
             ("speaker", "Nothing.", "sad"), ("listener", "I see.", "sad"))  # fmt: skip
    rows = [("c1", n, "lonely", "p", role, text, label) for n, (role, text, label) in enumerate(turns)]
    write_csv(tmp_path / "valid.csv", columns, rows)
    first, second = read(tmp_path / "valid.csv")[0]
    assert said(first) == [("user", "It is dark, late"), ("assistant", "What happened?")]
    assert (first["feeling"], first["intent"], first["held"]) == ("lonely", "questioning", True)
    assert [role for role, _ in said(second)] == ["user", "assistant", "user", "assistant"]
    assert second["intent"] == ""  # its label is an emotion, which is no way to reply


def test_esconv_joins_a_supporters_sentences_and_takes_the_strategy(tmp_path: Path) -> None:
    dialog = [{"speaker": s, "text": t, "strategy": g} for s, t, g in (
        ("sys", "Hello.", "Others"), ("usr", "hi", ""), ("usr", "I lost my job", ""),
        ("sys", "That hurts.", "Reflection of feelings"), ("sys", "When was it?", "Question"))]  # fmt: skip
    (one,), _ = read(jsonl(tmp_path / "train.jsonl", {"dialog": dialog}))
    assert said(one) == [("user", "hi\nI lost my job"), ("assistant", "That hurts.\nWhen was it?")]
    assert one["intent"] == "questioning"


def test_sharegpt_with_labels_in_the_text_gives_them_as_labels(tmp_path: Path) -> None:
    turns = [("human", "User is feeling lonely. " + ASKED),
             ("gpt", "Assistant's intent in reply should be consoling. " + CALM)]  # fmt: skip
    row = {"conversations": [{"from": side, "value": text} for side, text in turns]}
    (one,), _ = read(jsonl(tmp_path / "s3.jsonl", row))
    assert said(one) == [("user", ASKED), ("assistant", CALM)]
    assert (one["feeling"], one["intent"]) == ("lonely", "consoling")


@pytest.mark.parametrize(
    "text", [f"<HUMAN>: {ASKED}\n<ASSISTANT>: {CALM}", f"<s>[INST] {ASKED} [/INST] {CALM}</s>"]
)
def test_one_text_with_its_sides_marked(tmp_path: Path, text: str) -> None:
    (one,), _ = read(jsonl(tmp_path / "mhc.jsonl", {"text": text}))
    assert said(one) == [("user", ASKED), ("assistant", CALM)]


def test_malformed_rows_are_listed_by_line_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        json.dumps(chat(ASKED, CALM)) + "\n{broken\n" + json.dumps(chat("only the person")) + "\n"
    )
    (tmp_path / "b.csv").write_text("Context,Response\nq,a,extra\nq,\nq,a\n")
    found, bad = read(tmp_path)
    assert len(found) == 2
    assert [(Path(one.file).name, one.line) for one in bad] == [
        ("a.jsonl", 2),
        ("a.jsonl", 3),
        ("b.csv", 2),
        ("b.csv", 3),
    ]


@pytest.mark.parametrize("nothing", [None, 5, ["a"]])
def test_what_is_no_text_is_never_learned_as_one(tmp_path: Path, nothing: object) -> None:
    said = [{"role": "user", "content": nothing}, {"role": "assistant", "content": CALM}]
    rows = {"messages": said}, {"dialog": [{"speaker": "usr", "text": nothing}]}
    for name, row in zip(("a.jsonl", "b.jsonl"), rows, strict=True):
        (tmp_path / name).write_text(json.dumps(row) + "\n")
    found, bad = read(tmp_path)
    assert found == []
    assert [(Path(one.file).name, one.line) for one in bad] == [("a.jsonl", 1), ("b.jsonl", 1)]


def test_what_cannot_be_used_at_all_is_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "odd.csv", ("colour", "size"), [("red", "1")])
    with pytest.raises(DataError, match="no known format"):
        read(tmp_path / "odd.csv")
    with pytest.raises(DataError, match="test part"):
        read(jsonl(tmp_path / "my_test.jsonl", chat("a", "b")))
    columns = ("conv_id", "context", "role", "utterance")
    write_csv(tmp_path / "ed.csv", columns, [("1", "peckish", "speaker", "x")])
    with pytest.raises(DataError, match="peckish"):
        read(tmp_path / "ed.csv")


def test_the_hub_is_read_by_the_same_columns_without_its_test_part() -> None:
    parts = {"train": [{"Context": ASKED, "Response": CALM}], "test": [{"Context": "a", "Response": "b"}]}
    bad: list[Malformed] = []
    (one,) = from_hub("some/set", bad, lambda name: parts)
    assert said(one)[-1] == ("assistant", CALM)


def test_replies_are_held_against_the_guard_and_what_went_is_counted() -> None:
    examples = many(40)
    examples[0]["messages"][-1]["content"] = "You have depression, that is clear to me."
    examples[1]["messages"][-1]["content"] += " Who is there? What do you eat?"
    examples[2]["messages"][-1]["content"] = "What a long evening that must have been!"
    examples[3]["messages"][0]["content"] = "I am going to kill myself tonight"
    done = prepare(examples, [])
    texts = [one["messages"][-1]["content"] for one in (*done.train, *done.valid)]
    assert done.dropped["made: guard: diagnosis"] == 1
    assert done.dropped["made: the crisis branch answers this"] == 1
    assert "What a long evening that must have been." in texts
    assert not any("What do you eat" in text for text in texts)
    assert done.mended["a sentence left out"] == 1
    assert len(texts) == 38


def test_forum_answers_are_cleaned_by_what_is_injected() -> None:
    examples = many(30)
    for one in examples:
        one["counsel"] = True
    done = prepare(
        examples, [], share=0.3, clean=lambda text, _: ("", "no good") if "bread" in text else (text, "")
    )
    assert done.dropped["made: clean: no good"] == sum("bread" in said(one)[1][1] for one in many(30)) > 0


def test_near_duplicates_go_and_like_questions_stay_on_one_side() -> None:
    examples = many(300)
    words = "every evening since the move to another town by the sea I sit in the kitchen and wait"
    for number, one in enumerate(examples[:40]):
        one["messages"][0]["content"] = f"{words} {number}"  # 40 conversations that ask almost the same
    copy = {**examples[50], "group": "another", "messages": [dict(m) for m in examples[50]["messages"]]}
    before = prepare(deepcopy(examples), []).dropped["made: near duplicate"]
    done = prepare([*examples, copy], [])  # type: ignore[list-item]
    assert done.dropped["made: near duplicate"] == before + 1
    sides = [
        {one["group"] for one in part if words in one["messages"][0]["content"]}
        for part in (done.train, done.valid)
    ]
    assert sorted(map(len, sides)) == [0, 1]
    assert not {one["group"] for one in done.train} & {one["group"] for one in done.valid}


def test_what_its_makers_held_back_is_validation_whatever_the_share() -> None:
    examples = many(20)
    examples[5]["held"] = True
    assert any(one["group"] == "g5" for one in prepare(examples, [], share=0.0001).valid)


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(DataError, match="validation"):
        prepare(many(3), [], share=0.0001)
    with pytest.raises(DataError, match=r"near duplicate 1; a\.csv line 3: no CSV\).*--share"):
        prepare([*many(3), *many(1)], [Malformed("data/a.csv", 3, "no CSV")], share=0.0001)
    held = [{**one, "held": True} for one in many(3)]
    with pytest.raises(DataError, match=r"training .*add a part to train on"):
        prepare(held, [])  # type: ignore[arg-type]


def test_what_is_written_is_what_is_loaded_and_the_report_tells_lengths(tmp_path: Path) -> None:
    done = prepare(many(60), [Malformed("f", 3, "no CSV")])
    report = write(done, tmp_path, count=lambda text: len(text.split()))
    parts = load_examples(tmp_path)
    assert [one["messages"] for one in parts["train"]] == [one["messages"] for one in done.train]
    assert report["malformed"] == [{"file": "f", "line": 3, "why": "no CSV"}]
    assert report["train"]["tokens"]["reply"]["p50"] == 11
    assert report["train"]["examples"] + report["valid"]["examples"] == 60
    assert len(report["train"]["sha256"]) == 64
    assert stats(parts)["valid"]["examples"] == len(done.valid)
    row = json.loads((tmp_path / "train.jsonl").read_text().splitlines()[0])
    nothing = [{"role": "user", "content": None}, {"role": "assistant", "content": None}]
    without = [{name: told for name, told in row.items() if name != gone} for gone in ("feeling", "group")]
    for damaged in ({}, *without, {**row, "messages": nothing}, {**row, "intent": 5}):
        (tmp_path / "train.jsonl").write_text(json.dumps(damaged) + "\n")
        with pytest.raises(DataError, match="prepare it again"):
            load_examples(tmp_path)
    (tmp_path / "train.jsonl").write_text(json.dumps({**row, "kind": "poem"}) + "\n")
    with pytest.raises(DataError, match="no example with a reply"):
        load_examples(tmp_path)
