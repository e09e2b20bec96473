"""Heads fitted anew: the likeliest linear layer, on made-up vectors."""

import pytest

pytest.importorskip("torch", reason="hearken[train] is not installed")

import torch

from agent.train.refit import solve


def clouds(n: int = 60) -> tuple["torch.Tensor", "torch.Tensor"]:
    torch.manual_seed(0)
    labels = torch.arange(n) % 3
    return torch.nn.functional.one_hot(labels, 3).float() * 2 + 0.3 * torch.randn(n, 3), labels


def test_it_tells_clouds_apart() -> None:
    vectors, labels = clouds()
    weight, bias = solve(vectors, torch.nn.functional.one_hot(labels, 3).float(), 1e-3)
    assert ((vectors @ weight.T + bias).argmax(1) == labels).float().mean() > 0.95


def test_a_stronger_pull_gives_smaller_weights() -> None:
    vectors, labels = clouds()
    target = torch.nn.functional.one_hot(labels, 3).float()
    loose, tight = (solve(vectors, target, strength)[0].norm() for strength in (1e-3, 1e-1))
    assert tight < loose


def test_shares_are_met_where_vectors_say_nothing() -> None:
    vectors, target = torch.zeros(10, 3), torch.tensor([[0.2, 0.8]] * 10)
    weight, bias = solve(vectors, target, 1e-2)
    assert torch.softmax(vectors @ weight.T + bias, 1)[0].tolist() == pytest.approx([0.2, 0.8], abs=1e-3)
