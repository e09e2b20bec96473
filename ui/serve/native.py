"""hearken's own endpoints: conversations that live here, each somebody's. No one's words stand in a URL."""

import json
import re
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from graph import CardShown, Said, StepStarted
from graph.hosted import Answered, Hosted
from graph.ledger import Unknown
from graph.shared import FAILURES
from graph.turn import Event
from ui.serve.errors import Problem, Refused
from ui.serve.turns import Turns, Urgency
from ui.serve.words import serve_words
from ui.wording import load_ui_words, reminded

__all__ = ["REFUSALS", "STREAMED", "hosted_of", "native", "who_asks"]

ID = re.compile(r"[\w-]{16,64}")
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem} for status in (400, 401, 404, 408, 409, 413, 415, 422, 429, 503)
}
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]
Contact = dict[str, str]
# Nothing keeps a stream, and no proxy gathers it before it passes it on.
STREAMED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Opening(_Body):
    """What a new conversation begins with."""

    country: str | None = Field(None, description="Two letters, for the right helplines.")


class Message(_Body):
    """What the person says."""

    text: str


class Rating(_Body):
    """Whether a turn helped."""

    turn: Annotated[int, Field(ge=1, le=1_000_000)]
    helpful: bool


class Opened(BaseModel):
    """A conversation; `about` has to be shown to the person before their first message."""

    id: str
    about: list[str]


class Replied(BaseModel):
    """A turn. card: helplines that have to be shown. reminders: sentences to show now.

    saved: false when the conversation could not be kept; the reply stands all the same."""

    text: str
    risk: Literal["none", "low", "moderate", "high", "imminent"]
    escalated: bool
    card: list[Contact]
    saved: bool
    number: int
    reminders: list[str]


class Listed(BaseModel):
    """A conversation in the list of its owner."""

    id: str
    touched: float


class Line(BaseModel):
    """One message."""

    role: Literal["user", "assistant"]
    text: str


class Export(BaseModel):
    """Everything that is kept of a conversation."""

    id: str
    messages: list[Line]
    person: dict[str, Any]
    safety_plan: dict[str, Any] | None
    notes: dict[str, Any] | None
    contacts: list[Contact]
    feedback: list[dict[str, Any]]


# These three stay on the loop: the threads for others may all be waiting for the store.
async def who_asks(request: Request, authorization: Annotated[str | None, Header()] = None) -> str:
    owner: str = request.app.state.owner(authorization)
    return owner


async def _thread(conversation: str) -> str:
    if not ID.fullmatch(conversation):
        raise Unknown("There is no such conversation.")
    return conversation


async def hosted_of(request: Request) -> Hosted:
    hosted: Hosted = request.app.state.hosted
    return hosted


Who = Annotated[str, Depends(who_asks)]
Thread = Annotated[str, Depends(_thread)]
Here = Annotated[Hosted, Depends(hosted_of)]
native = APIRouter(prefix="/v1/conversations", responses=REFUSALS, tags=["conversations"])


@native.post("", status_code=201)
def create(opening: Opening, who: Who, hosted: Here) -> Opened:
    """Begin a conversation."""
    words = load_ui_words()
    about = words.about_operator if hosted.services.operator else words.about
    restricted = [words.about_restricted] if hosted.services.restricted else []
    return Opened(id=hosted.open(who, opening.country), about=[*about, *restricted])


@native.get("")
def conversations(who: Who, hosted: Here) -> list[Listed]:
    """One's own conversations, the newest first."""
    return [Listed(id=thread, touched=touched) for thread, touched in hosted.ledger.mine(who)]


@native.get("/{conversation}")
def history(thread: Thread, who: Who, hosted: Here) -> list[Line]:
    """Who said what."""
    return [Line.model_validate(line) for line in hosted.history(who, thread)]


@native.get("/{conversation}/export")
def export(thread: Thread, who: Who, hosted: Here) -> Export:
    """All that is kept, the safety plan and notes included."""
    return Export.model_validate(hosted.export(who, thread))


@native.delete("/{conversation}", status_code=204)
def delete(thread: Thread, who: Who, hosted: Here) -> Response:
    """Forget it for good."""
    hosted.delete(who, thread)
    return Response(status_code=204)


@native.put("/{conversation}/feedback", status_code=204)
def feedback(rating: Rating, thread: Thread, who: Who, hosted: Here) -> Response:
    """Say whether a turn helped; the last word counts."""
    if not hosted.rate(who, thread, rating.turn, helpful=rating.helpful):
        raise Refused(404, "no_turn", serve_words().no_turn, param="turn")
    return Response(status_code=204)


@native.post("/{conversation}/turns")
async def say(  # noqa: PLR0913, PLR0917 - what a request is made of
    message: Message, thread: Thread, who: Who, hosted: Here, request: Request, key: Key = None
) -> Replied:
    """Say something and have the whole reply. The same Idempotency-Key gives the same reply again."""
    async for event in await _begun(request.app.state.turns, hosted, who, thread, message.text, key):
        if isinstance(event, Answered):
            return _shown(event)
    raise AssertionError("a turn ends with Answered")


@native.post(
    "/{conversation}/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "step, card, said, done"}},
)
async def stream(  # noqa: PLR0913, PLR0917 - what a request is made of
    message: Message, thread: Thread, who: Who, hosted: Here, request: Request, key: Key = None
) -> StreamingResponse:
    """The same as events: `step`, `card`, `said` (a guarded sentence each) and `done`."""
    events = await _begun(request.app.state.turns, hosted, who, thread, message.text, key)
    return StreamingResponse(_sent(events), media_type="text/event-stream", headers=STREAMED)


async def _begun(  # noqa: PLR0913, PLR0917 - one private step
    turns: Turns, hosted: Hosted, who: str, thread: str, text: str, key: str | None
) -> AsyncIterator[Event | Answered]:
    """The turn, once danger was looked for: by the rules, then in what is known of the conversation."""
    how: Urgency = "danger"
    if not await turns.heard([text]):
        try:
            known = await turns.looked_up(partial(hosted.danger, who, thread))
            how = "danger" if known else "ordinary"
        except FAILURES:  # answered without the store
            how = "unknown"
    say = partial(hosted.say, who, thread, text, key=key, danger=how != "ordinary")
    return await turns.begin(who, how, say)


def _shown(answered: Answered) -> Replied:
    reply = answered.reply
    return Replied.model_validate({**reply, "reminders": reminded(reply["reminders"])})


async def _sent(events: AsyncIterator[Event | Answered]) -> AsyncIterator[str]:
    async for event in events:
        match event:
            case StepStarted(name):
                yield _event("step", {"name": name})
            case CardShown(contacts):
                yield _event("card", {"contacts": contacts})
            case Said(text):
                yield _event("said", {"text": text})
            case Answered():
                yield _event("done", _shown(event).model_dump())


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
