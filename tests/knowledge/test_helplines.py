"""The registry: what is shipped, whom it offers to whom, and what it refuses to load."""

import hashlib
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from agent.responders.static import BAKED, EMERGENCY
from graph import services as serving
from knowledge.helplines import CHECK, HelplineError, contact_tokens, load_helplines
from knowledge.registry import retired

HELPLINES = load_helplines()
ROOT = Path(__file__).parents[2]
REGISTRY = ROOT / "knowledge" / "helplines.csv"
KINDS = [
    *("suicide", "self_harm", "overdose", "medical", "harm_to_others", "psychosis", "mania", "abuse"),
    *("sexual_assault", "minor", "eating_disorder", "substance", "medication", "perinatal", "bereaved"),
    "distress",
]
LEVELS = ("moderate", "high", "imminent")
HEADER = "country,name,phone,sms,chat_url,hours,audience,certainty,category,basis,notes,verified_at\n"


def offered(country, kinds, level, **more):
    return HELPLINES.contacts(country, kinds, level=level, **more)


def names(country, kinds, level, **more):
    return [contact["name"] for contact in offered(country, kinds, level, **more)]


def test_every_iso_country_is_named_and_no_low_certainty_row_is_shipped():
    assert len(HELPLINES.countries()) == 249
    assert HELPLINES.countries()["GB"] == "United Kingdom"
    assert HELPLINES.known("TV")
    assert not HELPLINES.known("XX")
    assert len(HELPLINES.covered()) == 84
    assert {row.certainty for row in HELPLINES.rows} == {"high", "medium"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", LEVELS)
def test_every_country_gets_one_to_three_contacts_all_its_own(kind, level):
    for country in [*HELPLINES.countries(), None]:
        found = offered(country, [kind], level, young=kind == "minor")
        assert 1 <= len(found) <= 3
        assert {contact["country"] for contact in found} <= {country, "ZZ"}
        if country not in HELPLINES.covered():
            assert not any(contact["phone"] or contact["sms"] for contact in found)
        elif level == "imminent":
            assert found[0]["category"] == "emergency"
        elif level == "moderate":
            assert all(contact["category"] != "emergency" for contact in found)
        else:
            assert any(contact["category"] == "emergency" for contact in found)


def test_an_unknown_or_uncovered_country_gets_a_directory_never_another_country():
    for country in ("TV", "XX", None):
        (found,) = offered(country, ["suicide"], "high")
        assert found["chat_url"] == "https://findahelpline.com"
        assert HELPLINES.emergency(country) is None
    young = offered(None, ["minor"], "high", young=True)
    assert all(contact["category"] == "directory" for contact in young)


def test_a_covered_country_without_a_crisis_line_gets_emergency_and_a_directory():
    assert [contact["category"] for contact in offered("BG", ["suicide"], "imminent")] == [
        "emergency",
        "directory",
    ]


def test_britain_and_ireland_show_samaritans_first():
    for country in ("GB", "IE"):
        assert names(country, ["suicide"], "high")[0] == "Samaritans"
        assert names(country, ["suicide"], "imminent")[1] == "Samaritans"


def test_moderate_adds_a_line_to_write_to_only_when_the_first_has_none():
    assert names("US", ["suicide"], "moderate") == ["988 Suicide & Crisis Lifeline"]
    assert names("GB", ["suicide"], "moderate") == ["Samaritans", "Shout"]


def test_belgium_is_offered_both_languages():
    assert {"Zelfmoordlijn", "Centre de Prévention du Suicide"} == set(names("BE", ["suicide"], "moderate"))


@pytest.mark.parametrize(
    ("country", "kind", "expected"),
    [
        ("US", "abuse", "domestic_violence"),
        ("US", "sexual_assault", "sexual_assault"),
        ("GB", "minor", "child_youth"),
        ("AU", "eating_disorder", "eating_disorder"),
        ("NZ", "substance", "substance"),
        ("US", "perinatal", "perinatal"),
        ("US", "overdose", "poison"),
        ("FR", "suicide", "suicide_crisis"),
        ("JP", "sexual_assault", "suicide_crisis"),
    ],
)
def test_each_kind_reaches_its_own_line_or_falls_back_to_a_crisis_line(country, kind, expected):
    lines = [contact for contact in offered(country, [kind], "high") if contact["category"] != "emergency"]
    assert lines[0]["category"] == expected


def test_dangers_to_the_body_put_emergency_first_as_soon_as_they_are_high():
    assert offered("US", ["overdose"], "high")[0]["category"] == "emergency"
    assert offered("US", ["abuse"], "high")[-1]["category"] == "emergency"
    assert [contact["category"] for contact in offered("US", ["medical"], "high")] == ["emergency"]


def test_two_kinds_each_get_their_best_line():
    assert names("US", ["abuse", "suicide"], "high")[:2] == [
        "National Domestic Violence Hotline",
        "988 Suicide & Crisis Lifeline",
    ]


def test_lines_for_some_people_only_are_never_offered_unasked():
    shown = {
        contact["name"]
        for country in HELPLINES.covered()
        for kind in KINDS
        for contact in offered(country, [kind], "high", limit=20)
    }
    never = {row.name for row in HELPLINES.rows if row.category in {"veterans", "lgbtq"}}
    assert never
    assert not shown & (never | {"Men’s Advice Line", "Hope for Wellness Help Line", "love is respect"})


def test_child_lines_are_for_the_young_and_for_children_in_danger():
    assert "Childline" not in names("GB", ["suicide"], "high", limit=20)
    assert any(
        "PAPYRUS" in name or name == "Childline" for name in names("GB", ["suicide"], "high", young=True)
    )
    assert names("GB", ["minor"], "high")[0] == "Childline"


def test_somebody_who_cannot_speak_gets_a_line_that_takes_messages_first():
    for country in ("US", "NZ", "SG"):
        first = offered(country, ["suicide"], "high", cannot_speak=True)[0]
        assert first["sms"]
    assert names("GB", ["suicide"], "high", cannot_speak=True)[:2] == ["Shout", "Samaritans"]


def test_a_line_that_is_closed_now_is_not_offered_first():
    noon = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    night = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    assert names("IT", ["suicide"], "high", now=noon)[0] == "Telefono Amico Italia"
    ranked = [row.name for row in HELPLINES._ranked("EE", "suicide_crisis", False, noon)]
    assert ranked == ["Emotional/pastoral support line", "Eluliin"]
    assert names("IT", ["suicide"], "moderate", now=night)  # closed is ranked last, never dropped


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        ("24/7", None, True),
        ("see site", datetime(2026, 11, 23, 12, 0), None),
        ("10-22", None, None),
        ("10-22", datetime(2026, 11, 23, 21, 59), True),
        ("10-22", datetime(2026, 11, 23, 22, 0), False),
        ("19:00-07:00", datetime(2026, 11, 23, 2, 0), True),
        ("8am-midnight", datetime(2026, 11, 23, 23, 30), True),
        ("Mon-Fri 9.30am-5.30pm", datetime(2026, 11, 23, 9, 30), True),
        ("Mon-Fri 9.30am-5.30pm", datetime(2026, 11, 22, 12, 0), False),
        ("16-22 Mon-Sat", datetime(2026, 11, 22, 17, 0), False),
        ("Mon-Fri 10am-10pm ET", datetime(2026, 11, 24, 2, 0, tzinfo=UTC), True),
        ("Mon-Fri 10am-10pm ET", datetime(2026, 11, 24, 4, 0, tzinfo=UTC), False),
    ],
)
def test_hours_are_read_and_what_cannot_be_read_is_unknown(hours, moment, expected):
    from knowledge.hours import is_open

    assert is_open(hours, "", moment) is expected


def test_medium_certainty_asks_to_check_the_number():
    (found,) = [c for c in offered("TR", ["suicide"], "moderate") if c["category"] != "emergency"]
    assert found["note"] == "check this number"
    assert offered("US", ["suicide"], "moderate")[0]["note"] == ""


def test_a_number_verified_long_ago_asks_to_be_checked(tmp_path):
    book = written(tmp_path, "US,Line,988,,,24/7,general,high,suicide_crisis,M,,2026-01-05\n")
    long_after, soon_after = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert book.contacts("US", ["suicide"], level="high", now=long_after)[0]["note"] == "check this number"
    assert book.contacts("US", ["suicide"], level="high", now=soon_after)[0]["note"] == ""
    assert book.age(date(2026, 2, 1)) == (1, 1, date(2026, 1, 5))
    assert book.age(date(2026, 11, 20)).verified == 0


def test_allowed_holds_every_number_offered_and_no_retired_or_foreign_one():
    for country in [*HELPLINES.covered(), "TV", None]:
        allowed = HELPLINES.allowed(country)
        for kind in KINDS:
            for contact in offered(country, [kind], "high", young=True):
                assert (
                    contact_tokens(f"{contact['phone']} | {contact['sms']} | {contact['chat_url']}")
                    <= allowed
                )
    assert {"988", "911", "741741", "988lifeline.org", "findahelpline.com"} <= HELPLINES.allowed("US")
    assert "18002738255" not in HELPLINES.allowed("US")
    assert "199284284" not in HELPLINES.allowed("IT")
    assert "18002214444" not in HELPLINES.allowed("SG")
    assert "116123" not in HELPLINES.allowed("US")
    assert not any(token.isdigit() for token in HELPLINES.allowed(None))


def test_tokens_are_digits_and_bare_hosts():
    text = "Call 13 11 14 or (02) 8893 7603, text HOME to 741741, see https://www.iasp.info/x, born 1984."
    assert contact_tokens(text) == {"131114", "0288937603", "741741", "iasp.info"}


def written(folder: Path, rows: str):
    path = folder / "book.csv"
    path.write_text(HEADER + rows, "utf-8")
    return load_helplines(path)


@pytest.mark.parametrize(
    ("row", "fix"),
    [
        ("XX,Line,1,,,24/7,general,high,general,M,,", "ISO 3166"),
        ("US,,1,,,24/7,general,high,general,M,,", "name"),
        ("US,Line,1,,,24/7,general,low,general,M,,", "certainty"),
        ("US,Line,1,,,24/7,general,high,psychic,M,,", "category"),
        ("US,Line,,,,24/7,general,high,general,M,,", "phone, sms or chat_url"),
        ("US,Line,call us,,,24/7,general,high,general,M,,", "digits"),
        ("US,Line,,,example.org,24/7,general,high,general,M,,", "http"),
        ("KR,Line,1393,,,24/7,general,high,general,M,,", "retired"),
        ("US,Line,1-800-273-8255,,,24/7,general,high,general,M,,", "retired"),
        ("US,Line,1,,,24/7,general,high,general,M,,yesterday", "verified_at"),
        ("US,Line,1,,,24/7,general,high,general,,,", "basis"),
        ("US,Line,1234567890123456,,,24/7,general,high,general,M,,", "15 digits"),
        ("US,Line,1", "12 cells"),
    ],
)
def test_a_broken_row_is_refused_with_file_line_and_fix(tmp_path, row, fix):
    with pytest.raises(HelplineError, match=rf"book\.csv line 2.*{fix}"):
        written(tmp_path, row + "\n")


def test_doubles_wrong_columns_and_missing_files_are_refused(tmp_path):
    row = "US,Line,1,,,24/7,general,high,general,M,,\n"
    with pytest.raises(HelplineError, match="line 3: Line is listed twice"):
        written(tmp_path, row + row)
    (tmp_path / "odd.csv").write_text("a,b\n", "utf-8")
    with pytest.raises(HelplineError, match="line 1: the columns"):
        load_helplines(tmp_path / "odd.csv")
    with pytest.raises(HelplineError, match="reinstall"):
        load_helplines(tmp_path / "gone.csv")


# The nine demands on the registry, SR-H1 to SR-H9, where the tests above do not meet them already.


def test_every_row_is_a_short_code_or_a_whole_number_with_a_country_a_name_and_a_source():
    assert len({(row.country, row.name) for row in HELPLINES.rows}) == len(HELPLINES.rows)
    for row in HELPLINES.rows:
        assert re.fullmatch(r"[A-Z]{2}", row.country), row
        assert row.basis.strip(), row
        assert not row.phone or re.fullmatch(r"[+(*]?\d[\d\s().-]*( \D+ \d+)?", row.phone), row
        digits = re.sub(r"\D", "", row.phone)
        assert not digits or 2 <= len(digits) <= 15, row


def test_what_is_less_certain_is_marked_wherever_it_is_shown():
    for country in HELPLINES.covered():
        for kind in KINDS:
            for contact in offered(country, [kind], "high", limit=20, young=True):
                assert contact["certainty"] in {"high", "medium"}
                assert (contact["note"] == CHECK) == (contact["certainty"] == "medium"), contact


def test_no_number_was_dialled_so_long_ago_that_it_should_not_be_released(tmp_path):
    today = datetime.now(UTC).date()
    assert not HELPLINES.expired(today), "dial these again, and write the new date into verified_at"
    book = written(tmp_path, "US,Line,988,,,24/7,general,high,suicide_crisis,M,,2026-01-05\n")
    assert not book.expired(date(2027, 1, 5))
    assert [row.name for row in book.expired(date(2027, 1, 6))] == ["Line"]
    assert not [
        row for row in HELPLINES.rows if row.verified_at and date.fromisoformat(row.verified_at) > today
    ]


def test_beside_a_number_that_was_dialled_one_that_was_not_says_so(tmp_path):
    rows = "GB,Samaritans,116 123,,,24/7,general,high,suicide_crisis,M,,2026-11-01\n"
    rows += "GB,Shout,,85258,,24/7,general,high,suicide_crisis,M,,\n"
    book = written(tmp_path, rows)
    notes = book.contacts("GB", ["suicide"], level="high", now=datetime(2026, 11, 20, tzinfo=UTC))
    assert [(contact["name"], contact["note"]) for contact in notes] == [("Samaritans", ""), ("Shout", CHECK)]


def test_a_conversation_looks_at_the_date_and_the_hour(tmp_path, monkeypatch):
    """What the registry can tell is told only if the caller says what time it is."""
    rows = "US,Line,988,,,24/7,general,high,suicide_crisis,M,,2020-01-05\n"
    book = written(tmp_path, rows)
    monkeypatch.setattr(serving, "load_helplines", lambda: book)
    (contact,) = serving.Services().contacts("US", ["suicide"], level="moderate")
    assert contact["note"] == CHECK


@pytest.mark.parametrize("young", [False, True])
@pytest.mark.parametrize("cannot_speak", [False, True])
@pytest.mark.parametrize("hour", [3, 15])
def test_whoever_asks_and_whenever_there_is_somebody_to_reach(young, cannot_speak, hour):
    now = datetime(2026, 11, 22, hour, 30, tzinfo=UTC)  # a Sunday
    for country in [*HELPLINES.covered(), "TV", "XX", None]:
        for kind in KINDS:
            found = offered(country, [kind], "high", young=young, cannot_speak=cannot_speak, now=now)
            assert 1 <= len(found) <= 3
            assert {contact["country"] for contact in found} <= {country, "ZZ"}


def test_whatever_the_hour_a_line_that_is_closed_is_not_first_while_another_is_open():
    from knowledge.hours import is_open

    for hour in range(0, 168, 7):
        now = datetime(2026, 11, 23 + hour // 24, hour % 24, 30, tzinfo=UTC)
        for country in HELPLINES.covered() - {"GB", "IE"}:  # there Samaritans, who never close, come first
            for category in ("suicide_crisis", "general", "child_youth", "domestic_violence"):
                ranked = HELPLINES._ranked(country, category, False, now)
                zone = HELPLINES.zones.get(country, "")
                narrow = {"english_speakers", "disaster", "overdose_prevention", "social_emergency"}
                wide = [row for row in ranked if row.audience not in narrow | {"child_protection"}]
                states = [is_open(row.hours, zone, now) for row in wide]
                if True in states:
                    assert states[0] is True, (country, category, now)


def test_the_retired_numbers_are_nowhere():
    assert {
        "KR": {"1393"},
        "SG": {"18002214444"},
        "IT": {"199284284"},
        "CA": {"18334564566"},
        "IN": {"18005990019"},
        "US": {"18009312237", "18002738255"},
    } == retired()
    for row in HELPLINES.rows:
        told = contact_tokens(f"{row.name} | {row.phone} | {row.sms}")  # a note may say which number is old
        assert not told & retired().get(row.country, set()), row
        assert not re.search(r"988.*press 3", f"{row.phone} {row.notes}"), row
    baked = contact_tokens(" | ".join(word for line in BAKED.values() for word in line))
    long_ones = {number for numbers in retired().values() for number in numbers if len(number) > 4}
    assert not (baked | set(EMERGENCY.values())) & (long_ones | {"1393"})
    texts = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("ui/words/*"),
        *ROOT.glob("agent/words/*"),
    ]
    for file in [*texts, *ROOT.glob("knowledge/starter/*.yaml")]:
        if file.suffix in {".md", ".yaml"}:
            assert not contact_tokens(file.read_text("utf-8")) & long_ones, file


def test_the_registry_is_the_one_that_was_signed_for():
    """A number must not change unseen: whoever changes the file signs for it in the same change."""
    signed, _, name = (ROOT / "knowledge" / "helplines.sha256").read_text("utf-8").strip().partition("  ")
    found = hashlib.sha256(REGISTRY.read_bytes()).hexdigest()
    assert name == REGISTRY.name
    assert found == signed, (
        "read the change again, then: cd knowledge && sha256sum helplines.csv > helplines.sha256"
    )
