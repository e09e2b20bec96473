"""The table of attempts: what each loss wants, and that every attempt runs to its end on made-up data."""

import importlib
import json
import random
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("torch", reason="hearken[train] is not installed")

import functools
import operator

import torch
from safetensors.torch import save_file

from agent.train.labels import HEADS
from agent.train.model import Model
from tests.agent.train.public import public_data
from tests.agent.train.tiny import tiny_model


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
    return importlib.import_module("attempts")


def test_contrast_is_less_where_texts_of_a_label_stand_together(attempts: ModuleType) -> None:
    labels = torch.tensor([0, 0, 1, 1])
    together = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]])
    assert attempts.contrast(together, labels) < attempts.contrast(together[[0, 2, 1, 3]], labels)
    assert attempts.contrast(together, torch.arange(4)) == 0.0  # none has another of its own


def test_batches_hold_others_of_each_label(attempts: ModuleType) -> None:
    labels = [i % 3 for i in range(24)]
    batches = attempts.kinds(labels, [[101, 102]] * 24)
    assert sorted(functools.reduce(operator.iadd, batches, [])) == list(range(24))
    for batch in batches:
        assert all([labels[i] for i in batch].count(labels[one]) > 1 for one in batch)


def test_hidden_words_are_told_apart_from_marks(attempts: ModuleType) -> None:
    lines = [[101, *range(2000, 2100), 102], [101, 5000, 102]]
    shown, where, words = attempts.hide(lines, random.Random(0))  # noqa: S311 - not for secrets
    assert where.shape == (2, 102)
    assert int(where.sum()) == len(words)
    assert words.tolist() == [lines[row][at] for row, at in where.nonzero().tolist()]
    assert [line[0] for line in shown] == [101, 101]
    assert not where[:, 0].any()


def test_the_difference_to_plain_has_its_own_interval(attempts: ModuleType) -> None:
    truth = np.arange(200) % 4
    sure = np.eye(4)[truth]
    plain = sure.copy()
    plain[:50] = np.eye(4)[(truth[:50] + 1) % 4]
    row = attempts.figures({"plain": plain, "better": sure}, truth)["better"]
    assert row["accuracy"] == 1.0
    assert row["more"] == 0.25
    assert row["more_95"][0] < 0.25 < row["more_95"][1]
    assert "more" not in attempts.figures({"plain": plain}, truth)["plain"]


def test_every_attempt_runs_and_is_kept(
    attempts: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, source, out = public_data(tmp_path / "data"), tiny_model(tmp_path / "model"), tmp_path / "out"
    monkeypatch.setattr(attempts, "published", lambda: source)
    monkeypatch.setattr(attempts, "SPECIAL", 103)
    monkeypatch.setattr(attempts, "SITUATIONS", 40)
    monkeypatch.setattr(attempts, "KEPT", replace(attempts.KEPT, frozen=0))
    short = {name: replace(one, hidden=min(one.hidden, 300)) for name, one in attempts.ATTEMPTS.items()}
    monkeypatch.setattr(attempts, "ATTEMPTS", short)
    teacher = tmp_path / "teacher.safetensors"
    save_file(Model(source, sum(map(len, HEADS.values()))).state_dict(), teacher)
    arguments = ["attempts", "--data", str(data), "--out", str(out), "--teachers", str(teacher)]
    monkeypatch.setattr("sys.argv", arguments)
    attempts.main()
    first = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    rows = {*short, "teacher 1", "teachers together"}
    assert {path.removesuffix(".npy") for path in first} == rows
    told = capsys.readouterr().out
    assert set(json.loads(told[told.index("{") :])) == rows
    attempts.main()  # nothing is run again
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == first
