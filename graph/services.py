"""What a node may call: functions, each replaceable by any other with the same signature.

`Services()` answers offline with what ships in the package. `from_settings` is the one place where
settings become functions. Knows nothing of the order in which nodes call them.

    from graph import Services, Session
    Session.open(services=Services(respond=lambda brief: ["I hear you."]))
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

from agent.backends import Backend
from agent.brief import Brief, Passage, Reading, Respond, unread
from agent.errors import EncoderError, SupporterError, WordsError
from agent.reading import rules_spanish, tongues
from agent.reading.embedder import Embedder, load_embedder
from agent.reading.encoder import Encoder, load_encoder
from agent.reading.heads import Heard
from agent.reading.ladder import Answer, Cue, Level
from agent.reading.language import detect
from agent.reading.reranker import load_reranker
from agent.reading.rules import Rules, load_rules, minimal_rules
from agent.responders import guided
from agent.responders.replies import bank, placed
from agent.responders.static import static_reply
from agent.settings import Settings
from agent.suits import Suit, load_suits
from agent.supporter import Chances, Fit, Foresee, Moment, Supporter, load_supporter
from graph.audit import Trail
from graph.backends import at_once, chosen, worded
from graph.chain import Record, load_key
from graph.desk import Desk, Escalation
from graph.reopening import Find, reopened
from knowledge.byword import LANGUAGES, search_starter
from knowledge.errors import KnowledgeError
from knowledge.helplines import HelplineError, Helplines, contact_tokens, load_helplines
from knowledge.library import FLOOR, Library

__all__ = [
    "FindContacts",
    "Services",
    "embedder",
    "encoder",
    "from_settings",
    "ingest",
    "library",
    "reworded",
    "warm",
]

log = logging.getLogger("hearken")


class FindContacts(Protocol):
    """Looks helplines up by country and kind; the signature of Helplines.contacts."""

    def __call__(
        self,
        country: str | None,
        kinds: Sequence[str],
        *,
        level: str,
        young: bool = False,
        cannot_speak: bool = False,
    ) -> Sequence[dict[str, str]]:
        """At most three contacts, the first to be offered first."""


@cache
def _rules() -> Rules:
    try:
        return load_rules()
    except WordsError as error:
        log.error("risk rules unusable, the minimal lexicon answers: %s", error)
        return minimal_rules()


def _registry() -> Helplines | None:
    """The helplines, or None when their file cannot be used and the few baked in must do."""
    try:
        return load_helplines()
    except HelplineError as error:
        log.error("helplines unusable, the baked ones are shown: %s", error)
        return None


@cache
def _encoder(folder: Path | None, threads: int) -> Encoder:
    return load_encoder(folder, threads=threads)


@cache
def _embedder(model: str) -> Embedder:
    return load_embedder(model)


def embedder(settings: Settings) -> Encoder | Embedder:
    """What the library compares by: the encoder, or the model that the settings put in its place."""
    return _embedder(settings.embedder) if settings.embedder else encoder(settings)


@cache
def _library(
    place: Path | str, encoder_folder: Path | None, threads: int, model: str | None, reranker: str | None
) -> Library:
    vectors = _embedder(model) if model else _encoder(encoder_folder, threads)
    rerank = load_reranker(reranker) if reranker else None
    return Library.open(place, vectors.embed, vectors.name, rerank)


@cache
def _supporter(folder: Path | None, threads: int) -> Supporter:
    vectors = _encoder(folder, threads)
    return load_supporter(vectors.vector, bank(), encoder=vectors.name)


@cache
def _suits(folder: Path | None, threads: int) -> Suit:
    vectors = _encoder(folder, threads)
    return load_suits(vectors.vector, placed(), encoder=vectors.name, called=guided.called)


def encoder(settings: Settings) -> Encoder:
    """The reading model of these settings, loaded once a process. Raises EncoderError."""
    return _encoder(settings.encoder_dir, settings.threads)


# `cache` lets two threads load the same thing at once; the index must be opened by one.
_opening = threading.Lock()


def library(settings: Settings) -> Library:
    """The library of these settings, opened once a process (the first time ever it is also filled)."""
    with _opening:
        return _library(settings.library_place, *_compared(settings))


def _compared(settings: Settings) -> tuple[Path | None, int, str | None, str | None]:
    """What the library compares and orders by."""
    return settings.encoder_dir, settings.threads, settings.embedder, settings.reranker


def _find(settings: Settings) -> Find:
    """The search of these settings' library; one on a server is opened anew when it failed."""
    if settings.library_url:
        return reopened(lambda: _library.__wrapped__(settings.library_place, *_compared(settings)))
    return lambda text, k, floor: library(settings).search(text, k, floor)


def _scan(text: str) -> list[Cue]:
    try:
        return tongues.scan(text, _rules())
    except WordsError as error:
        log.error("Risk rules of other languages unusable, the others answer: %s", error)
        return _rules().scan(text)


def _answers(text: str) -> list[Answer]:
    try:
        return rules_spanish.answers(text, _rules())
    except WordsError:
        return _rules().answers(text)


def _read(text: str) -> Heard:
    return _encoder(None, 1).read(text)


def _foresee(moment: Moment) -> Chances:
    return _supporter(None, 1).foresee(moment)


def _fit(moment: Moment) -> Mapping[str, float]:
    return _supporter(None, 1).fit(moment)


def _suit(moment: Moment, reading: Reading) -> Mapping[str, float]:
    return _suits(None, 1)(moment, reading)


def _nothing(text: str, k: int) -> list[Passage]:
    del text, k
    return []


def _contacts(
    country: str | None,
    kinds: Sequence[str],
    *,
    level: str,
    young: bool = False,
    cannot_speak: bool = False,
) -> Sequence[dict[str, str]]:
    book, now = _registry(), datetime.now(UTC)
    if book is None:
        return static_reply(country, level)[1]
    found = book.contacts(country, kinds, level=level, young=young, cannot_speak=cannot_speak, now=now)
    return [{key: str(value) for key, value in contact.items()} for contact in found]


@cache
def _allowed(country: str | None) -> frozenset[str]:
    book = _registry()
    if book is None:
        sentences, card = static_reply(country, "imminent")
        return frozenset(contact_tokens(" | ".join([*sentences, *(c for row in card for c in row.values())])))
    return book.allowed(country)


@dataclass(frozen=True, slots=True)
class Services:
    """The functions a turn is made of. Every field may be replaced on its own.

    scan, answers: the risk rules. read: what the reading model hears. search: retrieval
    (text, how many) -> passages, best first; the default finds nothing, because a library needs a
    folder. foresee, fit: what human supporters did at such a moment, and how well authored sentences
    answer it (agent/supporter.py). suit: what each is worth there, as readers graded it (agent/suits.py).
    None of these three leaves plan and choice to the rules. contacts, allowed: the
    helpline registry. respond: Brief -> sentences; every sentence passes the guard. again: words the rest
    of a reply, (brief, sentences that stand, why the next was stopped) -> sentences; without it an authored
    sentence stands in. trouble: why `respond` does not answer now, "" when it does. prepare: makes its
    model ready, waiting so many seconds. away: the host it is on, "" for this machine. fears: a
    language model's opinion on the danger in a message, which may only raise the level. country: whose
    helplines, language: in which one to answer, where the person did not say nor write another plainly.
    part_seconds, reply_seconds: how long a part, or the wording of a reply, may take before it is given
    up. step_seconds: the same for the rest of a step, which is rules and words and takes milliseconds.
    restricted: no feelings are read, no `respond` but the guided one is asked, and what would be a
    supportive reply is a way to the self-help library; danger is met as ever. clock: seconds that never
    go back, for what is said again to somebody who stays.

    escalate: told of every turn at high and imminent, audit: of every turn, both in a thread of their
    own once the person has the reply, and for at most hook_seconds. operator: people who run this may
    read conversations in danger, and are told so. desk: where they take one over; a person then
    waits for their words for operator_seconds.
    """

    scan: Callable[[str], list[Cue]] = _scan
    answers: Callable[[str], list[Answer]] = _answers
    read: Callable[[str], Heard] = _read
    search: Callable[[str, int], list[Passage]] = _nothing
    foresee: Foresee | None = _foresee
    fit: Fit | None = _fit
    suit: Suit | None = _suit
    contacts: FindContacts = _contacts
    allowed: Callable[[str | None], frozenset[str]] = _allowed
    respond: Respond = guided.respond
    responder: str = ""
    again: Callable[[Brief, Sequence[str], str], Iterable[str]] | None = None
    trouble: Callable[[], str] = lambda: ""
    prepare: Callable[[float], str] = at_once
    away: str = ""
    fears: Callable[[str], Level] | None = None
    country: str | None = None
    language: str = ""
    passages: int = 3
    part_seconds: float = 2.0
    reply_seconds: float = 60.0
    step_seconds: float = 60.0
    restricted: bool = False
    clock: Callable[[], float] = time.monotonic
    escalate: Callable[[Escalation], object] | None = None
    audit: Callable[[Record], object] | None = None
    operator: bool = False
    desk: Desk | None = None
    operator_seconds: float = 60.0
    hook_seconds: float = 5.0


def trail(settings: Settings) -> Trail | None:
    """The audit trail that the settings ask for; nothing is written before its first line."""
    folder, key = settings.audit_dir, settings.audit_key
    if folder is None:
        return None
    return Trail(folder, lambda: load_key(folder, key.get_secret_value() if key else None))


def from_settings(settings: Settings) -> Services:
    """The services that the settings ask for. Nothing is loaded until it is first called."""

    def read(text: str) -> Heard:
        return encoder(settings).read(text)

    find = _find(settings)

    def search(text: str, k: int) -> list[Passage]:
        if (language := detect(text)) in LANGUAGES:
            return [Passage(**passage) for passage in search_starter(text, language, k)]
        floor = FLOOR if settings.floor is None else settings.floor
        return [Passage(**passage) for passage in find(text, k, floor)]

    def foresee(moment: Moment) -> Chances:
        return _supporter(settings.encoder_dir, settings.threads).foresee(moment)

    def fit(moment: Moment) -> Mapping[str, float]:
        return _supporter(settings.encoder_dir, settings.threads).fit(moment)

    def suit(moment: Moment, reading: Reading) -> Mapping[str, float]:
        return _suits(settings.encoder_dir, settings.threads)(moment, reading)

    kept = trail(settings)
    desk = Desk(settings.desk_db, passphrase=settings.store_passphrase) if settings.operator else None
    services = Services(
        read=read,
        search=search,
        foresee=foresee,
        fit=fit,
        suit=suit,
        country=settings.country,
        language=settings.language,
        passages=settings.passages,
        part_seconds=settings.part_seconds,
        reply_seconds=settings.reply_seconds,
        restricted=settings.jurisdiction == "restricted",
        audit=kept.write if kept else None,
        operator=settings.operator,
        desk=desk,
        escalate=desk.put if desk else None,
        operator_seconds=settings.operator_seconds,
    )
    return reworded(services, chosen(settings), settings)


def reworded(services: Services, backend: Backend, settings: Settings) -> Services:
    """The same services, with this backend to word the replies. Nothing is loaded yet."""
    wording = worded(backend, settings.reply_seconds)
    return replace(
        services,
        respond=wording.respond,
        responder="" if wording.name == "guided" else wording.name,
        again=wording.again,
        trouble=wording.trouble,
        prepare=wording.prepare,
        away=wording.away,
        fears=wording.fears if settings.opinion else None,
    )


def warm(services: Services) -> list[str]:
    """Load everything a first turn would load; the problems met, as sentences, none when all is well."""
    problems = []
    services.prepare(0.0)  # goes on beside what follows, and beside the first words of a person
    services.scan("hello")
    services.contacts(services.country, ["suicide"], level="moderate")
    parts: list[Callable[[], object]] = [lambda: services.read("hello"), lambda: services.search("hello", 1)]
    if fit := services.fit:
        parts.append(lambda: fit(Moment(("hello",), 1)))
    if suit := services.suit:
        parts.append(lambda: suit(Moment(("hello",), 1), unread([])))
    for part in parts:
        try:
            part()
        except (EncoderError, KnowledgeError, SupporterError) as error:
            problems.append(str(error))
    return problems


def ingest(  # noqa: PLR0913 - what is added, to what, how
    settings: Settings,
    what: str,
    origin: str,
    *,
    rebuild: bool = False,
    ahead: Callable[[Sequence[str]], Mapping[str, Sequence[float]]] = lambda _: {},
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Add `what` (`counselchat`, `starter` or a folder) to the library; counts by what became of it.

    origin: a file, or `hub`. rebuild: index everything again with the encoder of these settings. ahead:
    texts -> vectors that were made beforehand, elsewhere; the rest are made here.
    Raises KnowledgeError, which names file, column and fix, before anything is embedded.
    """
    from knowledge import ingest as ingesting  # noqa: PLC0415 - only this command reads whole data sets

    if rebuild:
        vectors = embedder(settings)
        Library.rebuild(settings.library_place, vectors.embed, vectors.name, progress, ahead).close()
    target = library(settings)
    if target.temporary:
        raise KnowledgeError(
            f"{settings.index_dir} cannot be written, so nothing would be kept; "
            "set HEARKEN_DATA_DIR to a folder that can be."
        )
    if what == "starter":
        return target.count()
    if what == "counselchat":
        source: Path | Literal["hub"] = "hub" if origin == "hub" else Path(origin)
        report = ingesting.ingest_counselchat(source, target, ahead=ahead, progress=progress)
    else:
        report = ingesting.ingest_folder(Path(what), target, ahead=ahead, progress=progress)
    counts = {"read": report.read, "added": report.added, "already there": report.there}
    return {**counts, **{f"left out, {reason}": rows for reason, rows in sorted(report.dropped.items())}}
