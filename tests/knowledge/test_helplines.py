"""The registry: what is shipped, whom it offers to whom, and what it refuses to load."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from knowledge.helplines import HelplineError, contact_tokens, load_helplines

HELPLINES = load_helplines()
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
    from knowledge.helplines import _open

    assert _open(hours, "", moment) is expected


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
