"""Errors that a caller may meet. Each message is one plain sentence that names the fix.

    HearkenError
    ├── SettingsError     a setting is missing, malformed or names something that is not there
    ├── WordsError        a file under agent/words/ breaks its schema
    ├── EncoderError      the reading model is missing, damaged or not the one expected
    ├── SupporterError    the model of how supporters went on is missing or damaged (the rules decide instead)
    ├── ResponderError    a responder could not produce a reply (the guided one answers instead)
    ├── PassphraseError   what is kept is not opened by this passphrase, or cannot be given it
    ├── AuditError        the audit trail or its key cannot be relied on
    ├── ScriptError       a conversation script breaks its schema
    └── DataError         a data set lacks a file, a column or rows, or has a label nobody knows

No message carries what a person wrote.
"""


class HearkenError(Exception):
    """Base of every error raised on purpose; its text may be shown to people."""


class SettingsError(HearkenError):
    """A setting is missing, malformed, or names something that does not exist."""


class WordsError(HearkenError):
    """A words file breaks its schema; the message names file and key."""


class EncoderError(HearkenError):
    """The reading model is missing, damaged, or not the file expected."""


class SupporterError(HearkenError):
    """The model of how supporters went on cannot be used; the rules decide instead."""


class ResponderError(HearkenError):
    """A responder failed (time-out, memory, connection, empty); never shown to the person."""


class PassphraseError(HearkenError):
    """A passphrase does not open what is kept, or is too short to close it; nothing was changed."""


class AuditError(HearkenError):
    """The audit trail or its key cannot be relied on; the message names the line or the file."""


class ScriptError(HearkenError):
    """A conversation script breaks its schema; the message names file and key."""


class DataError(HearkenError):
    """A data set cannot be used; the message names file, column or label, and the fix."""
