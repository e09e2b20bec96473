"""What the person wants of this turn, and what they want of every turn after it.

`wants` reads one message; `wishes` keeps what lasts (a name, no advice, no questions, shorter). All
patterns live in agent/words/wants.yaml. It knows nothing of risk, of feelings, of the turns before
this one ("no" is a decline whether or not something was offered) and of any language but English and
Spanish, which has patterns of its own in agent/words/es/wants.yaml.

The text is folded first (case, apostrophes, texting slang, "do not" -> "dont"), then read word by
word: every pattern begins with a plain word, so that only the patterns of a word are tried there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from agent.brief import Person
from agent.errors import WordsError
from agent.reading.spanish import plain
from agent.words import Strict, load, named, tongue

__all__ = ["wants", "wishes"]

_AGAINST: dict[str, Literal["brief", "longer"]] = {"brief": "longer", "longer": "brief"}
_LONG = 120  # words from which a message counts as an outpouring
_HEAD, _TAIL = 3000, 1500  # characters read of a longer message: a wish stands where it begins or ends


class Rule(Strict):
    """Patterns of one want or wish, by where in the message they must stand."""

    whole: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    sentence: tuple[str, ...] = ()
    anywhere: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    hits: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()


class Want(Rule):
    """One want: `id` is what `wants` returns. Their order in the file is their precedence."""

    id: str
    about: str


class Wish(Rule):
    """A lasting preference: what `key` of the Person becomes. `wants`: want ids that say the same."""

    key: Literal["advice", "questions", "brief", "longer", "plain"]
    value: bool
    wants: tuple[str, ...] = ()
    only_undoes: bool = False


class Naming(Strict):
    """How people give a name (`give`, one group) or take it back, and words that are no names."""

    give: tuple[str, ...]
    drop: tuple[str, ...]
    never: frozenset[str]
    hits: dict[str, str]
    misses: tuple[str, ...]


class Words(Strict):
    """The schema of agent/words/wants.yaml."""

    parts: dict[str, str]
    spell: dict[str, str]
    fold: dict[str, str]
    lead: frozenset[str]
    trail: frozenset[str]
    mash: str
    wants: tuple[Want, ...]
    wishes: tuple[Wish, ...]
    name: Naming


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One compiled pattern of rule number `rule`; `veto` patterns take the rule away again."""

    rule: int
    where: str
    veto: bool
    source: str

    @property
    def regex(self) -> re.Pattern[str]:
        return _compiled(self.source)


@cache  # a message calls for a few of the patterns; compiling all at once is half a second
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source)


@cache
def _words(language: str = "en") -> Words:
    return load(named("wants.yaml", language), Words)


@cache
def _index(language: str = "en") -> dict[str, tuple[str, list[_Pattern]]]:
    """Every pattern under each word that it can begin with, and one that tells in one go if none matches."""
    words, index = _words(language), dict[str, list[_Pattern]]()
    for number, rule in enumerate((*words.wants, *words.wishes)):
        for where in ("whole", "start", "sentence", "anywhere", "unless"):
            for source in cast("tuple[str, ...]", getattr(rule, where)):
                veto = where == "unless"
                filled = re.sub(r"<(\w+)>", lambda name: words.parts[name[1]], source).rstrip()
                pattern = _Pattern(number, "anywhere" if veto else where, veto, filled + r"(?= |$)")
                for word in _first_words(source):
                    index.setdefault(word, []).append(pattern)
    return {word: ("|".join(sorted({one.source for one in shelf})), shelf) for word, shelf in index.items()}


def _first_words(source: str) -> list[str]:
    """The plain words a pattern can begin with: one, or one for each choice of its first group.

    A number stands under "0". Raises WordsError where a first word is not plain.
    """
    choices, depth = [""], 0
    for letter in source:
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            break
        choices = [*choices, ""] if letter == "|" and depth == 1 else [*choices[:-1], choices[-1] + letter]
    plain = re.compile(r"\(?([a-z][a-z0-9]*|\\d)(?=$| |\+|\(\?(?:=|: ))")
    first = [plain.match(choice) for choice in choices if choice] or [plain.match(source)]
    if source.startswith(("(?", "<")) or None in first:
        raise WordsError(f"The pattern {source!r} of wants.yaml must begin with a plain word.")
    return ["0" if word[1] == "\\d" else word[1] for word in first if word]


def _folded(text: str, language: str = "en") -> list[str]:
    """The words of a message in lower case, with "." and "?" as words where a sentence ends."""
    words = _words(language)
    if len(text) > _HEAD + _TAIL:
        text = f"{text[:_HEAD]} . {text[-_TAIL:]}"
    text = plain(text) if language == "es" else text
    text = re.sub("[\u2018\u2019\u02bc`\u00b4']", "", text.casefold())
    text = re.sub("[\u201c\u201d]", '"', text)
    told = re.sub(r'"[^"\n]{1,400} [^"\n]{1,400}"', " quoted ", text)  # what others said is no wish of theirs
    if re.search(r"[^\W_]", told.replace("quoted", "")):
        text = told
    tokens: list[str] = []
    for raw in re.findall(r"[^\W_]+|[.?!;:\n]+", text):
        if not raw[0].isalnum():
            if tokens and tokens[-1] not in ".?":
                tokens.append("?" if "?" in raw else ".")
            continue
        for word in words.spell.get(raw, raw).split():
            pair = words.fold.get(f"{tokens[-1]} {word}") if tokens else None
            tokens[-1:] = [pair] if pair else [*tokens[-1:], word]
    return tokens if not tokens or tokens[-1] in ".?" else [*tokens, "."]


def _openings(tokens: list[str], lead: frozenset[str]) -> Iterator[tuple[bool, bool]]:
    """For each word: whether it can open the message, and whether it can open a sentence."""
    message = sentence = True
    for word in tokens:
        yield message, sentence
        if word in ".?":
            sentence, message = True, message and sentence
        else:
            sentence = sentence and word in lead
            message = message and sentence


def _found(tokens: list[str], language: str = "en") -> dict[int, int]:
    """The rules that a message meets: number -> position of the last match."""
    words, index = _words(language), _index(language)
    text, at = " ".join(tokens), 0
    found, vetoed = dict[int, int](), set[int]()
    end = len(tokens)
    while end and (tokens[end - 1] in ".?" or (tokens[end - 1] in words.trail and end > 1)):
        end -= 1
    close = len(" ".join(tokens[:end]))
    for word, (message, sentence) in zip(tokens, _openings(tokens, words.lead), strict=True):
        any_of, shelf = index.get("0" if word.isdigit() else word, ("", []))
        for pattern in shelf if any_of and _compiled(any_of).match(text, at) else ():
            if not {"whole": message, "start": message, "sentence": sentence}.get(pattern.where, True):
                continue
            match = pattern.regex.match(text, at)
            if match is None or (pattern.where == "whole" and match.end() < close):
                continue
            if pattern.veto:
                vetoed.add(pattern.rule)
            else:
                found[pattern.rule] = at
        at += len(word) + 1
    return {rule: position for rule, position in found.items() if rule not in vetoed}


def _unclear(text: str, tokens: list[str]) -> bool:
    """Whether nothing can be made of the message: a bare question mark, digits, mashed keys."""
    if not tokens:
        return "?" in text
    said = [word for word in tokens if word not in ".?"]
    return len(said) <= 4 and all(word.isdigit() or re.search(_words().mash, word) for word in said)


def wants(text: str, language: str = "en") -> list[str]:
    """Want ids of agent/words/wants.yaml that a message expresses, most specific first; never empty.

    language: ISO 639-1 or `und`; any but these, `en` and `es` puts `other_language` first. `vent` stands
    where nothing else does, and after `long_outpouring` (120 words and more).
    """
    read = tongue(language)
    tokens = _folded(text, read)
    if not any(word not in ".?" for word in tokens):
        return ["unclear"] if _unclear(text, []) else ["silence"]
    rules = _words(read).wants
    found = _found(tokens, read)
    ids = [want.id for number, want in enumerate(rules) if number in found]
    ids = [one for one in ids if one != "unclear"] or ["unclear"] * (
        "unclear" in ids or _unclear(text, tokens)
    )
    if language not in ("en", "es", "und", ""):
        return ["other_language", *ids]
    if len(text.split()) >= _LONG:
        ids.append("long_outpouring")
    return ids if ids and ids != ["long_outpouring"] else [*ids, "vent"]


def wishes(text: str, person: Person, language: str = "en") -> Person:
    """`person` with the lasting preferences of one message added; a new dict.

    Where a message both asks for and takes back the same thing, what it says last counts. Asking
    what to do ends "no advice", but is no preference by itself.
    """
    read = tongue(language)
    words, kept = _words(read), person.copy()
    found = _found(_folded(text, read), read)
    numbers = {want.id: number for number, want in enumerate(words.wants)}
    heard: list[tuple[int, Wish]] = []
    for number, wish in enumerate(words.wishes, start=len(words.wants)):
        at = [found.get(rule, -1) for rule in (number, *(numbers[want] for want in wish.wants))]
        heard.append((max(at), wish))
    for at_last, wish in sorted(heard, key=lambda pair: pair[0]):
        if at_last >= 0 and (not wish.only_undoes or kept.get(wish.key) is (not wish.value)):
            kept[wish.key] = wish.value
            other = _AGAINST.get(wish.key)
            if wish.value and other and other in kept:
                kept[other] = False
    return _named(text, kept, read)


def _named(text: str, person: Person, language: str = "en") -> Person:
    """`person` with the name that the message gives, or without the one it takes back."""
    naming = _words(language).name
    text = re.sub("[\u2018\u2019\u02bc`\u00b4]", "'", text[:_HEAD])
    if any(re.search(pattern, text, re.IGNORECASE) for pattern in naming.drop):
        person.pop("name", None)
        return person
    names = (match[1] for pattern in naming.give if (match := re.search(pattern, text, re.IGNORECASE)))
    for name in names:
        if name.casefold() not in naming.never:
            person["name"] = name.title() if name.islower() or name.isupper() else name
            break
    return person
