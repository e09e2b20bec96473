"""/v1/chat/completions and /v1/models, so that any client of OpenAI's can talk to hearken.

The client keeps the conversation: nothing is written here, and the risk is rebuilt from every user message
sent. Its system and developer messages are dropped: they instruct nobody. Its assistant messages are what was
said before, and are evidence of nothing. A crisis card is appended as text and given in the field `hearken`.
"""

import json
import time
import uuid
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from pydantic import BaseModel, ConfigDict, Field

from agent.errors import SettingsError
from graph import CardShown, Done, Said
from graph.hosted import Hosted, clean, passing, replied
from graph.session import country_code
from graph.turn import Event
from ui.serve.errors import Refused
from ui.serve.native import REFUSALS, STREAMED, hosted_of, who_asks
from ui.serve.words import card_text, serve_words
from ui.wording import fill

__all__ = ["openai"]

MODEL = "hearken"
ROLES = frozenset({"user", "assistant", "system", "developer"})
_MODEL = {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}
Who = Annotated[str, Depends(who_asks)]
Here = Annotated[Hosted, Depends(hosted_of)]
openai = APIRouter(prefix="/v1", responses=REFUSALS, tags=["openai"])


class Part(BaseModel):
    """A part of a message; only text is read."""

    model_config = ConfigDict(extra="allow")
    type: str
    text: str | None = None


class ChatMessage(BaseModel):
    """A message of the client's conversation."""

    model_config = ConfigDict(extra="ignore")
    role: str
    content: str | list[Part] | None = None


class Streaming(BaseModel):
    """How to stream."""

    model_config = ConfigDict(extra="forbid")
    include_usage: bool = False


class Asked(BaseModel):
    """A request. What shapes a model's sampling is taken and changes nothing: every reply is guarded and as
    long as the plan wants it. What would change the kind of the reply is refused."""

    model_config = ConfigDict(extra="allow")
    model: str = MODEL
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    stream: bool | None = False
    stream_options: Streaming | None = None
    n: int | None = 1
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    seed: int | None = None
    user: str | None = None
    metadata: dict[str, str] | None = Field(
        None, description="`country` (two letters) chooses the helplines."
    )


@openai.get("/models")
def models(who: Who) -> dict[str, Any]:
    """The one model there is."""
    del who
    return {"object": "list", "data": [_MODEL]}


@openai.get("/models/{model}")
def model(model: str, who: Who) -> dict[str, Any]:
    """What is said of it."""
    del who
    if model.partition(":")[0] != MODEL:
        raise _no_model(model)
    return _MODEL


@openai.post(
    "/chat/completions",
    response_class=JSONResponse,
    responses={200: {"content": {"application/json": {}, "text/event-stream": {}}, "description": "a reply"}},
)
async def complete(asked: Asked, who: Who, hosted: Here, request: Request) -> Response:
    """Answer the last user message of a conversation that the client keeps."""
    history, text = _conversation(asked)
    turns = request.app.state.turns
    heard = [str(message.content) for message in history if message.type == "human"]
    danger = await turns.heard([*heard, text])
    problem = _unread(asked)
    if problem and not danger:  # whoever tells of danger is answered, whatever else the client wants
        raise problem
    session = passing(hosted.services, history, _country(asked, hosted, danger=danger))
    events = await turns.begin(who, "danger" if danger else "ordinary", partial(session.stream, text))
    if asked.stream:
        usage = bool(asked.stream_options and asked.stream_options.include_usage)
        chunks = _chunks(events, usage=usage)
        return StreamingResponse(chunks, media_type="text/event-stream", headers=STREAMED)
    async for event in events:
        if isinstance(event, Done):
            reply = replied(event.turn)
            card = card_text(reply["card"])
            content = f"{reply['text']}\n\n{card}" if card else reply["text"]
            message = {"role": "assistant", "content": content, "refusal": None}
            choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
            return JSONResponse(
                {**_head("chat.completion"), "choices": [choice], "usage": _usage(), "hearken": _told(reply)}
            )
    raise AssertionError("a turn ends with Done")


def _no_model(name: str) -> Refused:
    message = fill(serve_words().no_model, name=repr(name[:60]))
    return Refused(404, "model_not_found", message, param="model")


def _country(asked: Asked, hosted: Hosted, *, danger: bool) -> str | None:
    """Whose helplines. Raises SettingsError for a country that does not exist, but not in danger."""
    named = (asked.metadata or {}).get("country")
    try:
        return (country_code(named) if named else None) or hosted.services.country
    except SettingsError:
        if danger:
            return hosted.services.country
        raise


def _unread(asked: Asked) -> Refused | None:
    """What the client asks for and does not get."""
    words = serve_words()
    if asked.model.partition(":")[0] != MODEL:
        return _no_model(asked.model)
    for name, value in (asked.model_extra or {}).items():
        if value not in (None, False, [], {}) and (name, value) != ("response_format", {"type": "text"}):
            message = fill(words.unsupported, name=name[:60])
            return Refused(400, "unsupported_parameter", message, param=name[:60])
    if asked.n not in (None, 1):
        message = fill(words.unsupported_value, name="n", value=1)
        return Refused(400, "unsupported_value", message, param="n")
    return _misshapen(asked.messages)


def _misshapen(messages: list[ChatMessage]) -> Refused | None:
    """What of the client's conversation is of no use here."""
    words = serve_words()
    for number, one in enumerate(messages):
        if one.role not in ROLES:
            message = fill(words.wrong_role, role=repr(one.role[:20]))
            return Refused(400, "wrong_role", message, param=f"messages[{number}].role")
        if one.role == "user" and one.content is None:
            return Refused(400, "no_content", words.no_content, param=f"messages[{number}].content")
        parts = one.content if isinstance(one.content, list) else []
        if any(part.type != "text" or part.text is None for part in parts):
            return Refused(400, "not_text", words.not_text, param=f"messages[{number}]")
    if messages[-1].role != "user":
        return Refused(400, "no_message", words.no_message, param="messages")
    return None


def _conversation(asked: Asked) -> tuple[list[AnyMessage], str]:
    """What was said before, and the person's last message. Raises Refused where they said nothing at all.

    Other roles are left out: a client's wishes for how we behave instruct neither the reply nor its guard,
    and what a tool said is no evidence.
    """
    made = {"user": HumanMessage, "assistant": AIMessage}
    said: list[AnyMessage] = [
        made[one.role](_text(one), id=uuid.uuid4().hex) for one in asked.messages if one.role in made
    ]
    while said and said[-1].type != "human":
        said.pop()
    if not said:
        raise _unread(asked) or Refused(400, "no_message", serve_words().no_message, param="messages")
    return said[:-1], str(said[-1].content)


def _text(one: ChatMessage) -> str:
    if isinstance(one.content, list):
        return clean("\n".join(part.text or "" for part in one.content if part.type == "text"))
    return clean(one.content or "")


async def _chunks(events: AsyncIterator[Event], *, usage: bool) -> AsyncIterator[str]:
    head = _head("chat.completion.chunk")

    def chunk(delta: dict[str, Any], finish: Literal["stop"] | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**head, "choices": [choice], **more})

    yield chunk({"role": "assistant", "content": ""})
    spoken = False
    async for event in events:
        match event:
            case CardShown(contacts):
                yield chunk({}, hearken={"card": contacts})
            case Said(text):
                yield chunk({"content": f" {text}" if spoken else text})
                spoken = True
            case Done(turn):
                reply = replied(turn)
                if reply["card"]:
                    yield chunk({"content": f"\n\n{card_text(reply['card'])}"})
                yield chunk({}, "stop", hearken=_told(reply))
    if usage:
        yield _data({**head, "choices": [], "usage": _usage()})
    yield "data: [DONE]\n\n"


def _head(kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": MODEL,
    }


def _told(reply: dict[str, Any]) -> dict[str, Any]:
    return {name: reply[name] for name in ("risk", "escalated", "card")}


def _usage() -> dict[str, int]:
    """Clients expect it. Nothing is charged by tokens here, so none are counted."""
    return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def _data(found: dict[str, Any]) -> str:
    return f"data: {json.dumps(found, ensure_ascii=False)}\n\n"
