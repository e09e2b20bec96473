"""IMHI asked of a language model: the forms, the rule, and answers that say nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.errors import DataError, ResponderError
from agent.evaluate.asking import writing
from agent.evaluate.imhi_asked import asked, prompt_of, told
from agent.evaluate.keeping import parted
from agent.llm.chat import Chat
from tests.agent.evaluate.reading import write_csv

COLUMNS = ("query", "gpt-3.5-turbo")
QUERY = 'Consider this post: "{}" Question: Does the poster suffer from stress?'
CAUSE = 'Consider this post: "{}" Question: What is the stress cause of this post?'


def each(_name: str, make: Any) -> Any:
    return make()


def stress(folder: Path) -> Path:
    posts = [("a", "Yes, they do. Reasoning: x"), ("b", "No. Reasoning: x"), ("c", "Yes."), ("d", "No, not.")]
    return write_csv(folder / "dreaddit.csv", COLUMNS, [(QUERY.format(post), gold) for post, gold in posts])


def test_a_prompt_is_the_published_one() -> None:
    assert prompt_of("stress", "a $post", "instruction") == QUERY.format("a $post")
    assert prompt_of("physical wellness", "", "instruction").endswith(
        "Question: Does the physical wellness dimension exist in the post?"
    )
    assert prompt_of("perceived burdensomeness", "", "instruction").endswith(
        "Does the post show risk of perceived burdensomeness?"
    )
    assert prompt_of("stress_cause", "p", "completion") == (
        "Post: p Question: This post shows the stress cause of "
    )


@pytest.mark.parametrize(
    ("what", "answer", "label"),
    [
        ("stress", "Yes, the poster does.", "yes"),
        ("stress", "  no", "no"),
        ("stress", "The poster is tired. Yes.", ""),
        ("stress", "", ""),
        ("physical wellness", "No, it does not. Reasoning: yes", "no"),
        ("stress_cause", "This post shows the stress cause related to school. It is not work.", "school"),
        ("stress_cause", "Hard to say.", ""),
        ("depression_cause", "This post shows no causes.", "none"),
    ],
)
def test_the_rule(what: str, answer: str, label: str) -> None:
    assert told(what, answer) == label


def test_what_cannot_be_parsed_is_wrong_and_counted(tmp_path: Path) -> None:
    answers = {"a": "Yes, certainly.", "b": "No.", "c": "I cannot tell.", "d": "Yes. Reasoning: none"}

    def write(prompt: str) -> str:
        return next(said for post, said in answers.items() if f'"{post}"' in prompt)

    report = asked(stress(tmp_path), write, each, model="fake")
    (row,) = report["rows"]
    assert (row["n"], row["not parsed"]["hits"], row["accuracy"]) == (4, 1, 0.5)
    # yes: 1 of 2 said, 1 of 2 found -> 0.5; no: 1 of 1 said, 1 of 2 found -> 2/3
    assert row["weighted_f1"] == pytest.approx((0.5 + 2 / 3) / 2, abs=1e-4)
    assert row["weighted_f1 of those parsed"] > row["weighted_f1"]
    assert report["items"][f"{tmp_path.name}/dreaddit.csv dreaddit"] == [1, 1, 0, 0]
    assert "I cannot" not in str(report)


def test_a_run_that_was_stopped_asks_the_rest_only(tmp_path: Path) -> None:
    data, out, heard = stress(tmp_path), tmp_path / "out.json", list[str]()

    def write(prompt: str) -> str:
        heard.append(prompt)
        if len(heard) == 3:
            raise KeyboardInterrupt
        return "Yes."

    def run() -> dict[str, Any]:
        with parted(out, {"model": "fake"}) as once:
            return asked(data, write, once, model="fake")

    with pytest.raises(KeyboardInterrupt):
        run()
    assert '"a"' not in (tmp_path / "out.json.part").read_text("utf-8")
    assert run()["rows"][0]["n"] == 4
    assert len(heard) == 5
    assert not (tmp_path / "out.json.part").exists()


def test_a_sentence_that_was_begun_is_gone_on_with(tmp_path: Path) -> None:
    gold = "This post shows the stress cause related to school. Reasoning: x"
    data = write_csv(tmp_path / "SAD.csv", COLUMNS, [(CAUSE.format("a"), gold)])
    report = asked(data, lambda prompt: " school. Reasoning: work", each, model="fake", form="completion")
    assert report["rows"][0]["accuracy"] == 1


def test_a_backend_is_asked_by_the_seam_of_replies() -> None:
    heard: list[Any] = []

    def stream(messages: Any, **options: Any) -> Iterator[str]:
        heard.append((messages, options))
        yield from ("<think>hm", "</think> Y", "es.")

    assert writing(Chat(stream, alpha=0.5), 7)("Well?") == "Yes."
    ((messages, options),) = heard
    assert messages == [{"role": "user", "content": "Well?"}]
    assert (options["max_tokens"], options["temperature"], options["alpha"]) == (7, 0, 0.5)

    def broken(messages: Any, **options: Any) -> Iterator[str]:
        raise ResponderError("The server is away.")

    with pytest.raises(ResponderError, match="away"):
        writing(Chat(broken), 7)("Well?")


def test_data_without_a_label_is_refused(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "dreaddit.csv", COLUMNS, [(QUERY.format("a"), "Who knows.")])
    with pytest.raises(DataError, match="no row"):
        asked(data, lambda prompt: "Yes.", each, model="fake")
