"""Conversations to learn replies from, in the public formats: each row becomes one reply and what led to it.

Formats are told by their columns: counselchat, Amod and other pairs of question and answer, IMHI's
instructions and completions, EmpatheticDialogues, ESConv, chat messages (`messages` or ShareGPT's
`conversations`) and one text with marked sides. A row that cannot be read is noted with its line; a label
nobody knows is an error. Knows nothing of cleaning, splits and tokens, and prints no text.
"""

import html
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from agent.errors import DataError
from agent.prompt import Message
from agent.tables import known, prompt
from agent.train.dialogue_rows import Malformed, Table, fetched, is_held, is_test, opened, peeked
from agent.train.labels import EMOTIONS, HEADS, INTENTS, STRATEGIES
from agent.train.sets import key

__all__ = ["Example", "from_hub", "from_path"]


class Example(TypedDict):
    """One reply. messages: from the person's first to the reply, which is the last.

    kind: `reply` to a person, or the answer to a `task` about a text, which nobody but a researcher reads.
    feeling, intent: "" where the data do not tell. group: question, post or conversation. held: the data's
    own makers kept it for validation. counsel: an answer from a forum, fit for `clean`. author: of that.
    levels: strengths of the reply, where they were scored (agent.train.levels).
    """

    messages: list[Message]
    kind: Literal["reply", "task"]
    feeling: str
    intent: str
    source: str
    group: str
    held: bool
    counsel: bool
    author: str
    levels: NotRequired[dict[str, int]]


_Reader = Callable[[Table], Iterator[Example]]
_PAIRS = (  # columns of question and answer, as the hub's sets call them
    *(("context", "response"), ("questions", "answers"), ("question", "answer"), ("prompt", "response")),
    *(("input", "output"), ("instruction", "output"), ("prompt", "completion")),
)
_SIDES = {"user": "user", "human": "user", "person": "user", "patient": "user", "prompter": "user"}
_SIDES |= dict.fromkeys(("assistant", "gpt", "bot", "model", "therapist", "counselor"), "assistant")
_MARKED = re.compile(r"<\s*(human|assistant)\s*>:?|(\[INST\])|(\[/INST\])", re.IGNORECASE)
_FEELS = re.compile(r"^\s*user is feeling (\w+)\s*[.,]?\s*", re.IGNORECASE)
_MEANS = re.compile(r"^\s*assistant's intent in reply should be (\w+)\s*[.,]?\s*", re.IGNORECASE)


def from_path(path: Path, bad: list[Malformed]) -> Iterator[Example]:
    """The replies in a file, or in every .csv and .jsonl of a folder. `bad` grows by rows left out."""
    files = sorted(f for f in path.rglob("*") if f.suffix in {".csv", ".jsonl"}) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} holds no .csv and no .jsonl file; name a file or folder that does.")
    for file in files:
        if is_test(file.stem):
            raise DataError(
                f"{file} is a test part, and what was trained on cannot be tested on; leave it out."
            )
        yield from _read(opened(file, bad))


def from_hub(
    name: str, bad: list[Malformed], fetch: Callable[[str], Mapping[str, Any]] | None = None
) -> Iterator[Example]:
    """The replies of a set on the hub, by its id; its test part is left alone."""
    parts = (fetch or fetched)(name)
    for part, found in parts.items():
        if not is_test(part):
            rows = ((number, dict(row)) for number, row in enumerate(found, 1))
            yield from _read(peeked(Path(f"{name}/{part}"), rows, is_held(part), bad))


def _read(table: Table) -> Iterator[Example]:
    lowered = {name.lower() for name in table.columns}
    for wanted, reader in _FORMATS:
        if set(wanted) <= lowered:
            return reader(table)
    raise DataError(
        f"{table.path}: its columns {', '.join(table.columns)} are of no known format; "
        "use `messages`, or one of " + ", ".join("/".join(pair) for pair in _PAIRS) + "."
    )


def _one(table: Table, turns: Sequence[tuple[str, str]], name: str, **told: Any) -> Example:
    """An example of turns, both sides joined where one spoke twice."""
    messages: list[Message] = []
    for role, text in turns:
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += "\n" + _plain(text)
        else:
            messages.append({"role": "user" if role == "user" else "assistant", "content": _plain(text)})
    plain = Example(
        messages=messages, kind="reply", feeling="", intent="", source=name,
        group=f"{name} {key(messages[0]['content'])}", held=table.held, counsel=False, author="",
    )  # fmt: skip
    return {**plain, **told}  # type: ignore[typeddict-item]


def _plain(text: str) -> str:
    """Without HTML and runs of white space; EmpatheticDialogues writes its commas in words."""
    text = re.sub(r"<(?:br|/p|/div|/li)[^>]*>", "\n", text.replace("_comma_", ","))
    text = html.unescape(re.sub(r"<[a-zA-Z/][^>]{0,300}>", " ", text))
    return "\n".join(filter(None, (" ".join(line.split()) for line in text.splitlines())))


def _whole(table: Table, line: int, row: Mapping[str, Any], *columns: str) -> list[str] | None:
    """The cells, by names of any case; None, and noted, when one is no text or empty."""
    folded = {name.lower(): cell for name, cell in row.items()}
    cells = [folded.get(name) for name in columns]
    for name, cell in zip(columns, cells, strict=True):
        if not isinstance(cell, str) or not cell.strip():
            table.refuse(line, f"no text in {name!r}")
            return None
    return [str(cell) for cell in cells]


def _counselchat(table: Table) -> Iterator[Example]:
    for line, row in table.rows:
        part = str(row.get("split") or "")
        if part == "test" or not (cells := _whole(table, line, row, "questiontitle", "answertext")):
            continue
        asked = f"{cells[0].strip()}\n{row.get('questionText') or ''}"
        yield _one(
            table, [("user", asked), ("assistant", cells[1])], "counselchat", counsel=True,
            group=f"counselchat {row.get('questionID') or key(asked)}",
            held=table.held or part.startswith("val"), author=str(row.get("therapistInfo") or ""),
        )  # fmt: skip


def _pairs(question: str, answer: str) -> _Reader:
    def read(table: Table) -> Iterator[Example]:
        for line, row in table.rows:
            if cells := _whole(table, line, row, question, answer):
                yield _one(table, [("user", cells[0]), ("assistant", cells[1])], "pairs", counsel=True)

    return read


def _imhi(table: Table) -> Iterator[Example]:
    """Both forms have the same columns, and what is asked stands whole in `query`."""
    for line, row in table.rows:
        if cells := _whole(table, line, row, "query", "gpt-3.5-turbo"):
            post = re.sub(r"\b(?:question|answer):.*", "", prompt(cells[0])[0], flags=re.I | re.S)
            turns = [("user", cells[0]), ("assistant", cells[1])]
            yield _one(table, turns, "imhi", kind="task", group=f"post {key(post)}")


def _dialogues(table: Table) -> Iterator[Example]:
    """EmpatheticDialogues: every answer of the listener, with the speaker's emotion and its own intent."""
    for conversation, lines in itertools.groupby(table.rows, key=lambda one: one[1].get("conv_id")):
        turns: list[tuple[str, str]] = []
        for line, row in lines:
            if not (cells := _whole(table, line, row, "context", "role", "utterance")):
                continue
            feeling = known(cells[0], EMOTIONS, table.path, "context")
            role = (
                "user"
                if known(cells[1], ("speaker", "listener"), table.path, "role") == "speaker"
                else "assistant"
            )
            turns.append((role, cells[2]))
            if role == "assistant" and turns[0][0] == "user":
                meant = row.get("auto_intent") or ""
                intent = known(meant, HEADS["expressed"], table.path, "auto_intent") if meant else ""
                yield _one(
                    table, turns, "empathetic dialogues", group=f"dialogue {conversation}", feeling=feeling,
                    intent=intent if intent in INTENTS else "",
                )  # fmt: skip


def _esconv(table: Table) -> Iterator[Example]:
    """ESConv: the supporter's whole turn, by the strategy it ends on."""
    for line, row in table.rows:
        turns: list[tuple[str, str]] = []
        try:
            said = [(one["speaker"], _written(one["text"]), one.get("strategy", "")) for one in row["dialog"]]
        except (KeyError, TypeError, AttributeError):
            table.refuse(line, "no list of turns in 'dialog'")
            continue
        for place, (speaker, text, strategy) in enumerate(said):
            role = "user" if known(speaker, ("usr", "sys"), table.path, "speaker") == "usr" else "assistant"
            turns += [(role, text)] if turns or role == "user" else []
            ends = place + 1 == len(said) or said[place + 1][0] == "usr"
            if turns and role == "assistant" and ends and turns[0][0] == "user":
                intent = STRATEGIES.get(strategy, "")
                yield _one(table, turns, "esconv", group=f"esconv {table.path.stem} {line}", intent=intent)


def _chat(column: str) -> _Reader:
    """Chat messages, {role, content} or ShareGPT's {from, value}; every answer is learned from."""

    def read(table: Table) -> Iterator[Example]:
        for line, row in table.rows:
            try:
                said = [
                    (one.get("role", one.get("from")), one.get("content", one.get("value")))
                    for one in row[column]
                ]
                turns = [
                    (_SIDES[str(side).lower()], _written(text))
                    for side, text in said
                    if str(side).lower() != "system"
                ]
            except (KeyError, TypeError, AttributeError):
                table.refuse(line, f"no list of messages in {column!r}")
                continue
            if not turns or turns[0][0] != "user" or turns[-1][0] != "assistant":
                table.refuse(line, "the person must begin and the assistant end")
                continue
            yield from _answers(table, turns, str(row.get("source") or "chat"))

    return read


def _written(text: object) -> str:
    """Words as they are; TypeError for anything else, which would be learned as "None" or "5"."""
    if not isinstance(text, str):
        raise TypeError("no text")
    return text


def _answers(table: Table, turns: Sequence[tuple[str, str]], name: str) -> Iterator[Example]:
    """Every answer of a conversation; the labels of S3's text form are taken off its turns."""
    feeling, bare = "", list[tuple[str, str]]()
    for place, (role, text) in enumerate(turns):
        found = (_FEELS if role == "user" else _MEANS).match(text)
        label = known(found[1].lower(), EMOTIONS if role == "user" else INTENTS, table.path) if found else ""
        feeling = label if role == "user" and found else feeling
        bare.append((role, text[found.end() :] if found else text))
        if role == "assistant" and (place + 1 == len(turns) or turns[place + 1][0] == "user"):
            group = f"{name} {key(bare[0][1])}"
            yield _one(table, bare, name, feeling=feeling, intent=label, group=group)


def _marked(table: Table) -> Iterator[Example]:
    """One text with its sides marked: `<HUMAN>: … <ASSISTANT>: …` or `[INST] … [/INST] …`."""
    for line, row in table.rows:
        cells = _whole(table, line, row, "text")
        pieces = _MARKED.split(cells[0]) if cells else []
        turns: list[tuple[str, str]] = []
        for place in range(1, len(pieces), 4):
            side = "user" if (pieces[place] or "").lower() == "human" or pieces[place + 1] else "assistant"
            if (pieces[place + 3] or "").strip(" </s>\n"):
                turns.append((side, re.sub(r"</?s>", " ", pieces[place + 3])))
        if len(turns) > 1 and turns[0][0] == "user" and turns[-1][0] == "assistant":
            yield from _answers(table, turns, "marked text")
        elif cells:
            table.refuse(line, "no question and answer behind the marks")


_FORMATS: Iterable[tuple[tuple[str, ...], _Reader]] = (
    (("questiontitle", "answertext"), _counselchat),
    (("query", "gpt-3.5-turbo"), _imhi),
    (("conv_id", "context", "utterance", "role"), _dialogues),
    (("dialog",), _esconv),
    (("messages",), _chat("messages")),
    (("conversations",), _chat("conversations")),
    *((pair, _pairs(*pair)) for pair in _PAIRS),
    (("text",), _marked),
)
