"""Would answers be found better by their windows or sentences, or by vectors of another make?

`python benchmarks/finding.py --data COUNSELCHAT.csv --cache FILE [--json]`. The train part alone, in four
folds: the turn (`agent.train.retrieval`) and all shares are fitted on three and asked of the fourth; a
question's own vector is taken out, its answers stay. Windows and sentences are means of the token states of
the whole answer, so each has the rest in its context and none costs a further pass. agent/train/LOG.md has
what came of it. The vectors take some ten minutes on one core and are kept in --cache. Prints no text.
"""

import argparse
import json
import pickle
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agent.reading.forward_pass import INPUT, framed, load, windows
from agent.train.retrieval import fit
from knowledge.lexical import overlap, stems
from knowledge.ranking import ASKED, ENOUGH, WORDS

FOLDS, NEAREST, DRAWS, SEED = 4, 64, 2000, 7
SIZE = 100  # tokens of a window; the next begins at its middle
LEAST = 5  # tokens of a sentence
_SENTENCE = re.compile(r"[^.!?\n]*[.!?\n]*")
Vector = NDArray[np.float32]
Places = NDArray[np.float64]
Turn = Callable[[int, Vector], Vector]  # a question, vectors -> turned as was learned without its fold


@dataclass(frozen=True)
class Texts:
    """Questions and answers with their vectors. own: which answers a question got.

    titles: of the questions' rows. asked: of title and text. said: of each sentence of a question.
    whole: of the answers; windows, sentences: of their parts.
    """

    questions: list[str]
    answers: list[str]
    own: list[list[int]]
    titles: Vector
    asked: Vector
    said: list[Vector]
    whole: Vector
    windows: list[Vector]
    sentences: list[Vector]


def unit(vectors: Any) -> Vector:
    """Rows of length one."""
    found = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return np.asarray(found, dtype=np.float32)


def parts_of(text: str, states: Vector, spans: Sequence[tuple[int, int]]) -> tuple[Vector, Vector]:
    """Windows and sentences of an answer from the states of its tokens, which stand at `spans` of it."""
    last = max(1, len(states) - SIZE // 2)
    cut = [states[start : start + SIZE].mean(axis=0) for start in range(0, last, SIZE // 2)]
    ends = [match.end() for match in _SENTENCE.finditer(text) if match.group().strip()]
    number = np.searchsorted(ends, [start for start, _ in spans], side="right")
    told = [states[number == one].mean(axis=0) for one in np.unique(number) if (number == one).sum() >= LEAST]
    return unit(np.stack(cut)), unit(np.stack(told or [states.mean(axis=0)]))


def sentences(text: str) -> list[str]:
    """Its sentences of four words and more; the whole text where there is none."""
    return [part for one in _SENTENCE.findall(text) if len((part := one.strip()).split()) > 3] or [text]


def nearest_part(asked: Vector, parts: Sequence[Vector]) -> Vector:
    """(questions, answers): how near the nearest part of each answer is."""
    starts = np.cumsum([0, *map(len, parts)])[:-1]
    found: Vector = np.maximum.reduceat(asked @ np.concatenate(parts).T, starts, axis=1)
    return found


class Trial:
    """The protocol: turned questions, candidates and their order."""

    def __init__(self, texts: Texts) -> None:
        count = len(texts.questions)
        self.texts = texts
        self.owner = np.zeros(len(texts.answers), dtype=int)
        for question, mine in enumerate(texts.own):
            self.owner[mine] = question
        self.fold = np.random.default_rng(SEED).integers(FOLDS, size=count)
        self.gain = [WORDS * min(1.0, len(stems(text)) / ENOUGH) for text in texts.questions]
        self._words: dict[tuple[int, bytes], Vector] = {}

    def turned(self, asked: Vector, answers: Vector) -> Turn:
        """The turns learned in folds."""
        learned = []
        for number in range(FOLDS):
            mine = np.flatnonzero(self.fold != number)
            kept = [answer for question in mine for answer in self.texts.own[question]]
            at = {answer: place for place, answer in enumerate(kept)}
            own = [[at[answer] for answer in self.texts.own[question]] for question in mine]
            learned.append(fit(asked[mine], answers[kept], own))

        def turn(question: int, vectors: Vector) -> Vector:
            left, right = learned[self.fold[question]]
            return unit(vectors + vectors @ left @ right)

        return turn

    def rows(self, asked: Vector, titles: Vector) -> Vector:
        """(questions, answers): how near the row of each answer's question is; its own is not there."""
        near = asked @ titles.T
        np.fill_diagonal(near, -9.0)
        found: Vector = near[:, self.owner]
        return found

    def nearest(self, near: Vector, rows: Vector) -> NDArray[np.int64]:
        """(questions, NEAREST): the answers whose own row or question's is nearest."""
        return np.argpartition(-np.maximum(near, rows), NEAREST, axis=1)[:, :NEAREST]

    def words(self, question: int, among: NDArray[np.int64]) -> Vector:
        """What each of the candidates gains by the question's words."""
        key = (question, np.sort(among).tobytes())
        if key not in self._words:
            ordered = np.sort(among)
            said = overlap(self.texts.questions[question], [self.texts.answers[at] for at in ordered])
            self._words[key] = np.asarray(self.gain[question] * said, dtype=np.float32)
        return self._words[key][np.argsort(np.argsort(among))]

    def place(self, question: int, among: NDArray[np.int64], scores: Vector) -> float:
        """How many other questions have a better answer than the best own one."""
        best = np.full(len(self.texts.questions), -1e9)
        np.maximum.at(best, self.owner[among], scores)
        return float((best > best[question]).sum()) if best[question] > -1e9 else float("inf")

    def order(self, near: Vector, rows: Vector) -> Places:
        """The places as `knowledge.ranking` would have them."""
        found = []
        for question, among in enumerate(self.nearest(near, rows)):
            score = np.maximum(near[question, among], rows[question, among] - ASKED)
            found.append(self.place(question, among, score + self.words(question, among)))
        return np.array(found)

    def learned(self, features: Vector, among: NDArray[np.int64]) -> Places:
        """The places by shares of the features (questions, NEAREST, k), fitted without each fold."""
        x = torch.from_numpy((features - features.mean((0, 1))) / np.maximum(features.std((0, 1)), 1e-9))
        own = torch.from_numpy(self.owner[among] == np.arange(len(among))[:, None])
        scores = np.zeros(among.shape, dtype=np.float32)
        for number in range(FOLDS):
            mine = torch.from_numpy(self.fold != number) & own.any(dim=1)
            shares = _shares(x[mine], own[mine])
            scores[self.fold == number] = (x[torch.from_numpy(self.fold == number)] @ shares).numpy()
        return np.array([self.place(q, row, scores[q]) for q, row in enumerate(among)])


def _shares(x: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    """The shares that make an own answer likeliest among the candidates."""
    shares = torch.zeros(x.shape[2], requires_grad=True)
    solver = torch.optim.LBFGS([shares], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        score = x @ shares
        told = score.masked_fill(~own, -1e9).logsumexp(1) - score.logsumexp(1)
        value = 1e-3 * shares.square().sum() - told.mean()
        value.backward()
        return value

    solver.step(loss)
    return shares.detach()


Row = tuple[str, Places]


def tried(texts: Texts) -> Iterator[Row]:
    """Name and places of every row of the table, what is shipped first."""
    trial = Trial(texts)
    count = range(len(texts.questions))
    turn = trial.turned(texts.asked, texts.whole)
    asked = np.stack([turn(q, texts.asked[q]) for q in count])
    rows, whole = trial.rows(asked, texts.titles), asked @ texts.whole.T
    yield "as shipped", trial.order(whole, rows)
    window, sentence = nearest_part(asked, texts.windows), nearest_part(asked, texts.sentences)
    said = [turn(q, texts.said[q]) for q in count]
    late = np.stack([nearest_part(one, texts.sentences).mean(axis=0) for one in said])
    mean, best = (np.stack([pick(one @ texts.whole.T, axis=0) for one in said]) for pick in (np.mean, np.max))
    for name, near in (
        ("best of whole and windows", np.maximum(whole, window)),
        ("windows only", window),
        ("half whole, half best window", (whole + window) / 2),
        ("half whole, half best sentence", (whole + sentence) / 2),
        (".4 whole, .3 best window, .3 best sentence", 0.4 * whole + 0.3 * window + 0.3 * sentence),
        ("three quarters whole, the rest the mean of its sentences", 0.75 * whole + 0.25 * mean),
        ("three quarters whole, the rest the best of its sentences", 0.75 * whole + 0.25 * best),
        ("three quarters whole, the rest MaxSim", 0.75 * whole + 0.25 * late),
        ("half whole, half MaxSim", (whole + late) / 2),
    ):
        yield name, trial.order(near, rows)
    yield from _other_vectors(trial, turn)
    yield from _learned(trial, rows, whole, [late, window, sentence])


def _other_vectors(trial: Trial, turn: Turn) -> Iterator[Row]:
    """The question with more of its title; vectors without what all have in common."""
    texts = trial.texts
    count = range(len(texts.questions))
    for share in (0.5, 1.0):
        heavy = unit(texts.asked + share * texts.titles)
        heavy = np.stack([turn(q, heavy[q]) for q in count])
        rows = trial.rows(heavy, texts.titles)
        yield f"question and {share} of its title", trial.order(heavy @ texts.whole.T, rows)
    for first in (0, 1, 4):
        answers, titles, asked = less(texts, first)
        centred = trial.turned(asked, answers)
        asked = np.stack([centred(q, asked[q]) for q in count])
        rows = trial.rows(asked, titles)
        yield f"less the mean and {first} directions", trial.order(asked @ answers.T, rows)


def _learned(trial: Trial, rows: Vector, whole: Vector, parts: Sequence[Vector]) -> Iterator[Row]:
    """Shares of several nearnesses, of words and of length."""
    texts = trial.texts
    among = trial.nearest(whole, rows)
    pick = np.arange(len(among))[:, None], among
    both = np.maximum(whole, rows - ASKED)[pick]
    words = np.stack([trial.words(q, row) for q, row in enumerate(among)])
    long = np.log1p([len(stems(text)) for text in texts.answers])[among]
    plain = [both, whole[pick], (texts.asked @ texts.whole.T)[pick], words, long]
    for name, more in (("", 0), (", MaxSim", 1), (", MaxSim, windows, sentences", 3)):
        features = np.stack([*plain, *(part[pick] for part in parts[:more])], axis=2)
        found = trial.learned(features.astype(np.float32), among)
        yield f"learned shares of whole, raw, words, length{name}", found


def less(texts: Texts, first: int) -> tuple[Vector, Vector, Vector]:
    """Answers, titles and questions without their mean and `first` directions (Mu and Viswanath, 2018)."""
    every = np.concatenate([texts.whole, texts.titles])
    mean = every.mean(axis=0)
    ways = np.linalg.svd(every - mean, full_matrices=False)[2][:first]
    answers, titles, asked = (
        unit(x - mean - (x - mean) @ ways.T @ ways) for x in (texts.whole, texts.titles, texts.asked)
    )
    return answers, titles, asked


def figures(places: Places, base: Places) -> dict[str, Any]:
    """MRR@10, hit@5, and both less the base line's over the same drawings of questions."""
    draws = np.random.default_rng(0).integers(len(places), size=(DRAWS, len(places)))
    row: dict[str, Any] = {"n": len(places)}
    for name, gain in (
        ("mrr10", lambda at: np.where(at < 10, 1 / (at + 1), 0.0)),
        ("hit5", lambda at: at < 5),
    ):
        each, before = gain(places).astype(float), gain(base).astype(float)
        row[name], row[f"{name}_more"] = round(each.mean(), 4), round((each - before).mean(), 4)
        ends = np.percentile((each - before)[draws].mean(axis=1), [2.5, 97.5])
        row[f"{name}_more_95"] = [round(float(end), 4) for end in ends]
    return row


def embedded(data: Path) -> Texts:
    """The train part and its vectors by the shipped encoder."""
    import csv

    reader = _reader()
    asked: dict[str, tuple[str, str]] = {}
    given: dict[str, list[int]] = {}
    answers: list[str] = []
    with data.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"].strip() == "train" and (answer := row["answerText"].strip()):
                asked.setdefault(
                    row["questionID"], (row["questionTitle"].strip(), row["questionText"].strip())
                )
                given.setdefault(row["questionID"], []).append(len(answers))
                answers.append(answer)
    questions = [f"{title}\n{text}".strip() for title, text in asked.values()]
    read = [reader(text) for text in answers]
    cut = [parts_of(text, states, spans) for text, (_, states, spans) in zip(answers, read, strict=True)]
    return Texts(
        questions,
        answers,
        list(given.values()),
        np.stack([reader(title)[0] for title, _ in asked.values()]),
        np.stack([reader(text)[0] for text in questions]),
        [np.stack([reader(part)[0] for part in sentences(text)]) for text in questions],
        np.stack([vector for vector, _, _ in read]),
        [one for one, _ in cut],
        [one for _, one in cut],
    )


def _reader() -> Callable[[str], tuple[Vector, Vector, list[tuple[int, int]]]]:
    """text -> its vector, the states of its tokens, and where they stand in it."""
    import onnx
    import onnxruntime
    from tokenizers import Tokenizer

    folder = Path(__file__).parents[1] / "agent/reading/model"
    model, words = onnx.load(folder / "encoder.onnx"), load((folder / "words.npz").read_bytes())
    # the states of the tokens, before they are pooled
    states_of = next(node.input[0] for node in model.graph.node if node.op_type == "ReduceMean")
    model.graph.output.append(onnx.helper.make_tensor_value_info(states_of, onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True

    def read(text: str) -> tuple[Vector, Vector, list[tuple[int, int]]]:
        found = tokenizer.encode(text, add_special_tokens=False)
        vectors, states, spans = [], [], []
        for start, end in windows(len(found.ids), 256, 4):
            embedded = words(framed(found.ids[start:end]))
            vector, tokens = session.run(["sentence", states_of], {INPUT: embedded})
            vectors.append(vector)
            states.append(tokens[1:-1])
            spans += found.offsets[start:end]
        return unit(np.mean(vectors, axis=0)), np.concatenate(states), spans

    return read


def main() -> None:
    """Embed what is not kept, try, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="where vectors are kept; made if missing")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if not chosen.cache.exists():
        chosen.cache.write_bytes(pickle.dumps(vars(embedded(chosen.data))))
    texts = Texts(**pickle.loads(chosen.cache.read_bytes()))  # noqa: S301 - this script's own file
    base = None
    for name, places in tried(texts):
        base = places if base is None else base
        row = figures(places, base)
        print(json.dumps({name: row}) if chosen.json else f"{name}: {row}", flush=True)


if __name__ == "__main__":
    main()
