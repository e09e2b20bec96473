"""Schemas of the parts of ui/words/<language>.yaml that belong to one page each.

Knows nothing of how a page looks. A file with a key missing or one too many is refused, so that no language
can fall behind another unnoticed.
"""

from typing import Literal

from agent.words import Strict

__all__ = [
    "Chat",
    "Choices",
    "ExercisesPage",
    "Leaving",
    "Locking",
    "MoodsPage",
    "Nav",
    "PlanPage",
    "Start",
    "Talks",
]


class Nav(Strict):
    """Names of the pages."""

    talk: str
    talks: str
    moods: str
    plan: str
    exercises: str
    choices: str


class Leaving(Strict):
    """The quick exit."""

    button: str
    help: str
    gone: str
    link: str


class Locking(Strict):
    """The passphrase of what is kept."""

    asked: str
    asked_lead: str
    passphrase: str
    open: str
    opened: str
    wrong: str
    lost: str
    title: str
    none: str
    on: str
    set: str
    lead: str
    new: str
    again: str
    current: str
    forgotten: str
    short: str
    differ: str
    set_do: str
    set_done: str
    lock: str
    change: str
    change_do: str
    change_done: str
    remove: str
    remove_sure: str
    remove_do: str
    remove_done: str
    working: str
    by_server: str
    keep_help: str
    mood_help: str
    where: str


class Start(Strict):
    """What is asked before the first word; none of it has to be answered."""

    lead: str
    language_label: str
    spoken: str
    age_label: str
    ages: dict[str, str]
    young: str


class Chat(Strict):
    """Around the messages of a conversation."""

    more: str
    again: str
    again_help: str
    edit: str
    edit_label: str
    edit_send: str
    danger_stays: str
    copy_reply: str
    report: str
    report_lead: str
    report_why: str
    report_keep: str
    report_file: str
    reported: str
    earlier: str
    stopped: str
    answer: str
    this_one: str
    save_text: str
    save_page: str
    save_data: str
    temporary: str
    kept: str
    said: str
    route: str
    reloaded: dict[Literal["temporary", "kept"], str]


class Talks(Strict):
    """The page of kept conversations."""

    title: str
    none: str
    temporary: str
    where: str
    search: str
    nothing_found: str
    count: str
    unreadable: str
    here: str
    open: str
    rename: str
    new_name: str
    rename_do: str
    save: str
    delete: str
    delete_all: str
    delete_all_sure: str
    delete_all_do: str
    deleted_all: str
    days_label: str
    days: dict[str, str]
    days_help: str
    disk: str
    person: str
    assistant: str
    operator: str
    exported: str


class MoodsPage(Strict):
    """The page of how somebody has been."""

    title: str
    lead: str
    question: str
    faces: list[str]
    note: str
    note_do: str
    noted: str
    choose: str
    keep: str
    keep_help: str
    restricted: str
    none: str
    chart: str
    date: str
    day: str
    mood: str
    feelings: str
    feelings_lead: str
    times: str
    helped: str
    helped_none: str
    notes: str
    delete: str
    delete_do: str
    deleted: str


class PlanPage(Strict):
    """The page of the safety plan."""

    title: str
    lead: str
    step: str
    english: str
    lines: str
    lines_help: str
    pick: str
    no_lines: str
    back: str
    next: str
    done: str
    so_far: str
    empty: str
    save: str
    print: str
    forget: str


class ExercisesPage(Strict):
    """The page of the exercises."""

    title: str
    lead: str
    english: str
    choose: str
    unreviewed: str
    step: str
    hint: str
    back: str
    next: str
    finish: str
    again: str
    others: str
    worse_title: str
    worse: str
    together: str
    all_steps: str
    save: str


class Picker(Strict):
    """Choosing who words the replies; `steps` by what graph.trial.try_backend is doing."""

    look: str
    looking: str
    which: str
    here: str
    now: str
    away: str
    untested: str
    failed: str
    use: str
    scope: str
    steps: dict[str, str]
    switched: str
    stays: str
    verify: str
    verify_help: str
    verifying: str
    back: str
    keep: str
    keep_help: str
    keep_away: str
    kept: str
    holds: str
    by_settings: str
    by_operator: str
    restricted: str
    alpha: str
    alpha_help: str


class Choices(Strict):
    """The page of settings."""

    title: str
    look: str
    language: str
    size: str
    sizes: dict[str, str]
    still: str
    still_help: str
    replies: str
    length: str
    lengths: dict[str, str]
    who: str
    guided: str
    other: str
    other_away: str
    picker: Picker
    leave: str
    leave_text: str
    data: str
    folder: str
    kept_file: str
    nothing_kept: str
    library: str
    holds: str
    sources: dict[str, str]
    add_lead: str
    add_file: str
    add_file_do: str
    add_hub: str
    adding: str
    added: str
    by_operator: str
    check: str
    check_do: str
    checking: str
    all_well: str
    well: str
    not_well: str
    parts: dict[str, str]
    protocol: str
