"""The index on a Chroma server that many workers share, found by its URL.

The server is asked whether it answers before Chroma's own client is made, which knows no time limits; from
then on every request has one. Nothing is moved aside or copied here: what is on the server is the server's
business. Knows nothing of what the rows mean.
"""

import json
import logging
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from knowledge.errors import LibraryError
from knowledge.index import Index, guarded
from knowledge.opening import NAME, quiet

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

__all__ = ["open_server"]

log = logging.getLogger(__name__)

# Seconds to reach the server, and for it to answer; a turn goes on without the library before that.
REACH, ANSWER = 2.0, 5.0


def open_server(url: str, encoder: str, *, whatever_encoder: bool = False) -> Index:
    """The index on the server at `url` (http://HOST:PORT), made there when it is not.

    Raises LibraryError, which names the address and what to do: nobody answers there, it is no Chroma
    server, or its vectors are another encoder's (unless whatever_encoder).
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise LibraryError(f"{url} is no address of a Chroma server: write http://HOST:PORT.")
    port = parts.port or (443 if parts.scheme == "https" else 8000)
    _answers(f"{parts.scheme}://{parts.netloc}", url)
    with guarded("opening"):
        quiet()
        from chromadb import HttpClient  # noqa: PLC0415 - half a second, only where it is needed
        from chromadb.config import Settings  # noqa: PLC0415

        client = cast(
            "Client",
            HttpClient(
                parts.hostname,
                port,
                ssl=parts.scheme == "https",
                settings=Settings(anonymized_telemetry=False),
            ),
        )
        index = Index(client, _collection(client, encoder), None, release=_in_time(client))
    return index if whatever_encoder else index.of(encoder, f"on {url}")


def _answers(base: str, url: str) -> None:
    try:
        with urllib.request.urlopen(f"{base}/api/v2/heartbeat", timeout=REACH) as answer:  # noqa: S310 - checked above
            alive = "nanosecond heartbeat" in json.load(answer)
    except urllib.error.HTTPError:
        alive = False
    except OSError as error:
        raise LibraryError(
            f"No Chroma server answers at {url}: start it (`chroma run`), or change HEARKEN_LIBRARY_URL."
        ) from error
    except ValueError:
        alive = False
    if not alive:
        raise LibraryError(f"What answers at {url} is no Chroma server: change HEARKEN_LIBRARY_URL.")


def _in_time(client: "Client") -> Callable[[], object]:
    """Give the client's requests a limit, which it has no setting for; how to close what it leaves open."""
    import httpx  # noqa: PLC0415 - Chroma brings it

    asking = [getattr(one, "_server", None) for one in (client, getattr(client, "_admin_client", None))]
    sessions = [getattr(one, "_session", None) for one in asking]
    if not all(isinstance(session, httpx.Client) for session in sessions):  # another release of Chroma's
        log.warning("Chroma's client is not as expected: its requests have no time limit.")

    def close() -> None:
        for session in sessions:
            if isinstance(session, httpx.Client):
                session.close()

    for session in sessions:
        if isinstance(session, httpx.Client):
            session.timeout = httpx.Timeout(ANSWER, connect=REACH)
    return close


def _collection(client: "Client", encoder: str) -> "Collection":
    """The collection, made when it is not there; workers that start at once get the same one."""
    if any(known.name == NAME for known in client.list_collections()):
        return client.get_collection(NAME, embedding_function=None)
    return client.get_or_create_collection(
        NAME,
        embedding_function=None,
        configuration={"hnsw": {"space": "cosine"}},
        metadata={"encoder": encoder},
    )
