"""Other people's questions and answers as they stand in files: rows and sections, nothing cleaned.

A file is read and checked whole. It knows nothing of cleaning, vectors or the library.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import IngestError

__all__ = ["Asked", "fetched", "read_rows", "read_sections"]

HUB = "nbertagnolli/counsel-chat"
HUB_FILE = "counselchat-data.csv"
FULL = ("questionTitle", "questionText", "topic", "answerText")
PAIRS = ("Context", "Response")
TITLE_WORDS = 40  # of an Amod context, which has no title


@dataclass(frozen=True)
class Asked:
    """A row as it was read."""

    title: str
    body: str
    answer: str
    topic: str = "general"
    author: str = ""


def read_rows(path: Path) -> list[Asked]:
    """Every row of a file in either form; raises IngestError where it has neither."""
    text = _text(path)
    if path.suffix.lower() in {".json", ".jsonl"}:
        records, columns = _json_lines(path, text)
    else:
        reader = csv.DictReader(io.StringIO(text, newline=""))
        columns = [column.strip() for column in reader.fieldnames or ()]
        reader.fieldnames = columns
        records = list(reader)
    form = PAIRS if set(PAIRS) <= set(columns) else FULL
    missing = [column for column in form if column not in columns]
    if missing:
        raise IngestError(
            f"{path} has no column {missing[0]}; it needs {', '.join(FULL)}, or {' and '.join(PAIRS)}."
        )
    if not records:
        raise IngestError(f"{path} has a header but no row; give a file with questions and answers.")
    return [_raw(record) for record in records]


def _raw(record: Mapping[str, object]) -> Asked:
    cells = {key: value if isinstance(value, str) else "" for key, value in record.items()}
    if "Context" in cells and "Response" in cells:
        context = cells["Context"].strip()
        first = re.split(r"(?<=[.?!])\s+", context, maxsplit=1)[0].split()[:TITLE_WORDS]
        return Asked(" ".join(first), context, cells["Response"])
    return Asked(
        title=cells["questionTitle"],
        body=cells["questionText"],
        answer=cells["answerText"],
        topic=cells["topic"].strip().lower(),
        author=cells.get("therapistInfo", ""),
    )


def _json_lines(path: Path, text: str) -> tuple[list[dict[str, object]], list[str]]:
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise IngestError(
                f"Line {number} of {path} is not JSON; write one object with Context and Response a line."
            ) from error
        if not isinstance(record, dict):
            raise IngestError(f"Line {number} of {path} is not an object with Context and Response.")
        records.append(record)
    return records, list(records[0]) if records else []


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise IngestError(f"There is no file {path}; check the path.") from error
    except OSError as error:
        raise IngestError(f"{path} cannot be read ({error.strerror}); give a file.") from error
    except UnicodeDecodeError as error:
        raise IngestError(f"{path} is not in UTF-8 (byte {error.start}); save it as UTF-8.") from error
    if not text.strip():
        raise IngestError(f"{path} is empty; give a file with questions and answers.")
    return text


def fetched() -> Path:
    """counselchat from the hub, where huggingface_hub keeps a copy for the next time, offline too."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - a second to import, and rarely wanted
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        folder = Path(snapshot_download(HUB, repo_type="dataset", allow_patterns=["*.csv"]))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise IngestError(
            f"{HUB} could not be fetched from the Hugging Face hub; connect to the internet, "
            "or download its CSV file elsewhere and give the path with --from."
        ) from error
    files = sorted(folder.rglob("*.csv"))
    if not files:
        raise IngestError(f"{HUB} holds no CSV file any more; give one with --from.")
    return files[-1]


def read_sections(path: Path, most_words: int) -> Iterator[Asked]:
    """Headings with what stands under them, in pieces of whole paragraphs that fit an answer."""
    heading = path.stem.replace("-", " ").replace("_", " ")
    paragraphs: list[str] = []
    for block in re.split(r"\n\s*\n", _text(path)):
        lines = block.strip()
        if title := re.match(r"#{1,6}\s+(.+)", lines):
            yield from _pieces(heading, paragraphs, most_words)
            heading, paragraphs = title[1].strip(), [lines[title.end() :].strip()]
        else:
            paragraphs.append(lines)
    yield from _pieces(heading, paragraphs, most_words)


def _pieces(heading: str, paragraphs: Sequence[str], most_words: int) -> Iterator[Asked]:
    piece: list[str] = []
    for paragraph in filter(None, paragraphs):
        if piece and len(" ".join((*piece, paragraph)).split()) > most_words:
            yield Asked(heading, "", "\n\n".join(piece))
            piece = []
        piece.append(paragraph)
    if piece:
        yield Asked(heading, "", "\n\n".join(piece))
