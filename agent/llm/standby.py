"""A model that is made ready in the background, once; until then its failure is a sentence, not a wait.

Knows neither which model nor what it says: how it is loaded is a function.
"""

import threading
from collections.abc import Callable, Iterator, Sequence

from agent.brief import Brief
from agent.errors import ResponderError
from agent.llm.chat import Chat
from agent.reading.ladder import Level

__all__ = ["Progress", "Standby"]

# Told what is being done, and what share of it, 0..1.
Progress = Callable[[str, float], object]

# What work that outlives a turn is called, so that a program that ends can wait for it (graph.deadline).
WORKER = "hearken-worker"
WAITING = "waiting"
# What making a model ready raises beside ResponderError: a full memory, a damaged file, a library's own.
_BREAKS = (
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Standby:
    """A Chat to be. patience: seconds that a reply waits for it, before somebody else answers."""

    def __init__(self, load: Callable[[Progress], Chat], *, patience: float = 8.0) -> None:
        self._load, self._patience = load, patience
        self._lock, self._done = threading.Lock(), threading.Event()
        self._chat: Chat | None = None
        self._failed, self._stage, self._share = "", WAITING, 0.0
        self._begun = False

    def prepare(self, seconds: float = 0.0) -> str:
        """Begin to load where nobody has, wait so long at most; what is in the way, "" for nothing."""
        with self._lock:
            if not self._begun:
                self._begun = True
                threading.Thread(target=self._made_ready, daemon=True, name=WORKER).start()
        self._done.wait(seconds)
        return self.trouble()

    def trouble(self) -> str:
        """Why it does not answer now, "" when it does or nobody asked yet."""
        if self._chat is not None:
            return self._chat.trouble
        if self._failed or not self._begun:
            return self._failed
        stage = self._stage if self._stage == WAITING else f"{self._stage}, {self._share:.0%}"
        return f"The model is not ready yet ({stage}); until then the guided responder answers."

    def loading(self) -> bool:
        """Whether it is being made ready now."""
        return self._begun and not self._done.is_set()

    def anew(self) -> None:
        """Forget a failure, so that the next `prepare` tries once more: what was in the way may be gone."""
        with self._lock:
            if self._failed:
                self._begun, self._failed = False, ""
                self._done.clear()
            elif self._chat is not None:
                self._chat.trouble = ""

    def chat(self, progress: Progress) -> Chat:
        """What was loaded, once it is; progress hears how far it is. Raises ResponderError."""
        self.prepare()
        while not self._done.wait(0.2):
            progress(self._stage, self._share)
        if self._chat is None:
            raise ResponderError(self._failed)
        return self._chat

    def respond(self, brief: Brief) -> Iterator[str]:
        """See Chat. Raises ResponderError while it is not ready."""
        yield from self._ready().respond(brief)

    def again(self, brief: Brief, said: Sequence[str], reason: str) -> Iterator[str]:
        """See Chat."""
        yield from self._ready().again(brief, said, reason)

    def fears(self, text: str) -> Level:
        """See Chat. Raises ResponderError while it is not ready."""
        return self._ready().fears(text)

    def _ready(self) -> Chat:
        trouble = self.prepare(self._patience)
        if self._chat is None:
            raise ResponderError(trouble)
        return self._chat

    def _made_ready(self) -> None:
        try:
            self._chat = self._load(self._told)
        except ResponderError as error:
            self._failed = str(error)
        except _BREAKS as error:
            what = type(error).__name__
            self._failed = f"The model cannot be loaded ({what}); try it with `hearken models verify`."
        finally:
            self._failed = self._failed or ("" if self._chat else "The model cannot be loaded.")
            self._done.set()

    def _told(self, stage: str, share: float) -> None:
        self._stage, self._share = stage, share
