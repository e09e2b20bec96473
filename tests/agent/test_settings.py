"""Settings come from the environment, when asked, and say what is wrong with them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.backends import Endpoint, Proxy
from agent.errors import SettingsError
from agent.settings import load_settings


def test_defaults_need_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HEARKEN_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings = load_settings()
    assert settings.backend.kind == "guided"
    assert settings.country is None
    assert settings.index_dir == tmp_path / "hearken" / "index"


def test_a_country_is_read_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARKEN_COUNTRY", " gb ")
    assert load_settings().country == "GB"


@pytest.mark.parametrize(
    ("name", "value"),
    [("HEARKEN_THREADS", "0"), ("HEARKEN_PASSAGES", "many"), ("HEARKEN_RESPONDER", "parrot")],
)
def test_a_bad_value_is_named_with_what_it_may_be(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_settings_do_not_change_under_way() -> None:
    with pytest.raises(ValidationError):
        load_settings().country = "US"


def test_a_backend_is_read_from_the_variables_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "RESPONDER": "proxy", "BASE": "big", "EXPERT": "tuned", "ANTI_EXPERT": "small", "ALPHA": "0.5",
        "DTYPE": "4bit", "MAX_TOKENS": "99", "MODEL": "of another kind",
    }  # fmt: skip
    for name, value in told.items():
        monkeypatch.setenv(f"HEARKEN_{name}", value)
    assert load_settings().backend == Proxy(
        base="big", expert="tuned", anti_expert="small", alpha=0.5, dtype="4bit", max_tokens=99
    )


def test_an_endpoints_key_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RESPONDER": "endpoint", "ENDPOINT_URL": "http://x/v1", "MODEL": "m"}.items():
        monkeypatch.setenv(f"HEARKEN_{name}", value)
    monkeypatch.setenv("HEARKEN_ENDPOINT_KEY", "sk-very-secret")
    settings = load_settings()
    assert isinstance(settings.backend, Endpoint)
    assert settings.backend.key is not None
    assert settings.backend.key.get_secret_value() == "sk-very-secret"
    assert "very-secret" not in f"{settings!r} {settings.model_dump(mode='json')} {settings.backend!r}"


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"RESPONDER": "huggingface"}, "HEARKEN_MODEL"),
        ({"RESPONDER": "endpoint", "MODEL": "m"}, "HEARKEN_ENDPOINT_URL"),
        ({"RESPONDER": "proxy", "BASE": "b", "EXPERT": "e"}, "HEARKEN_ANTI_EXPERT"),
        ({"RESPONDER": "huggingface", "MODEL": "m", "DTYPE": "int3"}, "HEARKEN_DTYPE"),
        ({"RESPONDER": "huggingface", "MODEL": "m", "TOP_P": "7"}, "HEARKEN_TOP_P"),
        (
            {"RESPONDER": "endpoint", "MODEL": "m", "ENDPOINT_URL": "http://x", "ENDPOINT_SECONDS": "-1"},
            "HEARKEN_ENDPOINT_SECONDS",
        ),
    ],
)
def test_what_a_backend_lacks_is_named_at_once(
    told: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in told.items():
        monkeypatch.setenv(f"HEARKEN_{name}", value)
    with pytest.raises(SettingsError, match=named):
        load_settings()
