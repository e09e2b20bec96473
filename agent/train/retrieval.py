"""Trains the turn that retrieval gives a question's vector, on counselchat's train part.

The encoder stays frozen: what is learned is a low-rank change to the vector of a question alone, so that it
comes nearer to the answers it was given than to all other answers (softmax over every answer of the part,
pulled towards no change). It knows nothing of the library; the file it writes is read by `knowledge.asking`.
"""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from agent.errors import DataError

__all__ = ["fit", "pairs", "run"]

# Chosen by four-fold cross-validation on the train part; LOG.md has what else was tried.
RANK, PASSES, BATCH, RATE, PULL, SHARPNESS, LEFT_OUT = 64, 15, 256, 2e-3, 0.1, 20.0, 0.1

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]


def run(data: Path, out: Path, embed: Embed, encoder: str) -> dict[str, int]:
    """Train on a counselchat file and write the .npz; counts of questions, answers and bytes."""
    questions, answers, own = pairs(data)
    left, right = fit(embed(questions), embed(answers), own)
    np.savez(out, encoder=np.array(encoder), left=left.astype(np.float16), right=right.astype(np.float16))
    return {"questions": len(questions), "answers": len(answers), "bytes": out.stat().st_size}


def pairs(data: Path) -> tuple[list[str], list[str], list[list[int]]]:
    """Questions, answers, and which answers each question got; of the train part alone.

    Raises DataError when the file is not counselchat's or has no train part.
    """
    try:
        with data.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["split"].strip() == "train"]
            asked: dict[str, str] = {}
            given: dict[str, list[int]] = {}
            answers: list[str] = []
            for row in rows:
                if answer := row["answerText"].strip():
                    asked[row["questionID"]] = (
                        f"{row['questionTitle'].strip()}\n{row['questionText'].strip()}"
                    )
                    given.setdefault(row["questionID"], []).append(len(answers))
                    answers.append(answer)
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{data} is no counselchat file with its column `split`; give one that is."
        ) from error
    if not answers:
        raise DataError(f"{data} has no row of the part train; give a file that has.")
    return [text.strip() for text in asked.values()], answers, [given[id_] for id_ in asked]


def fit(
    questions: Vectors,
    answers: Vectors,
    own: Sequence[Sequence[int]],
    *,
    rank: int = RANK,
    passes: int = PASSES,
) -> tuple[Vectors, Vectors]:
    """(d, rank) and (rank, d): the vector v of a question becomes v + v·left·right, unit again."""
    torch.manual_seed(0)
    wide = questions.shape[1]
    asked, told = torch.from_numpy(questions), torch.from_numpy(answers)
    share = torch.zeros(len(asked), len(told))
    for row, mine in enumerate(own):
        share[row, list(mine)] = 1 / len(mine)
    left = torch.nn.Parameter(torch.randn(wide, rank) * 0.02)
    right = torch.nn.Parameter(torch.zeros(rank, wide))
    sharpness = torch.nn.Parameter(torch.tensor(float(np.log(SHARPNESS))))
    steps = torch.optim.Adam([left, right, sharpness], lr=RATE)
    for _ in range(passes):
        for batch in torch.randperm(len(asked)).split(BATCH):
            seen = functional.dropout(asked[batch], LEFT_OUT)
            turned = functional.normalize(seen + seen @ left @ right, dim=1)
            likely = (turned @ told.T * sharpness.exp()).log_softmax(dim=1)
            loss = -(likely * share[batch]).sum(dim=1).mean() + PULL * (left @ right).square().sum()
            steps.zero_grad()
            loss.backward()
            steps.step()
    return left.detach().numpy(), right.detach().numpy()
