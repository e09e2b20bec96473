"""Conversations of many people, kept where any worker finds them: what an API or a bot needs.

    hosted = Hosted(services, Ledger(open_shared("sqlite:////var/lib/hearken/served.sqlite")))
    thread = hosted.open("somebody", "GB")
    for event in hosted.say("somebody", thread, "I can't sleep", key="turn-1"): ...   # ends with Answered

Every turn is answered: where the database fails, without it, and the reply says that it is not saved. Knows
nothing of HTTP.
"""

import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from agent.brief import Person
from agent.reading.ladder import at_least
from agent.responders import guided
from graph.build import rebuilt
from graph.ledger import Begun, Ledger, Reply
from graph.services import Services
from graph.session import Session, country_code
from graph.shared import FAILURES, Shared
from graph.state import kept
from graph.turn import CardShown, Done, Event, Said, Turn

__all__ = ["Answered", "Hosted", "clean", "passing", "rehearse", "replied", "urgent"]

log = logging.getLogger("hearken")


@dataclass(frozen=True, slots=True)
class Answered:
    """The last event of a hosted turn. reply: as plain data; replayed: given before, under the same key.

    turn: None where it was replayed."""

    reply: Reply
    replayed: bool
    turn: Turn | None


def clean(text: str) -> str:
    """The text as any database takes it: without NUL and half characters."""
    return text.encode("utf-8", "replace").decode().replace("\x00", " ")


def urgent(services: Services, text: str) -> bool:
    """Whether the rules hear danger in it; takes milliseconds, and never waits for a model."""
    return any(cue["escalate"] or at_least(cue["level"], "moderate") for cue in services.scan(text))


def rehearse(services: Services) -> None:
    """Answer a greeting and a danger for nobody, so that no first person waits while words are loaded."""
    alone = replace(services, escalate=None, audit=None, operator=False, desk=None, respond=guided.respond)
    for text in ("hello", "I want to kill myself"):
        passing(alone, [], services.country).say(text)


def replied(turn: Turn) -> Reply:
    """A turn as others get it."""
    return {
        "text": turn.text,
        "risk": turn.risk,
        "escalated": turn.escalated,
        "card": [dict(contact) for contact in turn.card],
        "saved": turn.saved,
        "number": sum(message.type == "human" for message in turn.values["messages"]),
        "reminders": [],
    }


def passing(services: Services, messages: list[AnyMessage], country: str | None = None) -> Session:
    """A session over a conversation that the caller keeps: the risk is rebuilt from all of the person's
    messages, and nothing is written anywhere."""
    person: Person = {"country": country} if country else {}
    values: dict[str, Any] = {"messages": messages, "person": person}
    return Session(services, thread=uuid.uuid4().hex, values=values, build=rebuilt)


@dataclass(frozen=True, slots=True)
class Hosted:
    """See the module. Every method but `say` raises Unknown for what is not the owner's, and OSError or
    sqlite3.Error when the database is away."""

    services: Services
    ledger: Ledger
    _working: dict[str, Begun] = field(default_factory=dict, repr=False)

    @property
    def shared(self) -> Shared:
        """The database."""
        return self.ledger.shared

    def open(self, owner: str, country: str | None = None) -> str:
        """A new conversation. Raises SettingsError for a country that does not exist."""
        return self.ledger.open(owner, country_code(country) if country else "")

    def say(
        self, owner: str, thread: str, text: str, *, key: str | None = None, danger: bool = False
    ) -> Iterator[Event | Answered]:
        """One turn, event by event. key: the same key and words give the same reply, once and for all.

        Raises Unknown, KeyReused and Busy before the first event, and nothing after.
        """
        text = clean(text)
        try:
            country, _ = self.ledger.known(owner, thread)
            begun = self.ledger.begin(owner, thread, key or uuid.uuid4().hex, text, danger=danger)
        except FAILURES as error:
            log.warning("the store is away (%s); this turn is answered without it", type(error).__name__)
            yield from self._without(text)
            return
        if begun.reply:
            yield from _again(begun.reply)
            return
        self._working[begun.token] = begun
        try:
            yield from self._answered(thread, country, text, begun)
        finally:
            self._working.pop(begun.token, None)

    def renew(self) -> None:
        """Say of the turns that are being answered here that they are; call it several times in a lease."""
        if turns := list(self._working.values()):
            try:
                self.ledger.renew(turns)
            except FAILURES as error:
                log.warning("turns could not be renewed: %s", type(error).__name__)

    def _answered(self, thread: str, country: str, text: str, begun: Begun) -> Iterator[Event | Answered]:
        ended = False
        try:
            with self.shared.saver(thread, begun.token) as saver:
                values = _values(saver.get_tuple({"configurable": {"thread_id": thread}}), country)
                there = {message.id for message in values["messages"]}
                unsaved = [HumanMessage(words, id=one) for one, words in begun.waiting if one not in there]
                session = self._opened(thread, values, saver=saver, unsaved=unsaved)
                if begun.id in there:  # it was answered, and its worker died before it could say so
                    reply = _recovered(session, begun.id)
                    self._finish(thread, begun, reply, danger=bool(reply["escalated"]))
                    ended = True
                    yield from _again(reply)
                    return
                for event in session.stream(text, ident=begun.id):
                    if not isinstance(event, Done):
                        yield event
                        continue
                    reply = replied(event.turn)
                    self._remind(thread, reply, event.turn)
                    self._finish(thread, begun, reply, danger=event.turn.escalated)
                    ended = True
                    yield Answered(reply, replayed=False, turn=event.turn)
        except FAILURES as error:
            if ended:
                return
            log.warning("the store is away (%s); this turn is answered without it", type(error).__name__)
            yield from self._without(text)

    def _remind(self, thread: str, reply: Reply, turn: Turn) -> None:
        try:
            young = "minor" in turn.values["risk"]["marks"]
            reply["reminders"] = self.ledger.due(thread, young=young, in_danger=turn.escalated)
        except FAILURES as error:
            log.warning("no reminder could be looked up: %s", type(error).__name__)

    def _finish(self, thread: str, begun: Begun, reply: Reply, *, danger: bool) -> None:
        """A reply that cannot be noted is found in the conversation when it is asked for again."""
        try:
            self.ledger.finish(thread, begun, reply, saved=bool(reply["saved"]), danger=danger)
        except FAILURES as error:
            log.warning("a reply could not be noted: %s", type(error).__name__)

    def _without(self, text: str) -> Iterator[Event | Answered]:
        """An answer to this message alone. What was said before is not known, so helplines come with it."""
        for event in passing(self.services, [], self.services.country).stream(text):
            if not isinstance(event, Done):
                yield event
                continue
            turn = replace(event.turn, saved=False)
            if not turn.card:
                found = self.services.contacts(self.services.country, ["suicide"], level="moderate")
                turn = replace(turn, card=[dict(contact) for contact in found])
                yield CardShown(turn.card)
            yield Answered(replied(turn), replayed=False, turn=turn)

    def danger(self, owner: str, thread: str) -> bool:
        """Whether the conversation is under care."""
        return self.ledger.known(owner, thread)[1]

    def history(self, owner: str, thread: str) -> list[dict[str, str]]:
        """Who said what, oldest first."""
        return _lines(self._session(owner, thread).messages)

    def rate(self, owner: str, thread: str, turn: int, *, helpful: bool) -> bool:
        """Note whether a turn helped; false where there is no such turn. Raises Unknown."""
        if turn > sum(message.type == "human" for message in self._session(owner, thread).messages):
            return False
        self.ledger.rate(owner, thread, turn, helpful=helpful)
        return True

    def export(self, owner: str, thread: str) -> dict[str, Any]:
        """Everything that is kept of a conversation and that the person may want to have."""
        session = self._session(owner, thread)
        return {
            "id": thread,
            "messages": _lines(session.messages),
            "person": dict(session.person),
            "safety_plan": session.safety_plan(),
            "notes": session.notes(),
            "contacts": session.contacts,
            "feedback": self.ledger.rated(thread),
        }

    def delete(self, owner: str, thread: str) -> None:
        """Forget a conversation for good: its rows, and what they left on disk as far as the engine can."""
        self.ledger.delete(owner, thread)
        self.scrub()

    def scrub(self) -> None:
        """Overwrite what deleted rows left behind; where others hold the file, the next time does it."""
        try:
            self.shared.scrub()
        except FAILURES as error:
            log.warning("deleted rows could not be overwritten yet: %s", type(error).__name__)

    def _session(self, owner: str, thread: str) -> Session:
        country, _ = self.ledger.known(owner, thread)
        with self.shared.saver(thread, "") as saver:
            values = _values(saver.get_tuple({"configurable": {"thread_id": thread}}), country)
        return self._opened(thread, values)

    def _opened(self, thread: str, values: dict[str, Any], **kept: Any) -> Session:
        return Session(self.services, thread=thread, values=values, build=rebuilt, **kept)


def _values(found: Any, country: str) -> dict[str, Any]:
    values = kept(dict(found.checkpoint["channel_values"])) if found is not None else {}
    person: Person = {**({"country": country} if country else {}), **values.get("person", {})}
    return {"messages": [], **values, "person": person}


def _lines(messages: list[AnyMessage]) -> list[dict[str, str]]:
    roles = {"human": "user", "ai": "assistant"}
    return [{"role": roles[one.type], "text": str(one.content)} for one in messages if one.type in roles]


def _recovered(session: Session, ident: str) -> Reply:
    """The reply to a message that stands in the conversation."""
    messages = session.messages
    at = next(n for n, message in enumerate(messages) if message.id == ident)
    said = next((one for one in messages[at:] if isinstance(one, AIMessage)), None)
    contacts = session.contacts
    return {
        "text": str(said.content) if said else "",
        "risk": session.risk,
        "escalated": bool(contacts),
        "card": contacts,
        "saved": True,
        "number": sum(message.type == "human" for message in messages[: at + 1]),
        "reminders": [],
    }


def _again(reply: Reply) -> Iterator[Event | Answered]:
    if reply["card"]:
        yield CardShown(reply["card"])
    yield Said(reply["text"])
    yield Answered(reply, replayed=True, turn=None)
