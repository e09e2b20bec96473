"""A made-up folder in the public formats: a few lines a set, label words in the text, nothing real."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from agent.train.labels import CSSRS, EMOTIONS, INTENTS, STRATEGIES, STRESS_CAUSES, WELLNESS


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """One CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def public_data(folder: Path, each: int = 2) -> Path:
    """Every file the default recipe reads, `each` lines a label and part."""
    for part in ("train", "valid"):
        write_csv(
            folder / f"empathetic_intents/{part}.csv",
            ("label", "text"),
            [(label, f"{part} thing {i} is {label}") for label in EMOTIONS + INTENTS for i in range(each)],
        )
        write_csv(
            folder / f"empathetic_dialogues/{part}.csv",
            ("conv_id", "utterance_idx", "context", "prompt", "role", "utterance", "auto_intent"),
            [
                (
                    f"{part}{label}{i}",
                    at,
                    label,
                    f"{part} thing {i} is {label}",
                    role,
                    f"{part} {i} {label} says {at}",
                    intent,
                )
                for label in EMOTIONS
                for i in range(each)
                for at, role, intent in (
                    (1, "speaker", label),
                    (2, "listener", "questioning"),
                    (3, "speaker", label),
                )
            ],
        )
        talk = [
            turn
            for strategy in STRATEGIES
            for turn in (
                {"speaker": "usr", "text": f"{part} before {strategy}"},
                {"speaker": "sys", "text": "well", "strategy": strategy},
            )
        ]
        (folder / "esconv").mkdir(exist_ok=True)
        (folder / f"esconv/{part}.jsonl").write_text(json.dumps({"dialog": talk}) + "\n", "utf-8")
    workers = ("Worker 1 answer", "Worker 2 answer", "Worker 3 answer")
    write_csv(
        folder / "edos/groundtruth.csv",
        ("Dialog", "Agreed emotion (2/3 vote)", *workers),
        [
            (f"before {label} {i}\nfilm {label} {i}", label, label, label, "Odd")
            for label in EMOTIONS + INTENTS
            for i in range(each)
        ],
    )
    post = "a long post number {} about {}"
    write_csv(
        folder / "human_labels/dreaddit.csv",
        ("text", "label"),
        [(post.format(i, "strain"), i % 2) for i in range(9 * each)],
    )
    risks = ("thwarted belongingness", "perceived burdensomeness")
    write_csv(
        folder / "human_labels/irf.csv",
        ("split", "risk", "post", "label", "human_evidence_span"),
        [
            (part, risk, f"{part} " + post.format(i, "others"), i % 2, "")
            for part in ("train", "val")
            for risk in risks
            for i in range(each)
        ],
    )
    write_csv(
        folder / "human_labels/multiwd.csv",
        ("split", "dimension", "post", "label"),
        [
            ("train", dimension, "train " + post.format(i, "others"), i % 2)
            for dimension in WELLNESS
            for i in range(3 * each)
        ],
    )
    write_csv(
        folder / "human_labels/cams_added.csv",
        ("selftext", "cause"),
        [(post.format(i, "cause"), i % 6) for i in range(6 * each)],
    )
    write_csv(
        folder / "human_labels/cams_sdcnl.csv",
        ("selftext", "ANNOTATIONS"),
        [(post.format(i, "why"), f"{i % 6}.0") for i in range(6)],
    )
    write_csv(
        folder / "human_labels/sad.csv",
        ("sentence", "original_label", *STRESS_CAUSES),
        [
            (f"{name} weighs {i}", name, *(int(name == other) * 3 for other in STRESS_CAUSES))
            for name in STRESS_CAUSES
            for i in range(each)
        ],
    )
    prompt = 'Consider this post: "{}" Question: {}'
    write_csv(
        folder / "imhi/SAD/val.csv",
        ("query", "gpt-3.5-turbo"),
        [(prompt.format("Work weighs 0", "Why?"), "Work.")],
    )
    for part in ("train", "val"):
        write_csv(
            folder / f"imhi/DR/{part}.csv",
            ("query", "gpt-3.5-turbo"),
            [
                (prompt.format(f"{part} {i} low", "?"), ("Yes, so." if i % 2 else "No, not."))
                for i in range(3 * each)
            ],
        )
    write_csv(
        folder / "risk/cssrs_posts.csv",
        ("sheet", "post", "label"),
        [(f"p{i}", f"{label} post {i}", label) for label in CSSRS for i in range(each)],
    )
    return folder
