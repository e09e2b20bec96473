"""What guarding a language model's reply costs: `python benchmarks/guarded.py [--json] [--replies N]`.

Prints milliseconds that the guard takes for a sentence, p50 and p95, by the clock and of processor time
(each is held against 100 earlier sentences; the first of a reply reads those), and how much later the first
guarded sentence of a whole turn comes than the model itself has finished it, for a stand-in model that writes
so many tokens a second. Retrieval is off, and the turn reads feelings and danger as always. Exit status 1
where a sentence takes more than 5 ms of processor time at the 95th percentile (by the clock it also counts
whoever else is at work), or the first one more than 1.2 times the model's time. Not a test.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

REPLIES = [
    "It sounds lonely in the middle of all of them. How long has it been like this?",
    "Staying until nine every night leaves little of the day for you, and that can wear somebody out. "
    "What would you do with one free evening?",
    "The house may feel very quiet since the funeral, and it makes sense that the evenings weigh most. "
    "You do not have to fill that silence at once. What do you miss most about her?",
    "You keep going over what you said to her, again and again, even at night. It may help to write it down "
    "once and put the paper away until morning. Would you want to try that?",
]
SAID = [
    "I feel alone even when people are around me",
    "My manager keeps changing the plan and I stay until nine every night",
    "I miss my grandmother, the house is so quiet since the funeral",
    "I could not sleep again, my head will not stop going over what I said to her",
]
MOST_MS, MOST_TIMES = 5.0, 1.2


def main() -> None:
    """Measure both and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--replies", type=int, default=40)
    parser.add_argument("--speeds", type=float, nargs="+", default=[5, 20, 60], help="tokens a second")
    options = parser.parse_args()
    figures: dict[str, Any] = {"guard_ms": guard_cost(options.replies)}
    figures["first_sentence"] = {f"{speed:g} tok/s": first_sentence(speed) for speed in options.speeds}
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:<16} {value}")
    slow = max(row["times"] for row in figures["first_sentence"].values())
    if figures["guard_ms"]["cpu_p95"] > MOST_MS or slow > MOST_TIMES:
        raise SystemExit(1)


def guard_cost(replies: int) -> dict[str, float]:
    """Milliseconds for a sentence, in a conversation that has gone on for a while."""
    from agent.guard import Bounds, sift, split

    earlier = tuple(f"This is what was said as number {n}, and nothing like it returns." for n in range(100))
    times: list[float] = []
    worked: list[float] = []
    for number in range(replies):
        bounds = Bounds(said=earlier, heard=SAID[number % len(SAID)], words=130)
        kept: list[str] = []
        sentences = sift(split(REPLIES[number % len(REPLIES)]), bounds, kept, [])
        while True:
            work, begun = time.thread_time(), time.perf_counter()
            if next(sentences, None) is None:
                break
            times.append((time.perf_counter() - begun) * 1000)
            worked.append((time.thread_time() - work) * 1000)
    del times[:4], worked[:4]  # the rules are read with the first
    return {
        "p50": round(statistics.median(times), 2),
        "p95": round(statistics.quantiles(times, n=20)[-1], 2),
        "cpu_p50": round(statistics.median(worked), 2),
        "cpu_p95": round(statistics.quantiles(worked, n=20)[-1], 2),
        "sentences": len(times),
    }


def first_sentence(speed: float) -> dict[str, float]:
    """Seconds a model takes for its first sentence, from message to showing it, the one by the other."""
    from agent.llm.chat import Chat
    from agent.settings import load_settings
    from graph import Said, Session
    from graph.services import from_settings

    started: list[float] = []
    ended: list[float] = []

    def stream(messages: Any, **options: Any) -> Iterator[str]:
        del messages, options
        started[:], ended[:] = [time.perf_counter()], []
        for word in REPLIES[asked % len(REPLIES)].split(" "):
            time.sleep(1.3 / speed)  # a word is about 1.3 tokens
            if word.endswith((".", "?")) and not ended:
                ended.append(time.perf_counter())
            yield f"{word} "

    chat = Chat(stream)
    services = replace(
        from_settings(load_settings()), respond=chat.respond, again=chat.again, search=lambda _text, _k: []
    )
    services.read("hello")
    own, shown = [], []
    for asked, text in enumerate([*SAID, *SAID]):
        session = Session.open(country="GB", services=services)
        begun = time.perf_counter()
        first = 0.0
        for event in session.stream(text):
            if isinstance(event, Said) and not first:
                first = time.perf_counter()
        if asked and ended:
            own.append(ended[0] - started[0])
            shown.append(first - begun)
    ratio = statistics.median(s / o for s, o in zip(shown, own, strict=True))
    return {
        "model_s": round(statistics.median(own), 3),
        "shown_s": round(statistics.median(shown), 3),
        "times": round(ratio, 3),
    }


if __name__ == "__main__":
    main()
