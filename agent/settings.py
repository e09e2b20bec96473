"""Every setting, read from the environment (`HEARKEN_…`) when constructed and frozen after.

Knows nothing of what the settings are used for. What is secret is a SecretStr, so that
`hearken check` cannot print it.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, TypeAdapter, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.backends import Backend, Endpoint, Guided, HuggingFace, Proxy
from agent.errors import SettingsError

__all__ = ["Settings", "load_settings", "variable"]

# What a field of a backend is called here, where its own name alone would say too little.
_CALLED = {"url": "endpoint_url", "key": "endpoint_key", "first_seconds": "endpoint_seconds"}
_KINDS: dict[str, type[Guided | HuggingFace | Proxy | Endpoint]] = {
    "guided": Guided,
    "huggingface": HuggingFace,
    "proxy": Proxy,
    "endpoint": Endpoint,
}


def _data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "hearken"


class Settings(BaseSettings):
    """Environment variables are the field names in capitals behind `HEARKEN_`."""

    model_config = SettingsConfigDict(env_prefix="HEARKEN_", frozen=True, extra="forbid")

    responder: Literal["guided", "huggingface", "proxy", "endpoint"] | None = Field(
        default=None, description="Who words the replies; unset, the guided responder or a verified choice."
    )
    model: str | None = Field(
        default=None,
        description="huggingface: hub id or folder (an adapter's too). endpoint: its name there.",
    )
    base: str | None = Field(default=None, description="proxy: the large model, hub id or folder.")
    expert: str | None = Field(default=None, description="proxy: the tuned small model, or its adapter.")
    anti_expert: str | None = Field(default=None, description="proxy: the small model as it was.")
    alpha: float | None = Field(default=None, description="proxy: how much of the difference is added.")
    own_templates: bool | None = Field(
        default=None, description="proxy: prompt each model in its own template."
    )
    endpoint_url: str | None = Field(default=None, description="endpoint: such as http://127.0.0.1:11434/v1.")
    endpoint_key: SecretStr | None = Field(default=None, description="endpoint: its key, if it wants one.")
    endpoint_seconds: float | None = Field(
        default=None, description="endpoint: how long its first word may take."
    )
    device: str | None = Field(default=None, description="huggingface, proxy: auto, cpu, cuda or mps.")
    dtype: str | None = Field(
        default=None, description="huggingface, proxy: auto, float32, bfloat16, float16 or 4bit."
    )
    temperature: float | None = Field(default=None, description="Any model: 0 gives always the likeliest.")
    top_p: float | None = Field(default=None, description="Any model: the share of likely words drawn from.")
    repetition_penalty: float | None = Field(default=None, description="Any model: above 1, fewer repeats.")
    max_tokens: int | None = Field(default=None, description="Any model: tokens of a reply, at most.")
    seed: int | None = Field(default=None, description="Any model: for replies that can be had again.")
    opinion: bool = Field(
        default=False, description="Ask the model too whether a message tells of danger; it may only raise."
    )
    country: str | None = Field(
        default=None, description="ISO 3166-1 alpha-2 code whose helplines are shown."
    )
    language: Literal["", "en", "es"] = Field(
        default="", description="Language of the replies until a person writes plainly in another."
    )
    jurisdiction: Literal["general", "restricted"] = Field(
        default="general",
        description="restricted: self-help library, helplines and crisis words only; no feelings are read.",
    )
    data_dir: Path = Field(
        default_factory=_data_dir, description="Where the index and kept conversations live."
    )
    encoder_dir: Path | None = Field(default=None, description="Folder of another reading model.")
    embedder: str | None = Field(
        default=None,
        description="A sentence-transformers model, by hub id or folder, to retrieve by (`local` extra).",
    )
    reranker: str | None = Field(
        default=None,
        description="A cross-encoder, by hub id or folder, to put what is near in order (`local` extra).",
    )
    library_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+/?$")] | None = Field(
        default=None, description="A Chroma server with the library: http://HOST:PORT; unset, a folder here."
    )
    floor: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="Similarity below which nothing is retrieved; another model needs its own."
    )
    threads: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="Threads of one encoder pass.")
    passages: Annotated[int, Field(ge=0, le=10)] = Field(
        default=3, description="Retrieved answers a turn, at most."
    )
    part_seconds: Annotated[float, Field(gt=0)] = Field(
        default=2.0, description="How long reading or retrieval may take."
    )
    reply_seconds: Annotated[float, Field(gt=0)] = Field(
        default=60.0, description="How long wording a reply may take."
    )
    developer: bool = Field(default=False, description="Offer the developer depth of the panel.")
    audit_dir: Path | None = Field(
        default=None, description="Folder of the audit trail; none is kept without it."
    )
    audit_key: Annotated[SecretStr, Field(min_length=16)] | None = Field(
        default=None, description="Key of the audit trail; without it one is made in its folder."
    )
    operator: bool = Field(
        default=False,
        description="People who run this may read conversations in danger and write in them.",
    )
    operator_seconds: Annotated[float, Field(gt=0, le=600)] = Field(
        default=60.0, description="How long a person waits for an operator who took over."
    )

    shared: bool = Field(
        default=False,
        description="Many people use this page: nothing is kept, and nothing of the machine may be changed.",
    )
    exit_url: Annotated[str, Field(pattern=r"^https?://[^\s\"'<>]+$")] = Field(
        default="https://www.wikipedia.org/", description="The neutral page that a quick exit goes to."
    )
    store_url: SecretStr | None = Field(
        default=None, description="Where `hearken serve` keeps conversations: sqlite:/// or postgresql://."
    )
    store_key: Annotated[SecretStr, Field(min_length=8)] | None = Field(
        default=None, description="Passphrase that what is kept in SQLite is encrypted with, for servers."
    )
    keys_file: Path | None = Field(
        default=None, description="Keys of the API, one `owner:sha256` a line; without it loopback only."
    )
    oidc_issuer: str | None = Field(default=None, description="Issuer whose bearer tokens are taken.")
    oidc_audience: str | None = Field(default=None, description="The audience that its tokens must name.")
    oidc_jwks: Path | None = Field(default=None, description="File with the issuer's public keys (JWKS).")
    serve_workers: Annotated[int, Field(ge=1, le=256)] = Field(
        default=8, description="Replies that a language model words at once; others wait, then go without it."
    )
    serve_cores: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1,  # of two side by side none is sooner done, and danger waits twice as long
        description="Ordinary turns a process computes at once; they stand aside for danger.",
    )
    serve_waiting: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=64,
        description="Ordinary turns beyond those that may wait before others get 503.",
    )
    serve_rate: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=30, description="Turns a minute that one owner may ask of one process."
    )
    serve_bytes: Annotated[int, Field(ge=1024)] = Field(
        default=1_000_000, description="The longest body that is read."
    )
    serve_origins: tuple[str, ...] = Field(
        default=(), description="Web origins that browsers may call from, as a JSON list."
    )

    @property
    def backend(self) -> Backend:
        """What `responder` and the fields of its kind name; SettingsError names the variable to change."""
        kind = self.responder or "guided"
        named = {field: getattr(self, _CALLED.get(field, field), None) for field in _KINDS[kind].model_fields}
        given = {field: value for field, value in named.items() if value is not None}
        try:
            return _BACKENDS.validate_python({**given, "kind": kind})
        except ValidationError as error:
            first = error.errors()[0]
            name = variable(str(first["loc"][-1]))
            if first["type"] == "missing":
                raise SettingsError(f"HEARKEN_RESPONDER={kind} needs {name}; set it too.") from error
            raise SettingsError(f"{name} cannot be used: {first['msg']}. Change or unset it.") from error

    @field_validator("country")
    @classmethod
    def _upper(cls, value: str | None) -> str | None:
        return value.strip().upper() or None if value else None

    @property
    def index_dir(self) -> Path:
        """Folder of the Chroma index."""
        return self.data_dir / "index"

    @property
    def library_place(self) -> Path | str:
        """Where the library is: a folder, or the URL of a Chroma server."""
        return self.library_url or self.index_dir

    @field_validator(
        "audit_dir",
        "audit_key",
        "embedder",
        "reranker",
        "library_url",
        "store_url",
        "store_key",
        "keys_file",
        mode="before",
    )
    @classmethod
    def _named(cls, value: object) -> object:
        return value or None

    @property
    def desk_db(self) -> Path:
        """SQLite file of the conversations that wait for a person; only when `operator` is on."""
        return self.data_dir / "desk.sqlite"

    @property
    def served_store(self) -> str:
        """URL of the database behind `hearken serve`."""
        return (
            self.store_url.get_secret_value()
            if self.store_url
            else f"sqlite:///{self.data_dir}/served.sqlite"
        )

    @property
    def store_passphrase(self) -> str | None:
        """What the SQLite files are encrypted with; None where nobody who runs this set it."""
        return self.store_key.get_secret_value() if self.store_key else None

    @property
    def conversations_db(self) -> Path:
        """SQLite file of the conversations a person chose to keep; where many share it, none can be made."""
        return (Path(os.devnull) if self.shared else self.data_dir) / "conversations.sqlite"


_BACKENDS: TypeAdapter[Backend] = TypeAdapter(Backend)


def variable(field: str) -> str:
    """The environment variable that a field of a backend is read from."""
    return f"HEARKEN_{_CALLED.get(field, field).upper()}"


def load_settings() -> Settings:
    """Settings from the environment; SettingsError names the variable and what it may be."""
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "HEARKEN_" + str(first["loc"][0]).upper() if first["loc"] else "A setting"
        raise SettingsError(f"{name} cannot be used: {first['msg']}. Change or unset it.") from error
    _ = settings.backend  # what is missing for it is said now, not in the middle of a conversation
    return settings
