"""Settings come from the environment, when asked, and say what is wrong with them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.errors import SettingsError
from agent.settings import load_settings


def test_defaults_need_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HEARKEN_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings = load_settings()
    assert settings.responder == "guided"
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
