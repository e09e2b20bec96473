"""How people spell: contractions, chat short forms, common slips, look-alike letters and leet.

Plain tables for agent/reading/normalise.py, in Python because the built-in rules need them when the words
files are broken. Nothing here is about risk beyond the short list of words worth recognising in disguise.
"""

__all__ = [
    "ALONE",
    "CONTRACTED",
    "EDGE",
    "GLYPH",
    "IS",
    "KNOWN",
    "LEET",
    "LETTERS",
    "LOOKALIKES",
    "LOST",
    "MARKS",
    "MENDED",
    "REAL",
    "SLIPPED",
    "SPECIAL",
    "SPELLINGS",
    "SWAPPED",
]

# Letters of other alphabets that look like ours; only undone inside a word that also has Latin letters,
# or that becomes a known word as a whole, so that real Russian or Greek stays what it is.
LOOKALIKES = str.maketrans(
    "абвеёзікмнорстухчуѕјԁһӏԛԝɡɩαβγειηικνορτυχωı",
    "abbee3ikmhopctyx4ysjdhlqwgiabyeinikvoptuxwi",
)
LEET = (str.maketrans("013457@$!|8+€", "oleastasilbte"), str.maketrans("013457@$!|9(", "oieastasiigc"))
# Combining marks that only decorate a letter (accents, Arabic and Hebrew vowel points).
MARKS = (range(0x300, 0x370), range(0x610, 0x61B), range(0x64B, 0x660), range(0x591, 0x5C8))
# Scripts written without spaces: every character stands as a word of its own.
ALONE = (
    range(0x2E80, 0x2FE0),
    range(0x3040, 0x3100),
    range(0x3400, 0xA000),
    range(0xAC00, 0xD7B0),
    range(0xF900, 0xFB00),
    range(0x20000, 0x32000),
)
GLYPH = "\x01"  # stands for an emoji or symbol until we know whether it splits a word or two words
SPECIAL = {
    "‘": "'", "’": "'", "‛": "'", "`": "'", "´": "'", "ʼ": "'", "′": "'", "“": '"', "”": '"', "„": '"',
    "«": '"', "»": '"', "。": ". ", "、": ", ", "，": ", ", "！": "! ", "？": "? ", "；": "; ", "：": ": ",
    "؟": "? ", "،": ", ", "؛": "; ", "।": ". ", "۔": ". ", "…": ", ", "—": " , ", "–": " - ", "¿": " ",
    "¡": " ", "·": "*", "•": "*", "ß": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "æ": "ae", "œ": "oe",
    "İ": "i", "ı": "i", "أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "ـ": "", "\t": " ", "\r": " ",
    "\n": "\n", "\x0b": " ", "\x0c": " ", "\x85": "\n", "\u2028": "\n", "\u2029": "\n",
    "🔫": " gun ", "🔪": " knife ", "💊": " pills ", "🗡": " knife ",
    "🌉": " bridge ", "⚰": " coffin ", "🪦": " grave ", "🪢": " rope ", "🩸": " blood ",
}  # fmt: skip
# What may stand at the edges of a word without belonging to it.
EDGE = "\"'()[]{}<>.,!?;:-~_*#=/\\|^%&+\x01"

CONTRACTED = {"m": "am", "re": "are", "ve": "have", "ll": "will", "d": "would"}
IS = frozenset(
    {"he", "she", "it", "that", "there", "what", "who", "where", "how", "here", "everyone", "everything"}
    | {"someone", "nobody", "this"}
)
_WE = frozenset({"i", "you", "we", "they", "he", "she", "it", "that", "there"})
_NOT = {
    "don": "do", "doesn": "does", "didn": "did", "can": "can", "couldn": "could", "won": "will", "isn": "is",
    "wouldn": "would", "shouldn": "should", "wasn": "was", "aren": "are", "weren": "were", "haven": "have",
    "hasn": "has", "hadn": "had", "ain": "am",
}  # fmt: skip
_KIN = ("husband", "wife", "boyfriend", "girlfriend", "mom", "dad", "pills")
# "i m", "don t": an apostrophe lost to a space; "me husband", "mi want": how many people say my and I.
# (first word, second word) -> the plain two.
MENDED = (
    {(word, "t"): (plain, "not") for word, plain in _NOT.items()}
    | {(word, tail): (word, plain) for tail, plain in CONTRACTED.items() for word in _WE}
    | {(word, "2"): (word, "to") for word in ("want", "need", "going", "have", "trying", "tried", "ready")}
    | {("2", verb): ("to", verb) for verb in ("die", "kill", "end", "live", "be", "wake", "cut", "jump")}
    | {(word, "da"): (word, "the") for word in ("of", "off", "all", "on", "in")}
    | {("jump", "of"): ("jump", "off"), ("jumping", "of"): ("jumping", "off")}
    | {(word, noun): ("my", noun) for word in ("me", "mi") for noun in _KIN}
    | {("this", "night"): ("later", "tonight")}
    | {("mi", verb): ("i", verb) for verb in ("want", "wish", "just", "not", "feel", "need", "have")}
    | {(verb, "mi"): (verb, "me") for verb in ("beat", "hit", "hurt", "beats", "hits")}
    | {("mi", "a"): ("i", "am"), ("mi", "did"): ("i", "was"), ("go", "kill"): ("will", "kill")}
    | {("all", "a"): ("all", "of"), ("done", "took"): ("just", "took"), ("don", "take"): ("just", "took")}
    | {("don", "die"): ("was", "dead"), ("wish", "say"): ("wish", "that"), ("no", "want"): ("not", "want")}
)
SPELLINGS = {
    "im": "i am", "iam": "i am", "ima": "i am going to", "imma": "i am going to", "ive": "i have",
    "id": "i would", "dont": "do not", "doesnt": "does not", "didnt": "did not", "cant": "can not",
    "cannot": "can not", "couldnt": "could not", "wont": "will not", "wouldnt": "would not",
    "shouldnt": "should not", "isnt": "is not", "wasnt": "was not", "arent": "are not", "werent": "were not",
    "havent": "have not", "hasnt": "has not", "hadnt": "had not", "aint": "am not", "ain't": "am not",
    "won't": "will not", "can't": "can not", "shan't": "will not", "youre": "you are", "theyre": "they are",
    "theyve": "they have", "thats": "that is", "whats": "what is", "theres": "there is", "hes": "he is",
    "shes": "she is", "youll": "you will", "theyll": "they will", "itll": "it will", "thatll": "that will",
    "youd": "you would", "theyd": "they would", "weve": "we have", "youve": "you have",
    "wanna": "want to", "wana": "want to", "wannna": "want to", "wnt": "want",
    "gonna": "going to", "gunna": "going to", "gona": "going to", "gotta": "have to", "tryna": "trying to",
    "finna": "going to", "boutta": "about to", "bouta": "about to", "hafta": "have to", "lemme": "let me",
    "gimme": "give me", "dunno": "do not know", "idk": "i do not know", "idc": "i do not care",
    "ppl": "people", "rn": "right now", "abt": "about", "bc": "because", "cuz": "because", "coz": "because",
    "cos": "because", "cause": "because", "tonite": "tonight", "2nite": "tonight", "2night": "tonight",
    "2day": "today", "tmrw": "tomorrow", "tmr": "tomorrow", "2moro": "tomorrow", "tomorow": "tomorrow",
    "tommorow": "tomorrow", "tommorrow": "tomorrow", "ur": "your", "urself": "yourself",
    "thru": "through", "w/o": "without", "anymor": "anymore", "nomore": "no more", "alot": "a lot",
    "mum": "mom", "mummy": "mom", "mommy": "mom", "daddy": "dad", "bf": "boyfriend", "gf": "girlfriend",
    "hubby": "husband", "kinda": "kind of", "sorta": "sort of", "somtimes": "sometimes", "kil": "kill",
    "masel": "myself", "masell": "myself", "mesen": "myself", "miself": "myself", "wis": "was",
    "deid": "dead", "tae": "to", "dinnae": "do not", "cannae": "can not", "willnae": "will not",
    "gonnae": "going to", "anymair": "anymore", "wisht": "wish", "waan": "want to", "nuh": "not",
    "mysefl": "myself", "meself": "myself", "mself": "myself", "ded": "dead", "dy": "die",
    "staunin": "standing", "staun": "stand", "wrang": "wrong", "naebody": "nobody", "naething": "nothing",
    "kens": "knows", "hauns": "hands", "haun": "hand", "disnae": "does not", "wisnae": "was not",
    "isnae": "is not", "didnae": "did not", "couldnae": "could not", "wouldnae": "would not",
    "havenae": "have not", "hivnae": "have not", "shouldnae": "should not", "yersel": "yourself",
    "himsel": "himself", "hersel": "herself", "hame": "home", "heid": "head", "doon": "down", "oot": "out",
    "aboot": "about", "thegither": "together", "auld": "old", "greetin": "crying", "hoose": "house",
    "icant": "i can not", "idont": "i do not", "wsh": "wish", "cud": "could", "wud": "would",
    "shud": "should", "wudnt": "would not", "cudnt": "could not", "sumone": "someone", "nuffin": "nothing",
    "tis": "this", "jus": "just", "teh": "the", "bak": "back", "alredy": "already", "b4": "before",
    "tuk": "took", "hitz": "hits", "agen": "again", "fink": "think", "nt": "not", "2moz": "tomorrow",
    "dun": "done", "wnna": "want to", "sewicidal": "suicidal", "dnt": "do not",
    "cnt": "can not", "gna": "going to", "dis": "this", "dat": "that", "wiv": "with",
    "rly": "really", "shld": "should", "wld": "would", "cld": "could", "jst": "just", "evry": "every",
    "nite": "night", "hav": "have", "havnt": "have not", "tht": "that", "wen": "when", "bcoz": "because",
    "bcz": "because", "nemore": "anymore", "lyk": "like", "relapsd": "relapsed", "oan": "on", "nae": "no",
    "dae": "do", "sumthin": "something", "evrything": "everything", "liv": "live",
    "goin": "going", "doin": "doing", "dyin": "dying",
}  # fmt: skip
# A lost apostrophe that leaves another word behind, and words of Scots, Patois and Pidgin that mean something
# else in English: rules read such a word both ways.
LOST = {
    "ill": "i will", "hell": "he will", "shell": "she will", "ah": "i", "ma": "my", "aw": "all", "fi": "to",
    "wan": "want to", "dey": "be", "tek": "take", "bloody": "fucking",
}  # fmt: skip
# One letter for a word. It may as well be a word of another language, so it is read both ways.
LETTERS = {"n": "and", "r": "are", "o": "of", "b": "be"}
# Words worth finding behind k*ll or su1c1de even when no words file could be read.
KNOWN = frozenset({
    "kill", "killed", "killing", "die", "died", "dying", "dead", "death", "suicide", "suicidal", "myself",
    "himself", "herself", "yourself", "me", "my", "life", "live", "living", "alive", "unalive", "end",
    "ending", "hang", "hanging", "shoot", "cut", "cutting", "hurt", "hurting", "harm", "pills", "gun",
    "knife", "overdose", "overdosed", "bridge", "jump", "rope", "rape", "raped", "abuse", "abused", "hit",
    "hits", "i", "want", "to", "not", "do", "am", "going", "the", "it", "all", "bomb", "murder", "help",
    "wish", "be", "were", "never", "was", "up", "wake", "anymore", "tonight", "goodbye", "kms", "self",
    "and", "in", "of", "with", "have", "is", "on", "so", "tired",
})  # fmt: skip
# Words known with a letter left out or two swapped, and, where a lost letter would leave another word, with
# two letters swapped only. REAL: words that such a slip would make of them, and must stay.
SLIPPED = (
    "suicide", "suicidal", "myself", "overdose", "overdosed", "killing", "existing", "anymore", "properly",
    "exactly", "nobody", "tonight", "goodbye", "tomorrow", "paracetamol", "disappear", "railing", "strangled",
)  # fmt: skip
SWAPPED = (
    "alive", "dying", "dead", "born", "want", "hurt", "kill", "living", "ending", "death", "the", "this",
    "with", "not", "just", "here", "more", "stop", "have", "wish", "sleep", "think", "again", "never",
    "about", "that", "they", "and", "could", "would", "rope", "knife", "blade", "bridge", "pills", "wake",
    "jump",
)  # fmt: skip
REAL = frozenset({
    "exiting", "juts", "riling", "raisin", "satin", "latin", "basin", "resin", "robin", "cumin", "rankin",
    "login", "checkin",
})  # fmt: skip
