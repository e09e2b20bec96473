"""The guided responder: what it may say, what it never repeats, and that every move has words."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from string import Template
from typing import Any

import pytest

from agent import guard
from agent.brief import Brief, Passage, Person, Plan, Reading, Score
from agent.errors import WordsError
from agent.guesses import load_guesses
from agent.plan import load_empathy, load_ideas, make_plan
from agent.reading.ladder import LEVELS, Cue, Kind, Level
from agent.reading.tonguecare import CARED, load_care
from agent.reading.wants import wants
from agent.responders.guided import called, load_replies, offered, respond, sentence_for
from agent.responders.replies import Moves, sentences
from agent.themes import load_themes
from agent.train.labels import TELLINGS
from agent.words import load
from tests import fakes

BANNED = re.compile(
    r"\d|https?:|www\.|!|\bI understand\b|\byou should\b|^Remember\b|\bat least\b|\balways be here\b"
    r"|\bthink positive|happens for a reason|\bI(?:'ve| have) been\b|\bI feel\b|sorry you feel|sorry that you"
    r"|how can I help|your therapist|\bclinical|licensed|everything will be"
    r"|I promise|\bI love\b|\bcalm down\b",
    re.IGNORECASE,
)
TALKS = {
    "grief": [
        "My mum died three weeks ago",
        "I keep reaching for the phone to call her",
        "the house is so quiet",
        "my brother doesn't want to talk about it",
        "I had to sort her clothes today",
        "I found her reading glasses and just sat down",
        "people say she's in a better place",
        "I miss her cooking",
        "nobody at the funeral knew what to say",
        "I can't sleep since then",
        "sometimes I am angry with her",
        "she never went to the doctor",
        "I could have made her go",
        "my aunt said I should move on",
        "it was her birthday on saturday",
        "I baked the cake she used to bake",
        "it didn't taste right",
        "I laughed at something and felt terrible",
        "my dad is all alone now",
        "I don't know how to help him",
    ],
    "work": ["my boss was unfair again and I stayed late for the deadline"] * 20,
    "vague": ["I don't feel good", "it's everything", "hard to say", "today was bad", "no idea"] * 4,
    "lonely": [f"I ate alone again and {end}" for end in ("nobody called", "it was long", "I hate it", "so")]
    * 5,
}


def reading_of(text: str, emotion: str = "", sure: bool = False, cues: Sequence[Cue] = ()) -> Reading:
    return {
        "emotions": [{"label": emotion, "p": 0.9}] if emotion else [],
        "intents": [],
        "sure": sure,
        "wants": wants(text, "en"),
        "language": "en",
        "cues": [list(cues)],
        "degraded": False,
        "heads": {},
        "evidence": [],
    }


def cue_of(kind: Kind, subject: Any = "self") -> Cue:
    return {
        "rule": "r",
        "kind": kind,
        "subject": subject,
        "level": "moderate",
        "escalate": False,
        "past": False,
        "marks": [],
        "span": [0, 1],
    }


def brief_of(
    text: str,
    *,
    want: str | None = None,
    reading: Reading | None = None,
    level: Level = "none",
    kinds: Sequence[Kind] = (),
    person: Person | None = None,
    history: Sequence[tuple[Any, str]] = (),
    before: Plan | None = None,
    passages: Sequence[Passage] = (),
    seed: int = 3,
) -> Brief:
    read = reading or reading_of(text)
    if want:
        read["wants"] = [want]
    person = person or {}
    full = [*history, ("user", text)]
    plan = make_plan(
        text=text,
        reading=read,
        level=level,
        kinds=kinds,
        escalate=False,
        person=person,
        history=full,
        before=before,
    )
    said = [one for role, spoken in history if role == "assistant" for one in sentences(spoken)]
    return {
        "text": text,
        "history": full,
        "reading": read,
        "level": level,
        "plan": plan,
        "passages": list(passages),
        "person": person,
        "said": said,
        "seed": seed,
    }


def talk(texts: Sequence[str], **given: Any) -> list[tuple[Plan, list[str]]]:
    history: list[tuple[Any, str]] = []
    before: Plan | None = None
    turns = []
    for text in texts:
        brief = brief_of(text, history=history, before=before, **given)
        reply = list(respond(brief))
        before = brief["plan"]
        history += [("user", text), ("assistant", " ".join(reply))]
        turns.append((before, reply))
    return turns


def opening(text: str) -> str:
    return " ".join(re.findall(r"[\w'’]+", text.lower())[:3])


def words_in(reply: Sequence[str]) -> int:
    return sum(len(one.split()) for one in reply)


def authored() -> Iterator[tuple[str, str]]:
    replies, ideas = load_replies(), load_ideas()
    for step, bank in replies.banks.items():
        for key, lines in bank.items():
            yield from ((f"{step}.{key}", line) for line in lines)
    for move, ways in replies.moves.items():
        if move != "other_language":
            yield from ((move, line) for way in ways for part in way.say for line in part)
    for cue in replies.cues:
        yield from ((cue.hears[0], line) for line in (*cue.back, *cue.say, *cue.ask))
    for name, told in {"bright": replies.bright, **replies.told}.items():
        yield from ((name, line) for line in (*told.back, *told.say, *told.ask))
    for guess in load_guesses().guesses:
        yield from (("guess", line) for line in guess.say)
    for name, idea in ideas.ideas.items():
        yield from ((name, line) for line in (*idea.offer, *idea.next, idea.why))


def test_every_authored_sentence_is_fit_to_send() -> None:
    count = 0
    for where, line in authored():
        for sentence in sentences(line):
            count += 1
            assert re.search(r"[.?…]$", sentence), (where, sentence)
            assert not BANNED.search(sentence), (where, sentence)
            assert len(sentence.split()) <= 24, (where, sentence)
            assert re.match(r"[A-Z“$]", sentence), (where, sentence)
        assert line.count("?") <= 1, (where, line)
    assert count >= 1500


def test_every_authored_sentence_passes_the_guard() -> None:
    slots = dict.fromkeys(("thing", "topic"), "the breakup") | {"short": "the evenings", "word": "sad"}
    slots |= {"fragment": "six years", "piece": "that pile by the door", "bit": "the van"}
    slots |= dict.fromkeys(
        ("clause", "earlier", "first", "second", "latest", "one", "two", "third"), "your boss shouted at you"
    )
    slots |= {"name": "Sam", "them": "her", "their": "her"}
    slots |= {"helped": "the walk helped", "chosen": "call the bank", "practised": "Slow breathing"}
    slots |= {name.capitalize(): text[0].upper() + text[1:] for name, text in slots.items()}
    for where, line in authored():
        for sentence in sentences(Template(line).substitute(slots)):
            assert not guard.judge(sentence, [], guard.Bounds()), (where, sentence)


def test_every_slot_is_known() -> None:
    known = {
        "clause",
        "earlier",
        "short",
        "fragment",
        "thing",
        "topic",
        "word",
        "name",
        "them",
        "their",
        "first",
        "second",
        "latest",
        "helped",
        "chosen",
        "practised",
        "piece",
        "bit",
        "one",
        "two",
        "third",
    }
    for where, line in authored():
        assert {slot.lower() for slot in re.findall(r"\$(\w+)", line)} <= known, (where, line)


def test_keys_of_the_banks_exist() -> None:
    replies, themes = load_replies(), load_themes()
    families = {emotion.family for emotion in themes.emotions.values()}
    assert families <= set(replies.banks["emotion"])
    for step in ("perspective", "listening", "invite"):
        assert set(replies.banks[step]) <= {
            *themes.themes,
            "general",
            "light",
            "early",
            "glad",
            "recall",
            "event",
            "open",
        }, step
    assert set(themes.themes) <= set(replies.banks["listening"])
    assert {idea for fit in load_ideas().heard for idea in fit.tries} <= set(load_ideas().ideas)


def test_schema_refuses_an_unknown_key(tmp_path: Any) -> None:
    (tmp_path / "bad.yaml").write_text("reviewed_by: null\nmoves:\n  a:\n    - {sya: []}\n", "utf-8")
    with pytest.raises(WordsError, match="sya"):
        load("bad.yaml", Moves, tmp_path)


@pytest.mark.parametrize("want", load_empathy().order)
@pytest.mark.parametrize("level", LEVELS)
def test_every_want_has_words_within_its_budget(want: str, level: Level) -> None:
    for person in ({}, {"brief": True}, {"advice": False}, {"questions": False}):
        brief = brief_of("tell me about my boss and my sleep", want=want, level=level, person=person)
        reply = list(respond(brief))
        assert reply
        assert words_in(reply) <= brief["plan"]["words"]
        assert sum("?" in one for one in reply) <= (1 if brief["plan"]["ask"] else 0)
        assert not re.search(r"\$|\{|\}", " ".join(reply))


@pytest.mark.parametrize("want", load_empathy().order)
def test_a_second_time_is_said_differently(want: str) -> None:
    if want == "other_language":
        return
    first, second = talk(["you there, about this", "and again, about this"], want=want)
    assert not set(first[1]) & set(second[1])
    assert opening(first[1][0]) != opening(second[1][0])


@pytest.mark.parametrize("theme", TALKS)
@pytest.mark.parametrize("seed", range(6))
def test_twenty_turns_never_repeat(theme: str, seed: int) -> None:
    turns = talk(TALKS[theme], seed=seed)
    said = [one for _, reply in turns for one in reply]
    assert [one for one, times in Counter(said).items() if times > 1] == []
    starts = Counter(opening(reply[0]) for _, reply in turns)
    assert [start for start, times in starts.items() if times > 1] == []
    assert sum(opening(one) == "it sounds like" for one in said) <= 1
    assert max(sum("?" in one for one in reply) for _, reply in turns) <= 1
    asked = [any("?" in one for one in reply) for _, reply in turns]
    assert not any(all(asked[at : at + 3]) for at in range(len(asked) - 2))
    assert all(words_in(reply) <= plan["words"] for plan, reply in turns)


def test_replies_follow_no_fixed_formula() -> None:
    turns = talk(TALKS["grief"])
    assert len({tuple(step["step"] for step in plan["steps"]) for plan, _ in turns}) >= 6
    assert {len(reply) for _, reply in turns} >= {2, 3}


def test_same_conversation_same_words_other_seed_other_words() -> None:
    texts = TALKS["grief"][:8]
    assert talk(texts, seed=5) == talk(texts, seed=5)
    assert [reply for _, reply in talk(texts, seed=5)] != [reply for _, reply in talk(texts, seed=6)]


def test_no_advice_and_no_questions_hold_for_the_whole_talk() -> None:
    offers = {one for idea in load_ideas().ideas.values() for text in idea.offer for one in sentences(text)}
    for _, reply in talk(TALKS["grief"], person={"advice": False, "questions": False}):
        assert not set(reply) & offers
        assert not any("?" in one for one in reply)


def test_an_unsure_feeling_is_not_named() -> None:
    families = {emotion.family for emotion in load_themes().emotions.values()}
    named = {
        line for key, lines in load_replies().banks["emotion"].items() for line in lines if key in families
    }
    for label in load_themes().emotions:
        for text in ("I had to go there again on monday", "my mum died"):
            reply = list(respond(brief_of(text, reading=reading_of(text, label, sure=False))))
            assert not set(reply) & named


@pytest.mark.parametrize("label", load_themes().emotions)
def test_a_sure_feeling_has_words(label: str) -> None:
    replies = load_replies()
    family = load_themes().emotions[label].family
    assert len(replies.banks["emotion"][family]) >= 3


def test_pain_behind_a_calm_front_is_met() -> None:
    masked = set(load_replies().banks["emotion"]["masked"])
    replies = [list(respond(brief_of("I'm fine, just crying all day", seed=seed))) for seed in range(12)]
    assert sum(bool(masked & set(reply)) for reply in replies) >= 6
    assert not any(
        "you're fine" in one.lower() for reply in replies for one in reply[:1] if one not in masked
    )


def test_a_passage_lends_its_technique_and_not_its_words() -> None:
    passage: Passage = {
        "id": "1",
        "question": "q",
        "text": "Quokka marmalade helps.",
        "topic": "stress",
        "techniques": ["time-out", "write-it-down"],
        "source": "s",
        "score": 0.8,
    }
    text = "what can I do about my job?"
    brief = brief_of(text, want="advice", passages=[passage])
    reply = " ".join(respond(brief))
    assert offered(brief) == "write-it-down"  # time-out does not suit work
    assert any(offer in reply for offer in load_ideas().ideas["write-it-down"].offer)
    assert "Quokka" not in reply
    careful = " ".join(respond(brief_of(text, want="advice", passages=[passage], level="moderate")))
    assert not any(offer in careful for offer in load_ideas().ideas["write-it-down"].offer)


def test_an_idea_is_followed_up_when_taken_and_replaced_when_not() -> None:
    ask = "what can I do about my boss?"
    first = brief_of(ask, want="advice")
    reply = " ".join(respond(first))
    offered_first = first["plan"]["offer"]
    history = [("user", ask), ("assistant", reply)]
    taken = brief_of("ok", want="accept", history=history, before=first["plan"])
    assert any(step in " ".join(respond(taken)) for step in load_ideas().ideas[offered_first].next)
    refused = brief_of("not that", want="decline", history=history, before=first["plan"])
    other = " ".join(respond(refused))
    assert not any(offer in other for offer in load_ideas().ideas[offered_first].offer)
    assert any(offer in other for idea in load_ideas().ideas.values() for offer in idea.offer)


@pytest.mark.parametrize("kind", load_empathy().professional_kinds)
@pytest.mark.parametrize("subject", ["self", "other"])
def test_professional_points_to_people_and_says_back_no_belief(kind: Kind, subject: str) -> None:
    text = "they put a chip in my tooth and my boss reads it"
    reading = reading_of(text, cues=[cue_of(kind, subject)])
    reply = " ".join(respond(brief_of(text, reading=reading, level="moderate", kinds=[kind])))
    assert re.search(r"doctor|midwife|pharmacist", reply)
    assert "soon" in reply or "today" in reply or "next day" in reply
    assert "chip" not in reply
    assert reply.count("?") <= 1


def test_repeat_back_says_only_what_was_said() -> None:
    history = [("user", "my boss keeps giving me his shifts"), ("assistant", "So that is how it is.")]
    reply = " ".join(respond(brief_of("what did I tell you?", want="repeat_back", history=history)))
    assert "your boss keeps giving you his shifts" in reply
    nothing = " ".join(respond(brief_of("what did I tell you?", want="repeat_back")))
    assert "you told me that" not in nothing


def test_truth_about_itself() -> None:
    for seed in range(10):
        for text in ("are you human?", "are you a licensed therapist?", "what is your name?"):
            reply = " ".join(respond(brief_of(text, want="identity", seed=seed)))
            assert re.search(r"\bAI\b|program|software", reply)


def test_name_is_used_only_when_given() -> None:
    replies = [
        " ".join(respond(brief_of("hi", want="greeting", person={"name": "Sam"}, seed=s))) for s in range(20)
    ]
    assert any("Sam" in reply for reply in replies)
    assert not any("$name" in " ".join(respond(brief_of("hi", want="greeting", seed=s))) for s in range(20))


@pytest.mark.parametrize(
    "code", ["fr", "de", "pt", "it", "nl", "hi", "ar", "ru", "tr", "zh", "ja", "ko", "und"]
)
def test_other_languages_get_a_line(code: str) -> None:
    reading = reading_of("hola") | {"language": code}
    reply = list(respond(brief_of("hola", want="other_language", reading=reading)))  # type: ignore[arg-type]
    simple = load_care(code).talk["simple"] if code in CARED else ("English",)
    assert any(line in " ".join(reply) for line in simple)
    assert all(re.search(r"[.?…।؟]$", one) for one in reply)


def test_repair_sentences_are_fresh_until_none_are_left() -> None:
    brief = brief_of("my boss was unfair again")
    said: list[str] = []
    while (one := sentence_for({**brief, "said": said}, len(said))) is not None:
        assert one not in said
        said.append(one)
    assert len(said) >= 6


def said_to(text: str, **given: Any) -> str:
    return " ".join(respond(brief_of(text, **given)))


def test_the_idea_offered_is_the_idea_spoken() -> None:
    ideas = load_ideas().ideas
    for text in ("what can I do about my boss?", "I can't sleep, any advice?", "how do I tell my dad?"):
        for seed in range(4):
            brief = brief_of(text, want="advice", seed=seed)
            reply = " ".join(respond(brief))
            spoken = {name for name, idea in ideas.items() if any(one in reply for one in idea.offer)}
            assert spoken == {brief["plan"]["offer"]} == {offered(brief)}


def test_what_made_it_worse_is_not_offered_again() -> None:
    history: list[tuple[Any, str]] = [("user", "what can I do"), ("assistant", "Breathe in gently.")]
    for text in ("not that, I tried breathing and it makes it worse", "something else then"):
        brief = brief_of(text, history=history)
        assert brief["plan"]["offer"] != "paced-breathing"
        reply = " ".join(respond(brief))
        assert "breath" not in reply.lower()
        history += [("user", text), ("assistant", reply)]


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("My daughter moved out last week and the flat is so empty.", r"gone flat|numb|nothing inside"),
        ("My mum is in hospital since Tuesday.", r"your (own )?(body|health)"),
        ("Maybe she blames me for choosing the hospital.", r"^((?!maybe).)*she blames you"),
        ("I don't want advice, I just want to be heard.", r"you just want to be heard"),
        ("my phone died in the middle of it", r"\bloss\b|lost someone|grief|what were they like"),
        ("I used to sing in a choir in my old town", r"[Cc]hurch|believe"),
        ("he snapped at me for asking", r"your patience|[Ll]osing your temper|harder than you wanted"),
        ("my daughter is ashamed of me", r"conscience|[Gg]uilt"),
        ("it just slipped out, she said", r"happened again|come and said so"),
        ("my friend was complaining about being tired", r"worn thin|in the tank|real rest"),
        ("I signed the divorce papers this morning", r"on the mat|opened it"),
        ("no one in my family knows I had a problem", r"(?<!no )\bone in your family"),
    ],
)
def test_nothing_is_presumed_that_was_not_said(text: str, never: str) -> None:
    for seed in range(8):
        assert not re.search(never, said_to(text, seed=seed), re.IGNORECASE | re.DOTALL)


def test_a_first_reply_says_back_what_was_said() -> None:
    for seed in range(8):
        reply = list(respond(brief_of("my boss keeps giving me his shifts", seed=seed)))
        assert "your boss" in " ".join(reply[:2]).lower()
        assert reply[-1].endswith("?")
        assert words_in(reply) <= 60


def test_an_answer_is_taken_up() -> None:
    asked: list[tuple[Any, str]] = [("user", "I'm lonely"), ("assistant", "When do you feel it most?")]
    assert "mostly the mornings" in said_to("mostly the mornings", history=asked).lower()
    assert "you had a choir" in said_to("in my old town I had a choir", history=asked)


def test_a_small_step_is_welcomed() -> None:
    brief = brief_of("maybe I could look for one here")
    assert brief["plan"]["move"] == "step"
    assert re.match(
        r"That sounds like a good|Yes, that could|That sounds like your own", next(iter(respond(brief)))
    )


@pytest.mark.parametrize("text", ["You're all I need.", "promise you'll never leave me", "i love you"])
def test_dependence_is_met_warmly_and_honestly(text: str) -> None:
    reply = said_to(text)
    assert re.search(r"program|software", reply)
    assert re.search(r"person|people|someone|Who", reply)
    assert not re.search(r"love you too|always be here|you should", reply)


def test_wishes_are_acknowledged_and_done() -> None:
    assert "Sam" in said_to("call me Sam", person={"name": "Sam"})
    assert words_in(list(respond(brief_of("call me Sam", person={"name": "Sam"})))) <= 12
    assert words_in(list(respond(brief_of("shorter please", person={"brief": True})))) <= 20


def past_cue(kind: Kind) -> Cue:
    return {**cue_of(kind), "level": "low", "past": True}


def test_an_attempt_that_is_over_is_neither_praised_nor_alarmed_at() -> None:
    for seed in range(8):
        reading = reading_of("I tried to kill myself ten years ago", cues=[past_cue("suicide")])
        brief = brief_of(
            "I tried to kill myself ten years ago", reading=reading, level="low", kinds=["suicide"], seed=seed
        )
        assert brief["plan"]["move"] == "survived"
        reply = " ".join(respond(brief))
        assert not re.search(r"well done|worth more|you did do|counts|brave|kill", reply, re.IGNORECASE)


def test_a_loss_by_suicide_is_grief_first() -> None:
    text = "My brother killed himself last year. I keep asking myself what I missed."
    for seed in range(8):
        reading = reading_of(text, cues=[{**cue_of("bereaved"), "level": "low"}])
        brief = brief_of(text, reading=reading, level="low", kinds=["bereaved"], seed=seed)
        assert brief["plan"]["move"] == "bereaved"
        reply = " ".join(respond(brief))
        assert "suicide" in reply
        assert "loss" in reply
        assert not re.search(r"committed|killed|your family", reply)


def test_a_belief_is_not_shared_and_the_fear_is() -> None:
    reply = said_to("the neighbours send signals through the wall and you were awakened to protect me")
    assert "program" in reply or "software" in reply
    assert "signal" in reply or "goes out" in reply
    assert not re.search(r"delusion|not real|imagin|you're right", reply)


def test_a_sentence_that_stands_in_is_that_of_the_step() -> None:
    text = "My sister moved away and nobody calls me any more."
    brief = fakes.brief(text)
    brief["plan"]["steps"] = [{"step": "mirroring", "why": ""}, {"step": "listening", "why": ""}]
    first, second, third = (sentence_for(brief, position) for position in range(3))
    assert first is not None
    assert "?" not in first
    assert "moved away" in first or "calls" in first or first in called(text)
    plain = load_replies().banks["repair"]["later"]
    assert second in plain
    assert third in plain


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("do you think im clingy", "looks like that to me|don't see that"),
        ("you understand me?", "come across|comes across"),
        ("I talk to her photograph. You will think me daft.", "odd at all|nothing daft"),
        ("Do people get over this?", "can't see ahead|Nobody can tell you"),
        ("is there any help for people like me", "There often is|in many places"),
        ("please not yoga", "not that|stays out of it|leave that one be"),
        ("wish me luck", "All the best|Good luck"),
        ("Can you tell me if I'll end up in a wheelchair?", "I can't know that|That I can't tell"),
        ("don't say you understand", "those words out|words stay out"),
    ],
)
def test_what_is_put_to_us_is_answered(text: str, says: str) -> None:
    reply = " ".join(respond(brief_of(text, history=[("user", "my wife died"), ("assistant", "Okay.")])))
    assert re.search(says, reply), reply


def test_a_theme_only_mentioned_is_not_asked_about_for_long() -> None:
    history: list[tuple[Any, str]] = [("user", "my daughter set this up"), ("assistant", "Okay.")]
    history += [
        ("user", "good"),
        ("assistant", "Mm."),
        ("user", "the garden is wet"),
        ("assistant", "I see."),
    ]
    asked = set(load_replies().banks["listening"]["parenting"])
    for seed in range(8):
        brief = brief_of("it was hard and I sat there alone", history=history, seed=seed)
        assert asked.isdisjoint(respond(brief))


def test_no_mere_nod_stands_before_a_question_that_follows_from_what_was_said() -> None:
    nods = set(load_replies().banks["mirroring"]["plain"])
    history: list[tuple[Any, str]] = [("user", "my mum has dementia"), ("assistant", "That's a lot.")]
    for seed in range(8):
        brief = brief_of("my brother in australia sends emojis", history=history, seed=seed)
        reply = list(respond(brief))
        assert nods.isdisjoint(reply) or not any(one.endswith("?") for one in reply), reply


def test_two_words_that_tell_nothing_are_not_met_with_a_question() -> None:
    history: list[tuple[Any, str]] = [("user", "my boss moved me off the team"), ("assistant", "Okay.")]
    for seed in range(8):
        assert not any("?" in one for one in respond(brief_of("hes fine", history=history, seed=seed)))


@pytest.mark.parametrize(
    "clause", ["i couldn't say", "he would be 71", "she would have stood there and said no"]
)
def test_what_one_could_or_would_have_done_is_no_mere_view(clause: str) -> None:
    frames = [one.partition("$")[0] for one in load_replies().banks["mirroring"]["view"]]
    history: list[tuple[Any, str]] = [("user", "my dad died"), ("assistant", "Okay.")]
    for seed in range(6):
        reply = " ".join(respond(brief_of(clause, history=history, seed=seed)))
        assert not any(frame and frame != "You're saying that " and frame in reply for frame in frames), reply


@pytest.mark.parametrize("seed", range(6))
def test_what_was_tried_is_not_merely_said_back(seed: int) -> None:
    for text in ("i tried the writing thing already", "I've tried yoga, pacing, everything"):
        reply = said_to(text, seed=seed)
        assert "you tried the" not in reply.lower()
        assert "you've tried yoga" not in reply.lower()


@pytest.mark.parametrize("seed", range(6))
def test_age_and_place_are_not_said_back_as_news(seed: int) -> None:
    for text in ("i'm 34 years old", "he's 15", "it's stupid to cry over a cat"):
        reply = said_to(text, seed=seed)
        assert not re.search(r"34 years|he's 15|stupid to cry", reply)


@pytest.mark.parametrize("seed", range(6))
def test_a_question_of_guilt_after_a_lost_pregnancy_is_answered(seed: int) -> None:
    reply = " ".join(talk(["I lost the baby at 11 weeks", "did I do something wrong?"], seed=seed)[-1][1])
    assert "hardly ever" in reply or "nobody could have changed" in reply
    assert "don't know" not in reply


@pytest.mark.parametrize("seed", range(4))
def test_worth_and_cost_of_a_professional_are_spoken_of(seed: int) -> None:
    text = "How do I know if talking to a professional is worth the money"
    assert "find_care" in wants(text)
    reply = said_to(text, want="find_care", seed=seed)
    assert re.search(r"two or three talks|first call", reply, re.IGNORECASE)


TOLD = {  # a message whose words no cue knows, and what it does
    "kindness": "the lad from the bakery kept one back for me",
    "guilt": "I signed the form without reading him the second page",
    "unsaid": "so I said the soup was lovely and we both looked at the window",
    "relief": "they rang at ten to five and it is only a cyst",
    "torn": "one day I pack the box and the next I unpack it",
}


@pytest.mark.parametrize(("telling", "text"), TOLD.items())
def test_what_a_message_does_is_answered_where_no_cue_knows_its_words(telling: str, text: str) -> None:
    told, before = load_replies().told[telling], [("user", "hello"), ("assistant", "Hello.")]
    theirs = {one for line in (*told.back, *told.say, *told.ask) for one in sentences(line)}
    without = {one for seed in range(5) for one in respond(brief_of(text, history=before, seed=seed))}
    assert not theirs & without
    for seed in range(5):
        reading: Reading = {**reading_of(text), "telling": telling}
        assert theirs & set(respond(brief_of(text, reading=reading, history=before, seed=seed)))


def test_a_bright_message_is_not_called_hard() -> None:
    low: Reading = {**reading_of(TOLD["kindness"], "sad", sure=True), "telling": "kindness"}
    hard = re.compile(r"hard|heavy|sad|painful|a lot|easy", re.IGNORECASE)
    for seed in range(8):
        reply = list(respond(brief_of(TOLD["kindness"], reading=low, seed=seed)))
        assert not any(hard.search(one) for one in reply[1:]), reply


def test_each_telling_of_the_model_has_its_place_in_the_words() -> None:
    assert set(load_replies().told) == set(TELLINGS)
    assert not load_replies("es").told  # the model reads English


def test_one_of_several_bright_things_is_answered_as_bright() -> None:
    likely = [Score(label="joy", p=0.4), Score(label="relief", p=0.35), Score(label="fact", p=0.25)]
    reading: Reading = {**reading_of(TOLD["kindness"]), "heads": {"telling": likely}}
    bright = load_replies().bright
    theirs = {one for line in (*bright.back, *bright.say, *bright.ask) for one in sentences(line)}
    assert theirs & set(respond(brief_of(TOLD["kindness"], reading=reading)))
    dull: Reading = {**reading, "heads": {"telling": [Score(label="joy", p=0.6), Score(label="fact", p=0.4)]}}
    assert not theirs & set(respond(brief_of(TOLD["kindness"], reading=dull)))


def test_a_no_to_our_question_is_an_answer_and_no_correction() -> None:
    told, text = load_replies().told["denies"], "No, I went by bus and it took two hours"
    theirs = {one for line in (*told.back, *told.say, *told.ask) for one in sentences(line)}
    reading: Reading = {**reading_of(text), "telling": "denies"}
    asked = [("user", "the car broke"), ("assistant", "Did someone drive you?")]
    guessed = [("user", "the car broke"), ("assistant", "Maybe you felt stranded.")]
    assert not theirs & set(respond(brief_of(text, reading=reading, history=asked)))
    assert theirs & set(respond(brief_of(text, reading=reading, history=guessed)))


def test_where_a_mistake_would_hurt_it_must_be_surer() -> None:
    text = "so the dog came back again, third night on our porch"
    told = load_replies().told["pet_loss"]
    theirs = {one for line in (*told.back, *told.say, *told.ask) for one in sentences(line)}
    for p, said in ((0.5, False), (0.9, True)):
        heads = {"telling": [Score(label="pet_loss", p=p), Score(label="scene", p=1 - p)]}
        reading: Reading = {**reading_of(text), "telling": "pet_loss", "heads": heads}
        assert bool(theirs & set(respond(brief_of(text, reading=reading)))) is said
