"""The page's words in every language there is a file for: whole, with the same slots, and on every page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from agent.exercises import exercises
from agent.plan import load_empathy
from agent.reading.assess import load_reasons
from agent.rulebook import load_guard
from agent.safety_plan import load_plan_words
from agent.train.labels import EMOTIONS
from tests.ui.pages import WANTS_TO_DIE, everything, literal, opened, say, turn_to
from ui.wording import fill, languages, load_ui_words, plain, protocol, said_in

WORDS = Path(__file__).parents[2] / "ui" / "words"


def slots(node: Any, at: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every string with the slots in it, by where it stands."""
    if isinstance(node, str):
        yield at, tuple(sorted(set(re.findall(r"\$(\w+)", node))))
    elif isinstance(node, dict):
        for key, part in node.items():
            yield from slots(part, f"{at}.{key}")
    elif isinstance(node, list):
        for number, part in enumerate(node):
            yield from slots(part, f"{at}.{number}")


def test_english_comes_first_and_spanish_is_there() -> None:
    assert next(iter(languages())) == "en"
    assert languages()["es"] == "Español"


@pytest.mark.parametrize("language", list(languages()))
def test_every_language_says_everything_with_the_same_slots(language: str) -> None:
    english = dict(slots(load_ui_words("en").model_dump()))
    assert dict(slots(load_ui_words(language).model_dump())) == english
    assert set(load_ui_words(language).feelings) == set(EMOTIONS)


@pytest.mark.parametrize("language", [code for code in languages() if code != "en"])
def test_no_sentence_was_left_in_english(language: str) -> None:
    def texts(code: str) -> dict[str, str]:
        found: dict[str, str] = {}

        def walk(node: Any, at: str) -> None:
            if isinstance(node, str):
                found[at] = node
            elif isinstance(node, dict | list):
                for key, part in node.items() if isinstance(node, dict) else enumerate(node):
                    walk(part, f"{at}.{key}")

        walk(load_ui_words(code).model_dump(), "")
        return found

    english, other = texts("en"), texts(language)
    same = {at for at in english if english[at] == other[at] and len(english[at].split()) > 2}
    assert same == set()


@pytest.mark.parametrize("language", [code for code in languages() if code != "en"])
def test_whatever_the_panel_may_say_of_a_turn_can_be_said_in_every_language(language: str) -> None:
    reasons = load_reasons()
    rest = reasons.model_dump(exclude={"kinds", "reviewed_by"}).values()
    english = {
        *reasons.kinds.values(),
        *rest,
        *load_empathy().learned.why.values(),
        *load_guard().why.values(),
    }
    assert {one for one in english if said_in(language, one) == one} == set()
    told = yaml.safe_load((WORDS / f"said.{language}.yaml").read_text("utf-8"))["sentences"]
    assert set(told) - english == set()


def test_how_safety_works_is_told_in_the_language() -> None:
    assert protocol("es").startswith("Este asistente")
    assert protocol("en").startswith("This assistant")


def test_a_slot_left_empty_is_no_silent_failure() -> None:
    with pytest.raises(KeyError):
        fill("$count of $all", count=1)


def test_our_own_lines_survive_markdown() -> None:
    line = "A line (24/7) * with_marks [1]"
    assert literal(plain(line)) == line


@pytest.fixture
def spanish(filled: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    at = opened(monkeypatch, HEARKEN_COUNTRY="ES")
    at.selectbox(key="language").select("es").run()
    assert not at.exception
    return at


def test_the_language_is_chosen_on_the_first_screen_and_holds_everywhere(spanish: AppTest) -> None:
    words = load_ui_words("es")
    assert words.about[0] in literal(everything(spanish))
    assert literal(words.start.spoken) in literal(everything(spanish))
    for name in ("talks", "moods", "plan", "exercises", "choices"):
        turn_to(spanish, name)
        assert getattr(words, name).title in everything(spanish)
        assert words.help_title in everything(spanish)


def test_danger_in_spanish_is_heard_and_its_card_is_in_spanish(spanish: AppTest) -> None:
    say(spanish, "Quiero matarme")
    assert load_ui_words("es").card_title in everything(spanish)
    assert "tel:024" in everything(spanish)
    say(spanish, WANTS_TO_DIE)
    assert literal(load_ui_words("es").why.crisis) in literal(everything(spanish))


def test_why_a_spanish_reply_came_about_is_told_in_spanish_alone(spanish: AppTest) -> None:
    say(spanish, "Me peleé con mi hermana y no puedo dormir")
    panel = literal("\n".join(one.value for one in spanish.expander[-1].markdown))
    assert said_in("es", load_reasons().nothing) in panel
    assert load_reasons().nothing not in panel


def test_plan_and_exercises_are_in_spanish_on_their_pages(spanish: AppTest) -> None:
    turn_to(spanish, "plan")
    step = load_plan_words("es").steps[0]
    assert step.title in literal(everything(spanish))
    spanish.text_area(key=f"plan-{step.id}").set_value("duermo mal").run()
    spanish.button(key="plan-next").click().run()
    assert load_plan_words("es").export.title in literal(everything(spanish))
    assert load_plan_words().export.title not in literal(everything(spanish))
    turn_to(spanish, "exercises")
    name, exercise = next(iter(exercises("es").items()))
    assert exercise.title in literal(everything(spanish))
    spanish.button(key=f"begin-{name}").click().run()
    assert exercise.steps[0].say[0] in literal(everything(spanish))
    spanish.button(key="exercise-together").click().run()
    assert not spanish.exception
    assert any("practice" in turn.path for turn in spanish.session_state.turns.values())
