"""The labels of the reading: every head and what it chooses among. Knows no text and no model."""

from collections.abc import Mapping

from agent.reading.ladder import KINDS, LEVELS

__all__ = [
    "CSSRS",
    "DEPRESSION_CAUSES",
    "EMOTIONS",
    "FACETS",
    "HEADS",
    "INTENTS",
    "STRATEGIES",
    "STRESS_CAUSES",
    "TELLINGS",
    "WELLNESS",
]

EMOTIONS = (
    *("afraid", "angry", "annoyed", "anticipating", "anxious", "apprehensive", "ashamed", "caring"),
    *("confident", "content", "devastated", "disappointed", "disgusted", "embarrassed", "excited"),
    *("faithful", "furious", "grateful", "guilty", "hopeful", "impressed", "jealous", "joyful"),
    *("lonely", "nostalgic", "prepared", "proud", "sad", "sentimental", "surprised", "terrified"),
    "trusting",
)
INTENTS = (
    *("agreeing", "acknowledging", "encouraging", "consoling", "sympathizing"),
    *("suggesting", "questioning", "wishing", "neutral"),
)
WANTS = (
    *("vent", "advice", "information", "greeting", "thanks"),
    *("goodbye", "complaint", "identity", "off_topic"),
)
WELLNESS = ("physical", "intellectual", "vocational", "social", "spiritual", "emotional")
FACETS = (
    *("depression", "stress", "loneliness", "thwarted belongingness", "perceived burdensomeness"),
    *(f"{dimension} wellness" for dimension in WELLNESS),
)
STRESS_CAUSES = {  # the SAD data's words -> IMHI's
    "Work": "work",
    "School": "school",
    "Financial Problem": "financial problem",
    "Family Issues": "family issues",
    "Social Relationships": "social relationships",
    "Health, Fatigue, or Physical Pain": "health issues",
    "Emotional Turmoil": "emotion turmoil",
    "Everyday Decision Making": "everyday decision making",
    "Other": "other causes",
}
DEPRESSION_CAUSES = ("none", "bias or abuse", "jobs and careers", "medication", "relationship", "alienation")
# What a message of a talk does; agent/words/replies_told.yaml says what each means.
TELLINGS = (
    *("guilt", "ugly_feeling", "ashamed", "unsaid", "dismissed", "unfair", "alone_with_it", "left_out"),
    *("misses", "tired", "cried", "worry", "low", "angry", "hurt", "night", "body", "death", "pet_loss"),
    *("memory", "illness_news", "decline", "caring", "quarrel", "ended", "new_place", "money", "waiting"),
    *("failed", "kindness", "funny", "joy", "relief", "proud_of", "did_it", "made_up", "looking_forward"),
    *("comfort", "plan", "torn", "wish", "insight", "minimises", "denies", "agrees", "asks_normal", "asks"),
    *("leaving", "thanks", "opening", "fact", "backstory", "portrait", "scene", "practical"),
)
CSSRS = ("supportive", "uninformative", "indicator", "ideation", "behavior", "attempt")

# ESConv's eight strategies in EmpatheticIntents' words; self-disclosure has no counterpart.
STRATEGIES = {
    "Question": "questioning",
    "Restatement or Paraphrasing": "acknowledging",
    "Reflection of feelings": "sympathizing",
    "Affirmation and Reassurance": "encouraging",
    "Providing Suggestions": "suggesting",
    "Information": "suggesting",
    "Others": "neutral",
}

# One linear head each. Every one is a choice among its labels, but `facets`, where each is yes or no.
HEADS: Mapping[str, tuple[str, ...]] = {
    "expressed": EMOTIONS + INTENTS,
    "next_intent": INTENTS,
    "want": WANTS,
    "facets": FACETS,
    "stress_cause": tuple(STRESS_CAUSES.values()),
    "depression_cause": DEPRESSION_CAUSES,
    "cssrs": CSSRS,
    "danger": LEVELS,
    "danger_kind": KINDS,
    "danger_subject": ("self", "other", "child"),
    "telling": TELLINGS,  # heads that the first encoder does not know stand last
}
