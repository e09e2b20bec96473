"""What happens in a turn: perceive, assess, then plan, recall and respond, or crisis, then guard.

The only package that imports LangGraph. See `Session` for one conversation, `build_graph` to embed.
"""

from graph.build import build_graph
from graph.services import Services
from graph.session import Session
from graph.turn import CardShown, Done, Said, StepStarted, Turn

__all__ = ["CardShown", "Done", "Said", "Services", "Session", "StepStarted", "Turn", "build_graph"]
