"""What people wrote, to be answered: conversations of ours, or of public sets with the replies people gave.

openings.csv was written for this project. Of ESConv the seeker's turns are taken, of EmpatheticDialogues
the first one of each conversation, of EPITOME the posts held back from the scorers, several of them answered
by more than one person. Texts are held, never printed; knows no backend.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.errors import DataError
from agent.evaluate.scoring import held_back
from agent.evaluate.sources import even
from agent.tables import grouped, header, known, objects, rows

__all__ = ["OPENINGS", "PARTS", "Part", "Talk", "found", "openings"]

OPENINGS = Path(__file__).parent / "replies" / "openings.csv"
PARTS = ("gate", "rest", "long")
Part = Literal["gate", "rest", "long", "all"]
DIALOGUES = ("conv_id", "utterance_idx", "utterance")
EPITOME = ("sp_id", "rp_id", "seeker_post", "response_post", "level")
# Files of a folder that were trained on; of a file named alone it is for the caller to know.
TRAINED = ("train", "failed")


@dataclass(frozen=True)
class Talk:
    """One conversation. messages: the person's, in order. humans: for each, the replies people gave to it."""

    name: str
    messages: tuple[str, ...]
    humans: tuple[tuple[str, ...], ...] = ()
    part: str = ""


def openings(part: Part = "all", path: Path = OPENINGS) -> list[Talk]:
    """Our own: `gate` is held by a test, `long` are scripts of twenty turns."""
    talks = []
    for lines in grouped(rows(path, "part", "talk", "text"), "talk"):
        for line in lines:
            known(line["part"], PARTS, path, "part")
        if part in ("all", lines[0]["part"]):
            messages = tuple(line["text"] for line in lines)
            talks.append(Talk(lines[0]["talk"], messages, part=lines[0]["part"]))
    return talks


def found(data: Path, limit: int | None = None) -> dict[str, Sequence[Talk]]:
    """The conversations of each known file, by name; at most `limit` of each, spread evenly."""
    if not data.exists():
        raise DataError(f"{data} is missing; --data names a file or a folder.")
    files = [data] if data.is_file() else sorted(p for p in data.rglob("*") if _held_out(p))
    sources: dict[str, Sequence[Talk]] = {}
    posts: list[Path] = []
    for path in files:
        if path.suffix == ".jsonl" and "dialog" in next(objects(path)):
            sources[f"ESConv, {path.stem}"] = even(list(_support(path)), limit)
        elif path.suffix == ".csv" and set(DIALOGUES) <= set(header(path)):
            sources[f"EmpatheticDialogues, {path.stem}"] = even(list(_dialogues(path)), limit)
        elif path.suffix == ".csv" and set(EPITOME) <= set(header(path)):
            posts.append(path)
        elif path.suffix == ".csv" and header(path) == ("part", "talk", "text"):
            sources[path.stem] = even(openings(path=path), limit)
    if posts:  # the same posts stand in a file for each mechanism
        sources["EPITOME, held back"] = even(list(_posts(posts[0])), limit)
    if not any(sources.values()):
        raise DataError(
            f"{data} holds no conversations; needed: ESConv's .jsonl, EmpatheticDialogues' or EPITOME's CSV, "
            "or one with part, talk, text."
        )
    return {name: talks for name, talks in sources.items() if talks}


def _held_out(path: Path) -> bool:
    return path.suffix in {".csv", ".jsonl"} and not path.stem.endswith(TRAINED)


def _support(path: Path) -> Iterator[Talk]:
    """ESConv: what the seeker wrote until the supporter answered is one message, and the answer one reply."""
    for number, talk in enumerate(objects(path, "dialog")):
        pairs: list[tuple[list[str], list[str]]] = []
        for turn in talk["dialog"]:
            text = str(turn.get("text", turn.get("content", ""))).strip()
            if turn["speaker"] in {"usr", "seeker"}:
                if not pairs or pairs[-1][1]:
                    pairs.append(([], []))
                pairs[-1][0].append(text)
            elif pairs:
                pairs[-1][1].append(text)
        if pairs:
            messages = tuple(" ".join(asked) for asked, _ in pairs)
            humans = tuple((" ".join(told),) if told else () for _, told in pairs)
            yield Talk(str(number), messages, humans)


def _dialogues(path: Path) -> Iterator[Talk]:
    """EmpatheticDialogues: the first line, and the listener's answer to it."""
    for talk in grouped(rows(path, *DIALOGUES), "conv_id"):
        said = [turn["utterance"].replace("_comma_", ",").strip() for turn in talk]
        yield Talk(talk[0]["conv_id"], (said[0],), (tuple(said[1:2]),))


def _posts(path: Path) -> Iterator[Talk]:
    """EPITOME: the posts that no scorer was fitted on, each with every person's reply to it."""
    posts: dict[str, tuple[str, dict[str, str]]] = {}
    for row in rows(path, *EPITOME):
        if held_back(row["sp_id"]):
            posts.setdefault(row["sp_id"], (row["seeker_post"], {}))[1][row["rp_id"]] = row["response_post"]
    for name, (post, replies) in posts.items():
        yield Talk(name, (post,), (_different(replies),))


def _different(replies: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(replies.values()))
