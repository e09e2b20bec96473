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
from agent.train.card import render
from agent.train.labels import EMOTIONS, HEADS, INTENTS

SHIPPED = Path(module.__file__).parent / "model"
FILES = (
    *("encoder.onnx", "reading.onnx", "danger.onnx"),
    *("words.npz", "ngrams.npz", "probe.npz", "tokenizer.json"),
)
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
    for name in (*FILES, "labels.json"):
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
        (heard["emotions"], EMOTIONS, 5),
        (heard["intents"], INTENTS, 3),
    ):
        shares = [score["p"] for score in scores]
        assert len(scores) == count
        assert shares == sorted(shares, reverse=True)
        assert 0 <= shares[-1] <= sum(shares) <= 1.001
        assert {score["label"] for score in scores} <= set(labels)


def test_a_reading_is_plain_data_and_the_same_every_time(encoder: Encoder) -> None:
    heard = encoder.read(LINES[0])
    assert json.loads(json.dumps(heard)) == heard == encoder.read(LINES[0])


def test_many_texts_are_read_as_each_alone(encoder: Encoder) -> None:
    texts = [*LINES, *AWKWARD, LINES[0]]
    assert encoder.read_all(texts) == [encoder.read(text) for text in texts]
    assert encoder.read_all([]) == []


def test_labels_are_the_published_ones(encoder: Encoder) -> None:
    assert {name: head.labels for name, head in encoder.heads.named.items()} == dict(HEADS)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("hello there, first time using this", "greeting"),
        ("what exactly is a panic attack and how long does one last", "information"),
        ("how do I stop overthinking everything before bed, any ideas?", "advice"),
        ("you keep repeating the same useless line to me", "complaint"),
        ("are you a real person or a program", "identity"),
        ("can you solve 3x + 4 = 19 for me", "off_topic"),
        ("right, I'm off to bed, good night", "goodbye"),
    ],
)
def test_what_a_person_wants_comes_first(encoder: Encoder, text: str, want: str) -> None:
    assert encoder.read(text)["heads"]["want"][0]["label"] == want


@pytest.mark.parametrize(
    "text",
    [
        "I wrote letters to all of them. Tonight, once the house is asleep, I will be gone.",
        "I have the pills lined up on the table and I have already said goodbye to my cat.",
    ],
)
def test_plain_danger_is_held_to_be_high(encoder: Encoder, text: str) -> None:
    assert encoder.read(text)["danger"] in {"high", "imminent"}


@pytest.mark.parametrize(
    "text", ["This homework is killing me, I'm dead tired.", "My cat ran off on Sunday.", "ok", "", "12"]
)
def test_no_danger_is_held_where_none_is_told(encoder: Encoder, text: str) -> None:
    assert encoder.read(text)["danger"] == "none"


def test_the_evidence_lies_in_the_message_and_carries_the_feeling(encoder: Encoder) -> None:
    text = "We had pasta for dinner, and I am so angry at my brother for lying to me."
    pieces = encoder.read(text)["evidence"]
    assert "angry" in text[pieces[0]["start"] : pieces[0]["end"]]
    assert sum(piece["weight"] for piece in pieces) <= 1.001


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


@pytest.mark.parametrize(
    "text", ["I feel so alone since I moved here.", "I am so happy and proud that my daughter graduated."]
)
def test_a_plainly_told_feeling_is_sure(encoder: Encoder, text: str) -> None:
    assert encoder.read(text)["sure"] is True


@pytest.mark.parametrize("text", ["hello", "ok", "yes", "I don't know", "what time is it", "tell me a joke"])
def test_small_talk_is_not_sure_of_any_feeling(encoder: Encoder, text: str) -> None:
    assert encoder.read(text)["sure"] is False


def test_a_question_is_heard_as_one(encoder: Encoder) -> None:
    assert encoder.read("What did you do after that?")["intents"][0]["label"] == "questioning"


def test_loading_twice_gives_the_same_encoder(encoder: Encoder) -> None:
    assert load_encoder() is encoder


@pytest.mark.parametrize("name", [*FILES, "labels.json"])
def test_a_missing_file_is_named_with_its_fix(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(EncoderError, match=rf"{name} is missing: reinstall hearken"):
        load_encoder(folder)


@pytest.mark.parametrize("name", FILES)
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


@pytest.mark.parametrize("key", ["sha256", "emotions", "heads", "sure", "name", "dimension"])
def test_a_card_without_a_key_is_refused(folder: Path, key: str) -> None:
    edit_card(folder, lambda card: card.pop(key))
    with pytest.raises(EncoderError, match=r"labels\.json does not fit"):
        load_encoder(folder)


def test_a_card_that_vouches_for_no_encoder_is_refused(folder: Path) -> None:
    edit_card(folder, lambda card: card["sha256"].pop("encoder.onnx"))
    with pytest.raises(EncoderError, match=r"labels\.json does not fit"):
        load_encoder(folder)


def test_a_label_twice_is_refused(folder: Path) -> None:
    edit_card(folder, lambda card: card["heads"]["want"]["labels"].__setitem__(0, "advice"))
    with pytest.raises(EncoderError, match=r"labels\.json does not fit"):
        load_encoder(folder)


def test_a_label_too_few_is_refused(folder: Path) -> None:
    edit_card(folder, lambda card: card["heads"]["want"]["labels"].pop())
    with pytest.raises(EncoderError, match=r"other labels than reading\.onnx"):
        load_encoder(folder)


def test_the_shipped_files_carry_no_sentence_and_stay_small() -> None:
    card = json.loads((SHIPPED / "labels.json").read_text("utf-8"))

    def strings(value: object) -> list[str]:
        if isinstance(value, dict):
            return [text for pair in value.items() for part in pair for text in strings(part)]
        if isinstance(value, list):
            return [text for part in value for text in strings(part)]
        return [value] if isinstance(value, str) else []

    assert max(text.count(" ") for text in strings(card)) <= 4
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 50_000_000


def test_the_model_card_tells_the_figures_of_labels_json() -> None:
    card = json.loads((SHIPPED / "labels.json").read_text("utf-8"))
    assert (SHIPPED / "MODEL_CARD.md").read_text("utf-8") == render(card)


def test_importing_the_encoder_loads_no_runtime() -> None:
    code = (
        "import sys, agent.reading.encoder\n"
        "heavy = {'onnxruntime', 'tokenizers', 'torch', 'sklearn', 'onnx'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_word_vectors_that_do_not_fit_are_refused(folder: Path) -> None:
    (folder / "words.npz").write_bytes(b"PK")
    digest = hashlib.sha256(b"PK").hexdigest()
    edit_card(folder, lambda card: card["sha256"].update({"words.npz": digest}))
    with pytest.raises(EncoderError, match=r"labels\.json does not fit"):
        load_encoder(folder)


def test_the_second_encoder_has_its_part_in_its_own_heads_and_in_nothing_else(folder: Path) -> None:
    edit_card(folder, lambda card: card["sha256"].pop("danger.onnx"))
    alone, both = load_encoder(folder), load_encoder()
    text = "I have the tablets lined up on the desk. I am tired of all of it."
    one, two = alone.marks(text).logits, both.marks(text).logits
    for name, head in both.heads.named.items():
        same = np.array_equal(one[head.place], two[head.place])
        assert same == (name not in {"danger", "danger_kind", "danger_subject", "cssrs", "telling"})


def test_a_share_of_a_head_that_is_not_there_is_refused(folder: Path) -> None:
    edit_card(folder, lambda card: card["second"].update(mood=[0.5]))
    with pytest.raises(EncoderError, match=r"labels\.json does not fit"):
        load_encoder(folder)
