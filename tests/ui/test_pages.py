"""Every page but the conversation, in every state: what it shows, what it does, what it leaves on disk."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from agent.errors import SettingsError
from agent.exercises import exercises
from agent.safety_plan import load_plan_words
from graph import moods, shelf
from graph.store import listed
from tests.ui.pages import WANTS_TO_DIE, everything, files, literal, opened, replies, say, turn_to
from ui.cli import app as cli
from ui.wording import load_ui_words

CANARY = "CANARY-66ff"
PAGES = ("talk", "talks", "moods", "plan", "exercises", "choices")


@pytest.fixture
def page(filled: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    return opened(monkeypatch, HEARKEN_COUNTRY="GB")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "conversations.sqlite"


def on_disk(folder: Path) -> bool:
    return any(CANARY.encode() in p.read_bytes() for p in folder.rglob("*") if p.is_file())


def kept(at: AppTest, text: str) -> str:
    if at.chat_message:
        at.button(key="new").click().run()
    at.toggle(key="keep").set_value(True).run()
    say(at, text)
    return str(at.session_state.session.thread)


@pytest.mark.parametrize("name", PAGES)
def test_help_the_exit_and_the_protocol_are_on_every_page(page: AppTest, name: str) -> None:
    turn_to(page, name)
    assert "tel:116123" in everything(page)
    assert "## What is looked for" in everything(page)
    assert page.button(key="leave")


@pytest.mark.parametrize("name", PAGES)
def test_help_asks_for_the_country_and_shows_its_lines(
    filled: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    at = opened(monkeypatch)
    turn_to(at, name)
    assert "tel:116123" not in everything(at)
    at.selectbox(key="country-help").set_value("GB").run()
    assert not at.exception
    assert "tel:116123" in everything(at)
    assert at.session_state.session.person["country"] == "GB"


def test_a_card_of_danger_asks_for_the_country_while_it_is_not_known(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = opened(monkeypatch)
    say(at, WANTS_TO_DIE)
    at.selectbox(key="country-card").set_value("GB").run()
    assert not at.exception
    assert "tel:116123" in everything(at)
    assert not [one for one in at.selectbox if one.key == "country-card"]


@pytest.mark.parametrize("name", [name for name in PAGES if name != "talk"])
def test_the_lines_stay_in_sight_on_every_page_while_danger_holds(page: AppTest, name: str) -> None:
    say(page, WANTS_TO_DIE)
    turn_to(page, name)
    assert load_ui_words().card_title in everything(page)


def test_the_conversation_is_still_there_after_a_walk_through_the_pages(page: AppTest) -> None:
    say(page, "my cat died yesterday")
    before = replies(page)
    for name in PAGES:
        turn_to(page, name)
    turn_to(page, "talk")
    assert replies(page) == before


def test_leaving_clears_the_browser_session_and_points_elsewhere(page: AppTest) -> None:
    say(page, f"{CANARY} my cat died")
    page.button(key="leave").click().run()
    assert not page.exception
    assert CANARY not in everything(page)
    assert "session" not in page.session_state
    assert load_ui_words().leaving.gone in everything(page)
    assert not page.chat_input


def test_who_is_under_18_is_kept_nothing_of_and_gets_lines_for_the_young(
    page: AppTest, tmp_path: Path
) -> None:
    page.toggle(key="keep").set_value(True).run()
    page.selectbox(key="age").select("under").run()
    assert literal(load_ui_words().start.young) in literal(everything(page))
    assert page.toggle(key="keep").disabled
    say(page, f"{CANARY} " + WANTS_TO_DIE)
    assert "PAPYRUS" in everything(page)
    assert not on_disk(tmp_path)


# My conversations


def test_nothing_kept_is_said_to_be_nothing(page: AppTest, database: Path) -> None:
    turn_to(page, "talks")
    assert load_ui_words().talks.none in everything(page)
    assert not database.exists()


def test_what_keeping_means_stands_in_sight_once_it_is_on(page: AppTest) -> None:
    told = literal(load_ui_words().keep_help)
    assert told not in literal(everything(page))
    page.toggle(key="keep").set_value(True).run()
    assert told in literal(everything(page))


def test_keeping_is_agreed_to_with_its_wording_and_time(page: AppTest, database: Path) -> None:
    kept(page, "my cat died yesterday")
    assert shelf.chosen(database, "consent").startswith(shelf.CONSENT)


def test_conversations_are_listed_searched_and_renamed(page: AppTest) -> None:
    first = kept(page, "my cat died yesterday")
    second = kept(page, "my boss shouted at me")
    turn_to(page, "talks")
    assert {b.key for b in page.button} >= {f"open-{first}", f"open-{second}"}
    page.text_input(key="search").set_value("SHOUTED").run()
    assert f"open-{first}" not in [b.key for b in page.button]
    page.text_input(key="search").set_value("nothing like it").run()
    assert load_ui_words().talks.nothing_found in everything(page)
    page.text_input(key="search").set_value("").run()
    page.text_input(key=f"name-{first}").set_value("Minou").run()
    page.button(key=f"named-{first}").click().run()
    assert "Minou" in [e.value for e in page.text]


def test_opening_one_goes_on_with_it(page: AppTest) -> None:
    thread = kept(page, "my cat died yesterday")
    kept(page, "my boss shouted at me")
    turn_to(page, "talks")
    page.button(key=f"open-{thread}").click().run()
    assert page.chat_message[0].text[0].value == "my cat died yesterday"
    turn_to(page, "talk")
    say(page, "she was old")
    assert len(replies(page)) == 2


def test_deleting_one_leaves_no_byte_of_it(page: AppTest, tmp_path: Path, database: Path) -> None:
    thread = kept(page, f"{CANARY} happened")
    other = kept(page, "my boss shouted at me")
    turn_to(page, "talks")
    page.button(key=f"erase-{thread}").click().run()
    assert [one for one, _ in listed(database)] == [other]
    assert not on_disk(tmp_path)


def test_deleting_the_open_one_begins_anew(page: AppTest, tmp_path: Path) -> None:
    thread = kept(page, f"{CANARY} happened")
    turn_to(page, "talks")
    page.button(key=f"erase-{thread}").click().run()
    turn_to(page, "talk")
    assert not page.chat_message
    assert not on_disk(tmp_path)


def test_deleting_everything_leaves_nothing(page: AppTest, tmp_path: Path, database: Path) -> None:
    kept(page, f"{CANARY} happened")
    turn_to(page, "moods")
    page.feedback(key="face").set_value(1).run()
    page.text_area(key="mood-note").set_value(f"{CANARY} note").run()
    page.checkbox(key="mood-keep").set_value(True).run()
    page.button(key="mood-do").click().run()
    assert on_disk(tmp_path)
    turn_to(page, "talks")
    page.button(key="delete-all-do").click().run()
    assert listed(database) == []
    assert not on_disk(tmp_path)
    turn_to(page, "talk")
    assert not page.chat_message
    assert page.toggle(key="keep").value is False


def test_how_long_conversations_stay_is_theirs_to_choose(page: AppTest, database: Path) -> None:
    kept(page, "my cat died yesterday")
    turn_to(page, "talks")
    page.selectbox(key="days").select("7").run()
    assert shelf.chosen(database, "days") == "7"


# How I've been


def test_a_check_in_is_shown_and_gone_with_the_page_unless_kept(
    page: AppTest, tmp_path: Path, database: Path
) -> None:
    turn_to(page, "moods")
    assert load_ui_words().moods.none in everything(page)
    page.feedback(key="face").set_value(3).run()
    page.text_area(key="mood-note").set_value(f"{CANARY} walked").run()
    page.button(key="mood-do").click().run()
    assert not page.exception
    assert f"{CANARY} walked" in [e.value for e in page.text]
    assert page.get("vega_lite_chart") or page.get("arrow_vega_lite_chart")
    assert not on_disk(tmp_path)
    assert not database.exists()


def test_a_kept_check_in_can_be_erased(page: AppTest, tmp_path: Path, database: Path) -> None:
    turn_to(page, "moods")
    page.feedback(key="face").set_value(3).run()
    page.text_area(key="mood-note").set_value(f"{CANARY} walked").run()
    page.checkbox(key="mood-keep").set_value(True).run()
    page.button(key="mood-do").click().run()
    assert [one.note for one in moods.moods(database)] == [f"{CANARY} walked"]
    page.button(key="moods-delete-do").click().run()
    assert load_ui_words().moods.none in everything(page)
    assert not on_disk(tmp_path)


def test_a_note_that_tells_of_danger_is_answered_with_the_lines(page: AppTest) -> None:
    turn_to(page, "moods")
    page.feedback(key="face").set_value(0).run()
    page.text_area(key="mood-note").set_value(WANTS_TO_DIE).run()
    page.button(key="mood-do").click().run()
    assert load_ui_words().card_title in everything(page)


def test_a_note_without_a_face_is_asked_for_one_and_heard_for_danger_all_the_same(page: AppTest) -> None:
    turn_to(page, "moods")
    page.text_area(key="mood-note").set_value(WANTS_TO_DIE).run()
    page.button(key="mood-do").click().run()
    assert [one.value for one in page.toast] == [load_ui_words().moods.choose]
    assert page.text_area(key="mood-note").value == WANTS_TO_DIE
    assert load_ui_words().card_title in everything(page)


def test_a_restricted_place_gathers_no_feelings(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(monkeypatch, HEARKEN_JURISDICTION="restricted")
    turn_to(at, "moods")
    assert load_ui_words().moods.restricted in everything(at)
    assert not at.get("feedback")


# Safety plan


def test_the_plan_is_written_step_by_step_and_shared_with_the_conversation(page: AppTest) -> None:
    turn_to(page, "plan")
    assert load_ui_words().plan.empty in everything(page)
    for step in load_plan_words().steps:
        if step.id == "professionals":
            page.multiselect(key="plan-contacts").set_value(["Samaritans"]).run()
        else:
            page.text_area(key=f"plan-{step.id}").set_value(f"mine for {step.id}\nand more").run()
        page.button(key="plan-next").click().run()
        assert not page.exception
    assert literal(load_ui_words().plan.done) in literal(page.success[0].value)
    plan = page.session_state.session.safety_plan()
    assert plan["complete"]
    assert plan["steps"][0]["entries"] == ["mine for signs", "and more"]
    assert [row["name"] for row in plan["steps"][4]["contacts"]] == ["Samaritans"]
    assert load_ui_words().plan.save in files(page)
    page.button(key="plan-back").click().run()
    assert page.text_area(key="plan-around").value == "mine for around\nand more"


def test_the_plan_begun_in_the_conversation_is_the_one_on_the_page(page: AppTest) -> None:
    say(page, "can we write a safety plan")
    say(page, "I stop answering messages")
    turn_to(page, "plan")
    assert "• I stop answering messages" in [e.value for e in page.text]
    assert page.text_area(key="plan-signs").value == "I stop answering messages"


def test_danger_in_the_plan_brings_the_lines(page: AppTest) -> None:
    turn_to(page, "plan")
    page.text_area(key="plan-signs").set_value(WANTS_TO_DIE).run()
    page.button(key="plan-next").click().run()
    assert load_ui_words().card_title in everything(page)


# Exercises


def test_an_exercise_is_led_through_one_step_at_a_time(page: AppTest) -> None:
    turn_to(page, "exercises")
    name, exercise = next(iter(exercises().items()))
    assert len([b for b in page.button if (b.key or "").startswith("begin-")]) == len(exercises())
    page.button(key=f"begin-{name}").click().run()
    for step in exercise.steps:
        assert step.say[0] in literal(everything(page))
        assert load_ui_words().exercises.worse_title in [one.label for one in page.expander]
        page.button(key="exercise-next").click().run()
        assert not page.exception
    assert exercise.ends[0] in literal(everything(page))
    page.button(key="exercise-others").click().run()
    assert page.button(key=f"begin-{name}")


@pytest.mark.parametrize("name", list(exercises()))
def test_an_exercise_can_be_gone_on_with_in_the_conversation(page: AppTest, name: str) -> None:
    turn_to(page, "exercises")
    page.button(key=f"begin-{name}").click().run()
    page.button(key="exercise-together").click().run()
    assert not page.exception
    turn = next(iter(page.session_state.turns.values()))
    assert "practice" in turn.path
    assert page.session_state.session._values["practice"]["name"] == name


# Settings


def test_the_length_of_replies_is_chosen_and_holds_for_the_next_conversation(page: AppTest) -> None:
    turn_to(page, "choices")
    page.get("button_group")
    page.session_state.length = "brief"
    page.run()
    turn_to(page, "talk")
    say(page, "my cat died yesterday")
    page.button(key="new").click().run()
    assert page.session_state.session.person.get("brief") is True


def test_settings_say_what_is_where_and_what_is_looked_up(page: AppTest, tmp_path: Path) -> None:
    turn_to(page, "choices")
    shown = literal(everything(page))
    assert str(tmp_path / "data") in shown
    assert load_ui_words().choices.nothing_kept in shown
    assert load_ui_words().choices.sources["starter"] in shown
    assert load_ui_words().choices.guided in shown


def test_every_part_is_checked_in_words(page: AppTest) -> None:
    turn_to(page, "choices")
    page.button(key="check").click().run()
    assert not page.exception
    assert [e.value for e in page.success] == [load_ui_words().choices.all_well]
    for name in load_ui_words().choices.parts.values():
        assert name in everything(page)


def test_answers_are_added_from_a_file(page: AppTest, tmp_path: Path) -> None:
    turn_to(page, "choices")
    rows = "questionID,questionTitle,questionText,topic,answerText\n" + "\n".join(
        f'{n},"How can I sleep {n}","I lie awake at night {n}.",sleep,'
        f'"Going to bed at the same hour each night, number {n}, may help the body to learn when to rest.'
        f' A walk in the daylight can help as well, and so can a book."'
        for n in range(2)
    )
    page.file_uploader(key="answers").upload("answers.csv", rows.encode(), "text/csv").run()
    page.button(key="add-file").click().run()
    assert not page.exception
    assert page.success or page.warning


def test_a_page_that_many_share_keeps_nothing_and_changes_nothing(
    filled: Path, monkeypatch: pytest.MonkeyPatch, database: Path
) -> None:
    at = opened(monkeypatch, HEARKEN_COUNTRY="GB", HEARKEN_SHARED="true")
    assert at.toggle(key="keep").disabled
    at.session_state["keep"] = True  # as somebody would who writes to the page by other means
    say(at, f"my friend {CANARY} was unkind to me")
    assert replies(at)
    turn_to(at, "moods")
    assert at.checkbox(key="mood-keep").disabled
    turn_to(at, "talks")
    turn_to(at, "choices")
    assert [button.key for button in at.button if button.key in {"models-look", "add-file"}] == []
    assert not database.exists()
    assert not on_disk(filled)


def test_others_reach_the_page_only_where_it_keeps_nothing() -> None:
    ran = CliRunner().invoke(cli, ["ui", "--host", "0.0.0.0", "--no-browser"])  # noqa: S104 - refused, which is the point
    assert isinstance(ran.exception, SettingsError)
    assert "HEARKEN_SHARED" in str(ran.exception)
