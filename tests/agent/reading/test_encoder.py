"""The encoder as shipped: vectors that do not depend on company, readings, and refusals to load."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.errors import EncoderError
from agent.reading import encoder as module
from agent.reading.encoder import Encoder, load_encoder

SHIPPED = Path(module.__file__).parent / "model"
LINES = [
    "My cat ran off on Sunday and I have looked everywhere.",
    "ok",
    "The new neighbours play drums until two and I have work at six, every single night this week.",
]
AWKWARD = [
    "",
    "   \n\t",
    "😀😀",
    "\x00",
    "\ud800 well",
    "a" * 50_000,
    "so tired " * 6_000,
    "[SEP] [CLS]",
    "안녕하세요",
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped model that a test may damage."""
    copy = tmp_path / "model"
    copy.mkdir()
    for name in ("encoder.onnx", "tokenizer.json", "heads.npz", "labels.json"):
        shutil.copy(SHIPPED / name, copy / name)
    return copy


def edit_card(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    card = json.loads((folder / "labels.json").read_text("utf-8"))
    change(card)
    (folder / "labels.json").write_text(json.dumps(card), "utf-8")


def nearness(encoder: Encoder, one: str, other: str) -> float:
    a, b = encoder.embed([one, other])
    return float(a @ b)


def test_vectors_are_unit_length_float32_rows(encoder: Encoder) -> None:
    vectors = encoder.embed(LINES)
    assert vectors.shape == (len(LINES), encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    assert encoder.embed([]).shape == (0, encoder.dimension)


def test_a_text_has_the_same_vector_alone_in_company_and_again(encoder: Encoder) -> None:
    together = encoder.embed(LINES)
    alone = np.concatenate([encoder.embed([line]) for line in LINES])
    assert np.array_equal(together, alone)
    assert np.array_equal(encoder.embed(LINES[::-1]), together[::-1])


def test_threads_do_not_change_a_vector(encoder: Encoder) -> None:
    assert np.array_equal(load_encoder(threads=2).embed(LINES), encoder.embed(LINES))


@pytest.mark.parametrize(
    ("line", "paraphrase", "unrelated"),
    [
        (
            "I am nervous about my new job.",
            "Starting work on Monday scares me.",
            "The bus to town is number nine.",
        ),
        ("My mum is in hospital.", "They have taken my mother to the ward.", "We painted the shed green."),
        ("I can't fall asleep.", "I lie awake every night.", "He collects old stamps."),
    ],
)
def test_a_paraphrase_is_nearer_than_an_unrelated_line(
    encoder: Encoder, line: str, paraphrase: str, unrelated: str
) -> None:
    assert nearness(encoder, line, paraphrase) > nearness(encoder, line, unrelated) + 0.1


@pytest.mark.parametrize("text", AWKWARD, ids=lambda text: repr(text[:6]))
def test_awkward_text_is_read_all_the_same(encoder: Encoder, text: str) -> None:
    assert np.linalg.norm(encoder.embed([text])) == pytest.approx(1, abs=1e-5)
    assert len(encoder.read(text)["emotions"]) == 5


@pytest.mark.parametrize("text", ["", "  ", "😀😀", "\x00", "...", "123"])
def test_a_text_without_a_letter_is_never_sure(encoder: Encoder, text: str) -> None:
    assert encoder.read(text)["sure"] is False


def test_the_end_of_a_long_text_counts(encoder: Encoder) -> None:
    filler = "We went along the road and then along another road. " * 60
    assert not np.allclose(encoder.embed([filler + "Then my dog died."]), encoder.embed([filler]), atol=1e-3)


def test_a_reading_has_five_emotions_and_three_intents_likeliest_first(encoder: Encoder) -> None:
    heard = encoder.read(LINES[0])
    for scores, labels, count in (
        (heard["emotions"], encoder.head.emotions, 5),
        (heard["intents"], encoder.head.intents, 3),
    ):
        shares = [score["p"] for score in scores]
        assert len(scores) == count
        assert shares == sorted(shares, reverse=True)
        assert 0 <= shares[-1] <= sum(shares) <= 1.001
        assert {score["label"] for score in scores} <= set(labels)


def test_a_reading_is_plain_data_and_the_same_every_time(encoder: Encoder) -> None:
    heard = encoder.read(LINES[0])
    assert json.loads(json.dumps(heard)) == heard == encoder.read(LINES[0])


def test_labels_are_the_published_ones(encoder: Encoder) -> None:
    assert len(encoder.head.emotions) == 32
    assert list(encoder.head.emotions) == sorted(encoder.head.emotions)
    assert {"afraid", "lonely", "trusting"} <= set(encoder.head.emotions)
    assert len(encoder.head.intents) == 9
    assert {"consoling", "questioning", "neutral"} <= set(encoder.head.intents)


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("I feel so alone since I moved here.", {"lonely"}),
        ("I am so angry at my brother for lying to me again.", {"angry", "furious", "annoyed"}),
        ("I have a big interview tomorrow and I can't sleep.", {"anxious", "apprehensive", "afraid"}),
        ("I tripped in front of the whole class and everyone laughed.", {"embarrassed", "ashamed"}),
        ("My dad died last month and the house is so quiet.", {"sad", "lonely", "devastated"}),
        ("I snapped at my kids and I feel awful about it.", {"guilty", "ashamed"}),
        ("I am so proud of my daughter, she passed her exam.", {"proud"}),
        ("My friend got the job I wanted and I hate that I mind.", {"jealous"}),
    ],
)
def test_a_plainly_told_feeling_comes_first(encoder: Encoder, text: str, accepted: set[str]) -> None:
    assert encoder.read(text)["emotions"][0]["label"] in accepted


@pytest.mark.parametrize("text", ["I feel so alone since I moved here.", "I am so proud of my daughter."])
def test_a_plainly_told_feeling_is_sure(encoder: Encoder, text: str) -> None:
    assert encoder.read(text)["sure"] is True


@pytest.mark.parametrize("text", ["hello", "ok", "yes", "I don't know", "what time is it", "tell me a joke"])
def test_small_talk_is_not_sure_of_any_feeling(encoder: Encoder, text: str) -> None:
    assert encoder.read(text)["sure"] is False


def test_a_question_is_heard_as_one(encoder: Encoder) -> None:
    assert encoder.read("What did you do after that?")["intents"][0]["label"] == "questioning"


def test_loading_twice_gives_the_same_encoder(encoder: Encoder) -> None:
    assert load_encoder() is encoder


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "heads.npz", "labels.json"])
def test_a_missing_file_is_named_with_its_fix(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(EncoderError, match=rf"{name} is missing: reinstall hearken"):
        load_encoder(folder)


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "heads.npz"])
def test_a_truncated_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:-100])
    with pytest.raises(EncoderError, match=f"{name} is not the file"):
        load_encoder(folder)


def test_a_foreign_encoder_is_refused(folder: Path) -> None:
    edit_card(folder, lambda card: card["sha256"].update({"encoder.onnx": hashlib.sha256(b"").hexdigest()}))
    with pytest.raises(EncoderError, match=r"encoder\.onnx is not the file"):
        load_encoder(folder)


@pytest.mark.parametrize("raw", ["{", "[]", "\x00"])
def test_a_damaged_card_is_named(folder: Path, raw: str) -> None:
    (folder / "labels.json").write_text(raw, "utf-8")
    with pytest.raises(EncoderError, match=r"labels\.json is damaged"):
        load_encoder(folder)


@pytest.mark.parametrize("key", ["sha256", "emotions", "temperature", "threshold", "name", "dimension"])
def test_a_card_without_a_key_is_refused(folder: Path, key: str) -> None:
    edit_card(folder, lambda card: card.pop(key))
    with pytest.raises(EncoderError, match=r"labels\.json does not fit"):
        load_encoder(folder)


def test_a_card_that_vouches_for_no_encoder_is_refused(folder: Path) -> None:
    edit_card(folder, lambda card: card["sha256"].pop("encoder.onnx"))
    with pytest.raises(EncoderError, match=r"labels\.json does not fit"):
        load_encoder(folder)


def test_a_label_too_few_or_twice_is_refused(folder: Path) -> None:
    edit_card(folder, lambda card: card["intents"].pop())
    with pytest.raises(EncoderError, match="9 intents"):
        load_encoder(folder)


def test_heads_of_another_size_are_refused(folder: Path) -> None:
    np.savez(folder / "heads.npz", weights=np.zeros((384, 40)), bias=np.zeros(40))
    digest = hashlib.sha256((folder / "heads.npz").read_bytes()).hexdigest()
    edit_card(folder, lambda card: card["sha256"].update({"heads.npz": digest}))
    with pytest.raises(EncoderError, match=r"heads\.npz does not fit"):
        load_encoder(folder)


def test_the_shipped_files_carry_no_sentence_and_stay_small() -> None:
    assert (SHIPPED / "encoder.onnx").stat().st_size <= 25_000_000
    card = json.loads((SHIPPED / "labels.json").read_text("utf-8"))

    def strings(value: object) -> list[str]:
        if isinstance(value, dict):
            return [text for pair in value.items() for part in pair for text in strings(part)]
        if isinstance(value, list):
            return [text for part in value for text in strings(part)]
        return [value] if isinstance(value, str) else []

    assert max(text.count(" ") for text in strings(card)) <= 3


def test_the_model_card_tells_the_figures_of_labels_json() -> None:
    words = (SHIPPED / "MODEL_CARD.md").read_text("utf-8")
    card = json.loads((SHIPPED / "labels.json").read_text("utf-8"))
    for task, sources in card["report"].items():
        for source, figures in sources.items():
            assert f"{100 * figures['accuracy']:.1f} %" in words, (task, source)
    assert card["sha256"]["encoder.onnx"] in words
    assert str(card["threshold"]) in words


def test_importing_the_encoder_loads_no_runtime() -> None:
    code = (
        "import sys, agent.reading.encoder\n"
        "heavy = {'onnxruntime', 'tokenizers', 'torch', 'sklearn', 'onnx'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
