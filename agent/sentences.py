"""How text is cut into sentences, cleaned of markup, folded for matching, and searched for contacts.

It knows nothing of what may be said. What it knows of writing (look-alike letters, number words, how an
address is spelt) is data, in agent/words/sentences.yaml; English is the only language it folds.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from agent.words import Strict, load

__all__ = [
    "clean", "contacts", "disguised", "emoji", "finished", "fold_text", "foreign", "looping", "pattern",
    "questions", "registered", "split", "strange", "switching", "unquoted", "words_of",
]  # fmt: skip

_LONGEST = 2400  # characters that are cleaned; the rest of such a text is nothing anyone should read
_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_MARKS = str.maketrans({"‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"', "؟": "?"})
_UNSEEN = frozenset(("Cf", "Cc", "Cs"))  # invisible, control, and half of a character
_LEET = str.maketrans("01345@$7", "oieasast")
_LEETED = re.compile("[01345@$7]")
_JOINS = dict.fromkeys(map(ord, '-–—_*~`"“”«»'), " ")
_JOINED = frozenset(map(chr, _JOINS))
_SPACED = re.compile(r"[ .*-][a-z][ .*-][a-z]")  # stands in whatever is spelt out
_SPELT = re.compile(r"\b(?:[a-z][ .*-]){3,30}[a-z]\b")
_MIXED = re.compile(r"[^\W\d_]\d+[^\W\d_]")
_WORD = re.compile(r"[\w']+")


class Writing(Strict):
    """The file sentences.yaml."""

    lookalikes: dict[str, str]
    contractions: dict[str, str]
    numbers: dict[str, str]
    parts: dict[str, str]
    finders: dict[str, str]
    common: str
    abbreviations: str
    strip: dict[str, str]


@dataclass(frozen=True)
class _Reader:
    """sentences.yaml, compiled."""

    find: Mapping[str, re.Pattern[str]]
    strip: tuple[tuple[re.Pattern[str], str], ...]
    lookalikes: Mapping[int, str]
    short: re.Pattern[str]
    shortened: tuple[str, ...]
    contractions: Mapping[str, str]
    numbers: Mapping[str, str]
    common: frozenset[str]
    abbreviations: frozenset[str]


@cache
def _reader() -> _Reader:
    words = load("sentences.yaml", Writing)
    whole = [re.escape(word) for word in words.contractions if word[0] != "'"]
    ends = [re.escape(word) for word in words.contractions if word[0] == "'"]
    return _Reader(
        find={name: pattern(source, words.parts) for name, source in words.finders.items()},
        strip=tuple((re.compile(source, re.I | re.M), text) for source, text in words.strip.items()),
        lookalikes={ord(char): plain for plain, chars in words.lookalikes.items() for char in chars},
        short=re.compile(rf"\b(?:{'|'.join(whole)})\b|(?<=[a-z])(?:{'|'.join(ends)})\b"),
        shortened=("'", *(word for word in words.contractions if "'" not in word)),
        contractions=words.contractions,
        numbers=words.numbers,
        common=frozenset(words.common.split()),
        abbreviations=frozenset(words.abbreviations.split()),
    )


def pattern(source: str, parts: Mapping[str, str]) -> re.Pattern[str]:
    """`source` compiled, with each {name} replaced by that part (parts may name parts)."""
    before = ""
    while source != before:
        before = source
        source = re.sub(r"\{([a-z_]+)\}", lambda match: f"(?:{parts[match[1]]})", source)
    return re.compile(source)


def clean(sentence: str) -> str:
    """The sentence without images, link targets, HTML, headings, emphasis, our speaker label, invisibles.

    Idempotent. Lists, other labels and prompt tokens are left in place, for a judge to refuse.
    """
    strip, before = _reader().strip, ""
    sentence = sentence[:_LONGEST]
    while sentence != before:  # each pass shortens the text or is the last
        before = sentence
        if not sentence.isprintable() or not sentence.isascii():
            sentence = "".join(c for c in sentence if c.isspace() or unicodedata.category(c) not in _UNSEEN)
        for source, text in strip:
            sentence = source.sub(text, sentence)
        sentence = re.sub(r"\s+", " ", sentence).strip()
    return sentence


def split(text: str) -> list[str]:
    """The sentences of a text: a line break always ends one; abbreviations, numbers, quotes never do.

    Joined by spaces they give the text back, whitespace aside.
    """
    reader, sentences = _reader(), []
    for line in filter(None, map(str.strip, text.splitlines())):
        start = 0
        quoted = [match.span() for match in reader.find["quoted"].finditer(line)]
        for stop in reader.find["stop"].finditer(line):
            inside = any(opened < stop.start() and stop.end() < closed for opened, closed in quoted)
            if not inside and _ends(
                line[start : stop.end()], line[stop.end() :].lstrip(), reader.abbreviations
            ):
                sentences.append(line[start : stop.end()].strip())
                start = stop.end()
        if line[start:].strip():
            sentences.append(line[start:].strip())
    return sentences


def _ends(sentence: str, rest: str, abbreviations: frozenset[str]) -> bool:
    """Whether a stop at the end of `sentence`, followed by `rest`, closes it."""
    last = sentence.rsplit(maxsplit=1)[-1].lstrip("(\"'“‘").casefold()
    if last in abbreviations:
        return False
    if re.fullmatch(r"\d{1,2}\.|[a-z]\.", last) and (len(sentence.split()) == 1 or last[0].isalpha()):
        return last == "i."
    soft = last.endswith(("...", "…", '"', "”", "'", "’", ".m."))
    return not (soft and rest[:1].islower())


def _seen(text: str) -> str:
    """What a reader's eye makes of the text: no invisible characters, compatible forms and digits unified."""
    if text.isascii():
        return text
    shown = "".join(
        char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf"
    )
    shown = re.sub("[\ufe0e\ufe0f\u20e3]", "", shown)
    return "".join(str(unicodedata.digit(c, "")) if c.isdigit() else c for c in shown).translate(_MARKS)


def fold_text(text: str) -> str:
    """The text as English patterns expect it: lower case, look-alikes, disguises and contractions undone."""
    reader = _reader()
    text = _seen(html.unescape(text)).casefold()
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
        text = text.translate(reader.lookalikes)
    # Each step is left out where it would change nothing, for every sentence ever said passes here often.
    if _LEETED.search(text):
        text = re.sub(r"(?<=[a-z])[01345@$7](?=[a-z])", lambda match: match[0].translate(_LEET), text)
    if _SPACED.search(text):
        text = _SPELT.sub(_spelt_out, text)
    if not _JOINED.isdisjoint(text):
        text = text.translate(_JOINS)
    if any(word in text for word in reader.shortened):
        text = reader.short.sub(lambda match: reader.contractions[match[0]], text)
        text = text.replace("n't", " not")
    return " ".join(text.split())


def _spelt_out(match: re.Match[str]) -> str:
    """`t h e r a p i s t` in one word; a first "a" or "i" may as well be a word of its own."""
    letters = re.sub("[^a-z]", "", match[0])
    return f"{letters[0]} {letters[1:]} {letters}" if letters[0] in "ai" else letters


def unquoted(text: str) -> str:
    """The text without what stands in double quotes, unless hardly anything else is there."""
    rest = _reader().find["quoted"].sub(" ~ ", text)
    return rest if len(re.findall(r"\w+", rest)) > 1 else text


def words_of(folded: str) -> frozenset[str]:
    """The different words of a folded text, to tell whether two sentences say the same."""
    return frozenset(_WORD.findall(folded))


def questions(text: str) -> int:
    """Question marks outside double quotes: words offered for someone else to say are not asked here."""
    text = _seen(text)
    return len(re.findall(r"\?+", re.sub(r'"[^"]*"', " ", text))) if "?" in text else 0


def emoji(text: str) -> list[str]:
    """The emoji and typed smileys of a text."""
    return [match[0] for match in _reader().find["emoji"].finditer(text)]


def finished(sentence: str) -> bool:
    """Whether it ends like a sentence, and not in the middle of one."""
    find = _reader().find
    return bool(find["finished"].search(sentence)) and not find["unfinished"].search(sentence)


def strange(text: str, heard: str = "") -> bool:
    """Corrupted tokens, scripts mixed within a word, or a script other than Latin or that of `heard`."""
    if _reader().find["corrupt"].search(text):
        return True
    if text.isascii():
        return False
    known = {"LATIN"} | (_scripts(heard) if heard else set())
    japanese = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}
    if known & japanese:
        known |= japanese
    for scripts in map(_scripts, text.split()):
        mixed = "LATIN" in scripts and len(scripts) > 1 and not scripts & (japanese | {"HANGUL"})
        if scripts - known or mixed:
            return True
    return False


def _scripts(text: str) -> set[str]:
    return {unicodedata.name(char, "?").split()[0] for char in text if char.isalpha()} - {
        "FEMININE",
        "MASCULINE",
    }


def foreign(words: Sequence[str]) -> bool:
    """Whether the folded words are not English: at most one in six is a common English word."""
    common = _reader().common
    known = sum(word in common for word in words)
    return len(words) >= 4 and known * 6 <= len(words)


def switching(folded: str) -> bool:
    """Whether a text that may begin in English goes on in another language: six words in a row not common."""
    common, run = _reader().common, 0
    for word in _WORD.findall(folded):
        run = run + 1 if word.isalpha() and word not in common else 0
        if run == 6:
            return True
    return False


def disguised(text: str) -> bool:
    """Whether two words or more have digits for letters."""
    return len(_MIXED.findall(text)) > 1


def looping(words: Sequence[str]) -> bool:
    """The same word four times in a row, the same pair three times, or triples that make up half of it."""
    if len(words) == len(set(words)):
        return False
    if any(_run(words, size, times) for size, times in ((1, 4), (2, 3))):
        return True
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return any(triples.count(each) > max(2, len(words) // 6) for each in set(triples))


def _run(words: Sequence[str], size: int, times: int) -> bool:
    spans = range(len(words) - size * times + 1)
    return any(list(words[at : at + size]) * times == list(words[at : at + size * times]) for at in spans)


def contacts(text: str) -> set[str]:
    """Phone numbers, short codes, hosts and e-mail addresses in the text, however they are written.

    Normal form: phones as digits only, letters on keys included (1-800-HELP -> 18004357); web addresses
    as the lower-case host without "www."; e-mail in lower case. Any number of three digits or more counts
    unless it is plainly a time, a year, an amount or counting; two digits only after "call" or "dial".
    """
    find = _reader().find
    text = _seen(html.unescape(text)).casefold()
    found: set[str] = set()
    if "." in text or "@" in text or ":" in text or "dot" in text:
        text = find["spelled_at"].sub("@", find["spelled_dot"].sub(".", text))
        for name in ("email", "url", "domain"):
            found |= {host.removeprefix("www.").rstrip(".") for host in find[name].findall(text)}
            text = find[name].sub(" ", text)
    return found | _numbers(text)


def _numbers(text: str) -> set[str]:
    reader = _reader()
    find = reader.find
    text = find["amount"].sub(" ~ ", text)
    text = find["digit_like"].sub(lambda match: match[0].translate(str.maketrans("oli|", "0111")), text)
    text = find["spoken"].sub(lambda match: _spoken(match[0], text[: match.start()], reader), text)
    if not any(map(str.isdigit, text)):
        return set()
    text = find["lettered"].sub(lambda match: match[0].translate(_KEYPAD), text)
    found = set()
    for run in (*find["digits"].findall(text), *find["spaced"].findall(text)):
        parts = re.findall(r"\d+", run)
        steps = {int(after) - int(each) for each, after in pairwise(parts)}
        counting = len(parts) > 2 and len(steps) == 1 and steps < {1, -1}
        if len("".join(parts)) > 2 and not counting:
            found.add("".join(parts))
    return found | set(find["short_code"].findall(text))


def _spoken(run: str, before: str, reader: _Reader) -> str:
    """Number words as digits, when there are enough of them, or a call to action before, to be a phone."""
    words = re.findall(r"[a-z]+|\d+", run)
    if (len(words) < 3 and not reader.find["calling"].search(before)) or not re.search("[a-z]", run):
        return run
    digits, times = [], 1
    for word in words:
        if word in ("double", "triple"):
            times = 2 if word == "double" else 3
            continue
        digits += [reader.numbers.get(word, word)] * times
        times = 1
    return " ".join(digits)


def registered(rows: Iterable[Mapping[str, str]]) -> frozenset[str]:
    """The contacts that helplines as the card shows them hold (keys name, phone, sms, chat_url).

    Here every number counts, however short: a row that says 15 gives 15.
    """
    allowed: set[str] = set()
    for row in rows:
        for key in ("name", "phone", "sms", "chat_url"):
            allowed |= contacts(row.get(key, ""))
        allowed |= set(re.findall(r"\b\d{2,}\b", row.get("phone", "") + " " + row.get("sms", "")))
    return frozenset(allowed)
