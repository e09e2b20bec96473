"""The written copy of one conversation: its turns in a saver, brought in line when something is taken back.

The first failure ends it: nothing is written any more, `lost` tells, and the conversation goes on in memory.
Knows nothing of how a turn is answered.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, RemoveMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.reading.ladder import at_least
from graph import store
from graph.build import Graph
from graph.turn import Run
from graph.vault import Key

__all__ = ["Copy"]

log = logging.getLogger("hearken")

# What a turn that was said elsewhere too may change in the copy, besides what was said.
_WEIGHED = ("risk", "care", "plan", "reading")


class Copy:
    """A conversation as `saver` has it. graph: the turn's graph over that saver."""

    def __init__(self, saver: BaseCheckpointSaver[Any], graph: Graph, thread: str) -> None:
        self.saver = saver
        self.graph = graph
        self.thread = thread
        self.lost = False

    @property
    def config(self) -> RunnableConfig:
        """Under which id the saver has it."""
        return {"configurable": {"thread_id": self.thread}}

    def lose(self, error: Exception) -> None:
        """The saver failed: write nothing more."""
        log.warning("this conversation is no longer being saved: %s", type(error).__name__)
        self.lost = True

    @contextmanager
    def _until_it_fails(self) -> Iterator[None]:
        try:
            yield
        except store.FAILURES as error:
            self.lose(error)

    def use_key(self, key: Key | None, build: Callable[[], Graph]) -> None:
        """Go on writing with this key; None: in the clear."""
        if isinstance(self.saver, store.Saver) and not self.lost:
            self.saver.use(key)
            self.graph = build()

    def prune(self) -> None:
        """Let go of all checkpoints but the last."""
        store.prune(self.saver, self.thread)

    def append(self, run: Run) -> None:
        """Put a turn after what was said in it elsewhere meanwhile; the greater danger stays.

        A conversation that was deleted elsewhere stays deleted, and the copy is lost.
        """
        if self.lost or not run.finished:
            return
        with self._until_it_fails():
            there = self.graph.get_state(self.config).values
            mine = run.after()
            new: dict[str, Any] = {key: mine[key] for key in _WEIGHED if key in mine}
            known = there.get("risk")
            if known and not at_least(mine["risk"]["level"], known["level"]):
                new = {}
            if there:
                self.graph.update_state(self.config, {**new, "messages": run.said()}, as_node="guard")
                self.prune()
            else:
                self.lost = True

    def add(self, message: AIMessage) -> None:
        """What was shown of a reply that the person stopped."""
        with self._until_it_fails():
            self.graph.update_state(self.config, {"messages": [message]}, as_node="guard")
            self.prune()

    def rewrite(self, changed: dict[str, Any], gone: Sequence[AnyMessage]) -> None:
        """Change these keys and remove these messages, from the free pages of a file too."""
        if self.lost:
            return
        with self._until_it_fails():
            there = {one.id for one in self.graph.get_state(self.config).values.get("messages", [])}
            removed = [RemoveMessage(id=str(one.id)) for one in gone if one.id in there]
            self.graph.update_state(self.config, {**changed, "messages": removed}, as_node="guard")
            self.prune()
            if removed and isinstance(self.saver, SqliteSaver):
                store.scrub(self.saver)

    def close(self) -> None:
        """Let go of the file, where this is one."""
        if isinstance(self.saver, SqliteSaver):
            self.saver.conn.close()

    def delete(self) -> None:
        """Forget all of it."""
        if isinstance(self.saver, SqliteSaver):
            store.delete(self.saver, self.thread)
        else:
            self.saver.delete_thread(self.thread)
