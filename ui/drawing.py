"""The graph of a turn as a picture in DOT, with the way that one turn took marked in it.

Marked by a thicker line, a bold name and the number of the step, never by colour alone. Knows the wiring from
the compiled graph itself, and nothing of what the steps do.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

__all__ = ["dot"]

START, END = "__start__", "__end__"


def dot(edges: Iterable[tuple[str, str]], path: Sequence[str], *, ink: str) -> str:
    """edges: the wiring; path: the steps taken, in order; ink: a colour that is readable on the page."""
    taken = set(pairwise([START, *path, END]))
    number = {step: place for place, step in enumerate(path, 1)}
    wired = sorted(set(edges))
    nodes = sorted({name for edge in wired for name in edge} - {START, END})
    lines = [
        "digraph {",
        f'rankdir=LR; bgcolor="transparent"; node [shape=box style=rounded color="{ink}" fontcolor="{ink}"'
        f' fontname="sans-serif" fontsize=13]; edge [color="{ink}"];',
        f'"{START}" [shape=point label=""]; "{END}" [shape=doublecircle label="" width=0.12];',
    ]
    for name in nodes:
        style = f"label=<<b>{number[name]} {name}</b>> penwidth=3" if name in number else f'label="{name}"'
        lines.append(f'"{name}" [{style}];')
    for one, other in wired:
        lines.append(f'"{one}" -> "{other}" [{"penwidth=3" if (one, other) in taken else "style=dotted"}];')
    return "\n".join([*lines, "}"])
