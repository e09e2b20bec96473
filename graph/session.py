"""One conversation: `say` a message and get a Turn, or `stream` it and see it come.

A session holds its conversation in memory; with `keep=True` each turn is also written to SQLite, so
that `Session.open(thread=...)` finds it again. Knows nothing of screens.
"""

import logging
import threading
import uuid
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from agent.brief import Person
from agent.errors import SettingsError
from agent.notes import noted
from agent.reading.ladder import Cue, Level, at_least
from agent.safety_plan import exported
from agent.settings import Settings, load_settings
from agent.words import tongue
from graph import handoff, store
from graph.afterwards import follow
from graph.build import Graph, build_graph
from graph.conversation import history, theirs
from graph.keeping import Copy
from graph.reminders import Reminder, Reminders
from graph.revising import last_exchange, with_step, without_last, young
from graph.sealing import own_key
from graph.services import Services, from_settings
from graph.state import State, kept
from graph.turn import Done, Event, Run, Turn
from graph.vault import Key
from knowledge.helplines import HelplineError, load_helplines

__all__ = ["Session", "country_code"]

log = logging.getLogger("hearken")


# What taking a message back may change besides the messages.
_REVISED = ("person", "plan", "care", "safety_plan", "practice")


class Session:
    """One conversation. Safe to use from several threads: turns wait for each other."""

    def __init__(  # noqa: PLR0913 - by name
        self,
        services: Services,
        *,
        thread: str,
        values: dict[str, Any],
        saver: BaseCheckpointSaver[Any] | None = None,
        saved: bool = True,
        unsaved: Sequence[HumanMessage] = (),
        build: Callable[..., Graph] = build_graph,
    ) -> None:
        self.thread = thread
        self._values = {**values, "messages": [*values["messages"], *unsaved]}
        self._unsaved = list(unsaved)  # what the person wrote that the saver does not have yet
        self._before: dict[str, Any] | None = None
        self._turned_down: tuple[str, list[str]] = ("", [])
        self._refused = not saved
        self._services = services
        self._reminders = Reminders(services.clock)
        joins = services.desk is not None  # a pause needs a checkpoint; in memory, gone with the turn
        self._pauses = InMemorySaver() if joins else None
        self._plain = build(services, checkpointer=self._pauses, handoff=joins)
        self._copy: Copy | None = None
        if saver is not None:
            self._copy = Copy(saver, build(services, checkpointer=saver, handoff=joins), thread)
        self._after: threading.Thread | None = None
        self._lock = threading.Lock()
        self._open: weakref.ref[Generator[Event, None, None]] | None = None
        self._owner = 0

    @classmethod
    def open(  # noqa: PLR0913 - by name
        cls,
        *,
        country: str | None = None,
        keep: bool = False,
        thread: str | None = None,
        services: Services | None = None,
        settings: Settings | None = None,
        key: Key | None = None,
    ) -> "Session":
        """Begin a conversation, or go on with a kept one.

        country: ISO 3166-1 alpha-2, whose helplines are shown; None shows international directories.
        keep: write every turn to disk; thread: the id of a kept conversation (implies keep).
        services: to embed with your own functions; settings: otherwise read from the environment.
        key: of what is kept, where that is encrypted; with another one the conversation is not saved.
        Raises SettingsError for a country that does not exist, PassphraseError for a wrong HEARKEN_STORE_KEY.
        """
        settings = settings or load_settings()
        services = services or from_settings(settings)
        person = Person()
        chosen = country or services.country or settings.country
        if chosen:
            person["country"] = country_code(chosen)
        values: dict[str, Any] = {"messages": [], "person": person}
        if not (keep or thread):
            return cls(services, thread=uuid.uuid4().hex, values=values)

        def opened() -> SqliteSaver:
            path = settings.conversations_db
            return store.open_store(path, key or own_key(path, settings.store_passphrase))

        return cls._kept(services, opened, thread or uuid.uuid4().hex, values)

    @classmethod
    def _kept(
        cls, services: Services, opened: Callable[[], SqliteSaver], thread: str, values: dict[str, Any]
    ) -> "Session":
        try:
            saver = opened()
            found = saver.get_tuple({"configurable": {"thread_id": thread}})
            if found is not None:
                before: Person = found.checkpoint["channel_values"].get("person") or Person()
                person: Person = {**before, **values["person"]}
                values = {**kept(dict(found.checkpoint["channel_values"])), "person": person}
        except store.FAILURES as error:
            log.warning("this conversation is not being saved: %s", type(error).__name__)
            return cls(services, thread=thread, values=values, saved=False)
        return cls(services, thread=thread, values=values, saver=saver)

    @property
    def messages(self) -> list[AnyMessage]:
        """Everything said so far, oldest first."""
        return list(self._values["messages"])

    @property
    def person(self) -> Person:
        """What the person told us to keep in mind."""
        return dict(self._values["person"])  # type: ignore[return-value]

    @property
    def saved(self) -> bool:
        """False when this conversation was to be kept and the disk would not have it."""
        return not (self._refused or (self._copy is not None and self._copy.lost))

    @property
    def keeps(self) -> bool:
        """Whether turns are to be written to disk."""
        return self._copy is not None or self._refused

    @property
    def risk(self) -> Level:
        """How great the danger known so far is."""
        risk = self._values.get("risk")
        level: Level = risk["level"] if risk else "none"
        return level

    def use(self, services: Services) -> None:
        """Go on with these services from the next turn on; a turn that is under way ends first.

        For another wording of the replies: the desk, and what is kept where, stay as they were opened.
        """
        self._interrupt()
        with self._lock:
            self._services = replace(services, desk=self._services.desk)
            self._plain = self._built(self._pauses)
            if self._copy is not None:
                self._copy.graph = self._built(self._copy.saver)

    def use_key(self, key: Key | None) -> None:
        """Go on writing with this key: what is kept was encrypted meanwhile, or with None made plain."""
        self._interrupt()
        with self._lock:
            if (copy := self._copy) is not None:
                copy.use_key(key, lambda: self._built(copy.saver))

    def _built(self, saver: BaseCheckpointSaver[Any] | None) -> Graph:
        return build_graph(self._services, checkpointer=saver, handoff=self._pauses is not None)

    def set_country(self, country: str | None) -> None:
        """Whose helplines are shown from the next turn on; None shows international directories."""
        person = {key: value for key, value in self._values["person"].items() if key != "country"}
        self._values["person"] = {**person, **({"country": country_code(country)} if country else {})}

    def set_language(self, language: str) -> None:
        """In which language to answer from the next turn on, until they write plainly in another."""
        self._values["person"] = {**self._values["person"], "language": tongue(language)}

    def set_length(self, length: Literal["brief", "usual", "longer"]) -> None:
        """How long the replies are from the next turn on, as if it had been asked for in words."""
        person = {k: v for k, v in self._values["person"].items() if k not in {"brief", "longer"}}
        self._values["person"] = {**person, **({} if length == "usual" else {length: True})}

    def set_young(self) -> None:
        """They said that they are under 18: lines for the young, and what this is said every hour.

        For a conversation in memory that has not begun; what the young write is not kept on disk.
        """
        self._values = young(self._values)

    def say(self, text: str) -> Turn:
        """Say something and wait for the whole reply. Never raises for what was said."""
        for event in self.stream(text):
            if isinstance(event, Done):
                return event.turn
        raise AssertionError("a stream ends with Done")

    def stream(self, text: str, *, ident: str | None = None) -> Generator[Event, None, None]:
        """Say something and see the turn come: steps, guarded sentences, card, and Done at last.

        Stop iterating to stop the reply: what was shown until then stands as the reply. Starting
        another turn in the same thread stops this one too. ident: the id of the person's message.
        """
        itself: list[Generator[Event, None, None]] = []
        stream = self._turn(HumanMessage(text, id=ident or uuid.uuid4().hex), itself)
        itself.append(stream)
        return stream

    def _turn(
        self, message: HumanMessage, itself: "list[Generator[Event, None, None]]"
    ) -> "Generator[Event, None, None]":
        self._interrupt()
        with self._lock:
            # Weak, so that a stream nobody reads any more ends at once and lets the next turn begin.
            self._owner, self._open = threading.get_ident(), weakref.ref(itself.pop())
            try:
                yield from self._stream(message)
            finally:
                self._owner, self._open = 0, None

    def _interrupt(self) -> None:
        """End a turn that this very thread left open: waiting for it would be for ever."""
        opened = self._open() if self._open and self._owner == threading.get_ident() else None
        if opened is not None:
            opened.close()

    def _stream(self, message: HumanMessage) -> Iterator[Event]:
        run = Run(self._values, message)
        self._before = self._values
        try:
            yield from self._events(run)
        except GeneratorExit:
            self._abandon(run)
            raise
        self._values = run.after()
        turn = run.turn(saved=self.saved)
        self._follow(turn)
        yield Done(turn)

    def _events(self, run: Run) -> Iterator[Event]:
        """The graph's events; when the store fails, the turn is answered without it."""
        copy = self._copy
        if copy is not None and not copy.lost:
            try:
                said = [*self._unsaved, run.message]
                given: State = {"messages": [*said], "person": self._values["person"]}
                yield from self._through(run, copy.graph, given, self.thread)
                self._unsaved = []
                copy.prune()
            except store.Overtaken:
                copy.append(run)
            except store.FAILURES as error:
                copy.lose(error)
            if run.finished:
                return
        given = {**self._values, "messages": [*self._values["messages"], run.message]}  # type: ignore[typeddict-item]
        alone = uuid.uuid4().hex
        try:
            yield from self._through(run, self._plain, given, alone)
        finally:
            if self._pauses is not None:
                self._pauses.delete_thread(alone)

    def _through(self, run: Run, graph: Graph, given: State, thread: str) -> Iterator[Event]:
        """One turn of the graph; where it pauses for an operator, their words or none are waited for."""
        config: RunnableConfig = {"configurable": {"thread_id": thread}}
        how: dict[str, Any] = {"config": config, "stream_mode": ["updates", "custom"]}
        if graph.checkpointer:
            how["durability"] = "exit"
        given = {**given, "operator": handoff.held(self._services, self.thread)}
        if self._turned_down[0] == run.message.content:
            given["turned_down"] = self._turned_down[1]
        yield from run.events(graph.stream(given, **how))
        if run.paused:
            yield from run.waiting(self._services, self.thread)
            yield from run.events(graph.stream(Command(resume=run.answer), **how))

    def _follow(self, turn: Turn | None) -> None:
        values: State = self._values  # type: ignore[assignment]
        self._after = follow(self._services, values, turn, thread=self.thread, before=self._after)

    def settle(self) -> None:
        """Wait until everybody who is to know of the turns so far was told, or was given up."""
        if self._after is not None:
            self._after.join()

    def _abandon(self, run: Run) -> None:
        """The person stopped the reply: what they saw is what was said."""
        self._values = run.after()
        if run.weighed:
            self._follow(run.turn(saved=self.saved) if run.planned else None)
        if self._copy is not None and not self._copy.lost and run.shown and not run.finished:
            self._copy.add(run.shown_message())

    def take_back(self) -> str:
        """Undo the last message and its reply, on disk too, so that it can be said otherwise.

        Gives what the message was, "" when there is none. What it told of danger is not unlearnt.
        """
        self._interrupt()
        with self._lock:
            gone = last_exchange(self._values["messages"])
            if not gone:
                return ""
            self._values = without_last(self._values, self._before)
            self._before = None
            if self._copy is not None:
                self._copy.rewrite({key: self._values[key] for key in _REVISED if key in self._values}, gone)
            return str(gone[0].content)

    def turn_down(self) -> str:
        """Take the last message back because its reply is to be worded otherwise; gives the message.

        Said again, no sentence of the replies turned down returns.
        """
        replies = [str(one.content) for one in last_exchange(self._values["messages"]) if one.type == "ai"]
        text, (before, down) = self.take_back(), self._turned_down
        self._turned_down = (text, [*(down if before == text else []), *replies])
        return text

    def write_plan(self, step: str, text: str, contacts: Sequence[Mapping[str, str]] = ()) -> None:
        """Put the person's own lines, or the helplines they chose, in a step of the safety plan."""
        self._interrupt()
        with self._lock:
            plan = with_step(self._values.get("safety_plan"), step, text, contacts)
            self._values = {**self._values, "safety_plan": plan}
            if self._copy is not None:
                self._copy.rewrite({"safety_plan": plan, "person": self._values["person"]}, [])

    def alarmed(self, text: str) -> bool:
        """Whether words written outside the conversation tell of danger; for pages that take such words."""
        return any(map(_dangerous, self._services.scan(text)))

    @property
    def contacts(self) -> list[dict[str, str]]:
        """The helplines that go with the danger known so far, of the current country or of where the one is
        whom they worry about; none without any."""
        risk = self._values.get("risk")
        if not risk or not risk["escalate"]:
            return []
        young = "minor" in risk["marks"]
        country = theirs(cast(State, self._values), self._services) or self.person.get("country")
        return list(
            self._services.contacts(
                country, risk["kinds"], level=risk["level"], young=young, cannot_speak=self.cannot_speak
            )
        )

    def wiring(self) -> list[tuple[str, str]]:
        """Which step may follow which in a turn, for a picture of it."""
        return [(edge.source, edge.target) for edge in self._plain.get_graph().edges]

    @property
    def cannot_speak(self) -> bool:
        """Whether they told us that they cannot speak aloud: lines to write to come first then."""
        risk, care = self._values.get("risk") or {}, self._values.get("care") or {}
        return "cannot_speak" in (*risk.get("answers", []), *care.get("barriers", []))

    def safety_plan(self) -> dict[str, Any] | None:
        """The safety plan written so far, ready for JSON; `agent.safety_plan.markdown` makes a file of it.

        None when none was begun. It lives in this conversation, so it is on disk only where that is kept.
        """
        emergency = load_helplines().emergency(self.person.get("country"))
        number = emergency["phone"] if emergency else ""
        return exported(self._values.get("safety_plan"), number, self.person.get("language", "en"))

    def notes(self) -> dict[str, Any] | None:
        """Notes in the person's own lines, ready for JSON; `agent.notes.markdown` makes a file of them.

        None when nothing was told yet. Lines that tell of danger stay out: others may read a file.
        """
        values: State = self._values  # type: ignore[assignment]
        notes = noted(history(values), lambda text: any(map(_dangerous, self._services.scan(text))))
        return notes if any(notes[key] for key in notes) else None

    def due(self) -> list[Reminder]:
        """What the host owes the person now: `disclosure` of what this is, `rest` to suggest a break.

        Ask when a conversation is opened (the disclosure is then always due) and after each turn.
        """
        risk = self._values.get("risk")
        young, in_danger = bool(risk and "minor" in risk["marks"]), bool(risk and risk["escalate"])
        return self._reminders.due(young=young, in_danger=in_danger)

    def close(self) -> None:
        """Let go of the file that a kept conversation is written to, and of the operator's desk."""
        with self._lock:
            self._leave()
            if self._copy is not None:
                self._copy.close()

    def delete(self) -> None:
        """Forget this conversation, on disk too."""
        with self._lock:
            self._leave()
            if self._copy is not None:
                self._copy.delete()
            self._values = {"messages": [], "person": self._values["person"]}
            self.thread = uuid.uuid4().hex
            if self._copy is not None:
                self._copy.thread = self.thread

    def _leave(self) -> None:
        if self._services.desk is not None:
            self.settle()
            handoff.forget(self._services, self.thread)


def _dangerous(cue: Cue) -> bool:
    return at_least(cue["level"], "moderate")


def country_code(code: str) -> str:
    """Two capital letters. Raises SettingsError for a country that does not exist."""
    upper = code.strip().upper()
    try:
        known = load_helplines().known(upper)
    except HelplineError:  # nobody is turned away for a file of ours; what is baked in knows some countries
        known = len(upper) == 2 and upper.isascii() and upper.isalpha()
    if not known:
        raise SettingsError(
            f"There is no country with the code {code[:20]!r}. "
            "Give two letters such as GB, US or IN, or none at all."
        )
    return upper
