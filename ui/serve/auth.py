"""Who is asking: an API key or an OIDC token gives the owner of conversations.

Keys are long and random, so one round of SHA-256 keeps them as well as a slow hash would; the file holds
`owner:sha256` lines only. Knows nothing of conversations.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.errors import SettingsError
from agent.settings import Settings
from ui.serve.errors import Refused
from ui.serve.words import serve_words

__all__ = ["Owner", "new_key", "owners"]

# The value of the Authorization header -> the owner; raises Refused.
Owner = Callable[[str | None], str]
LINE = re.compile(r"([\w.@-]{1,64}):([0-9a-f]{64})")
ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "PS256", "EdDSA"]


def new_key(owner: str) -> tuple[str, str]:
    """A new key, to be given to the owner, and the line for the file of keys."""
    key = f"hk-{secrets.token_urlsafe(32)}"
    line = f"{owner}:{hashlib.sha256(key.encode()).hexdigest()}"
    if not LINE.fullmatch(line):
        raise SettingsError("An owner's name is made of letters, digits and . @ _ - (64 at most).")
    return key, line


def owners(settings: Settings) -> Owner | None:
    """How these settings tell who asks; None when nobody is told apart, which is for loopback only.

    Raises SettingsError, which names the file and the line.
    """
    hashes = _hashes(settings.keys_file) if settings.keys_file else None
    tokens = _tokens(settings) if settings.oidc_issuer else None
    if hashes is None and tokens is None:
        return None

    def owner(header: str | None) -> str:
        words = serve_words()
        scheme, _, given = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not given.strip():
            raise Refused(401, "no_key", words.no_key)
        digest = hashlib.sha256(given.strip().encode("utf-8", "replace")).hexdigest()
        found = ""
        for known, name in (hashes or {}).items():  # all of them, so that time tells nothing
            if hmac.compare_digest(known, digest):
                found = name
        if not found and tokens is not None:
            found = tokens(given.strip())
        if not found:
            raise Refused(401, "bad_key", words.bad_key)
        return found

    return owner


def _hashes(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"HEARKEN_KEYS_FILE: {path} cannot be read.") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = LINE.fullmatch(line.strip())
        if not match:
            raise SettingsError(f"HEARKEN_KEYS_FILE: line {number} of {path} is not owner:sha256.")
        found[match[2]] = f"key:{match[1]}"
    return found


def _tokens(settings: Settings) -> Callable[[str], str]:
    """A check of bearer tokens: the owner, or "" for one that is not good, or not any more."""
    try:
        import jwt
    except ImportError as error:
        raise SettingsError("OIDC tokens need the extra: pip install 'hearken[serve]'.") from error
    if not (settings.oidc_jwks and settings.oidc_audience):
        raise SettingsError("HEARKEN_OIDC_ISSUER needs HEARKEN_OIDC_JWKS and HEARKEN_OIDC_AUDIENCE too.")
    try:
        keys = jwt.PyJWKSet.from_json(settings.oidc_jwks.read_text("utf-8"))
    except (OSError, ValueError, jwt.PyJWTError) as error:
        raise SettingsError(f"HEARKEN_OIDC_JWKS: {settings.oidc_jwks} holds no usable keys.") from error

    def owner(token: str) -> str:
        try:
            named = jwt.get_unverified_header(token).get("kid")
            key = next((one for one in keys.keys if one.key_id == named), None)
            if key is None:
                return ""
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=ALGORITHMS,
                audience=settings.oidc_audience,
                issuer=settings.oidc_issuer,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return ""
        if not claims["sub"]:
            return ""
        return "oidc:" + hashlib.sha256(f"{claims['iss']}\n{claims['sub']}".encode()).hexdigest()

    return owner
