"""A language model asked one thing at a time, by the seam through which it words replies: `agent.llm.chat`.

The likeliest words, thoughts hidden, no plan and no guard: what comes is measured and shown to nobody. Knows
nothing of what is asked.
"""

from collections.abc import Callable
from typing import Any

from agent.llm.chat import Chat
from agent.llm.flow import visible
from agent.prompt import Message

__all__ = ["writing"]


def writing(chat: Chat, tokens: int) -> Callable[[str], str]:
    """The function prompt -> text of that model, of at most so many tokens. It raises what `chat` raises."""
    options: dict[str, Any] = {"max_tokens": tokens, "stop": [], "temperature": 0}
    if chat.alpha is not None:
        options["alpha"] = chat.alpha

    def write(prompt: str) -> str:
        said: list[str] = []
        for piece in visible(chat.stream([Message(role="user", content=prompt)], **options)):
            # what came until here were thoughts, whose beginning stood in the template
            said = [] if piece is None else [*said, piece]
        return "".join(said).strip()

    return write
