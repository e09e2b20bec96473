"""What the library may raise. Each message is one plain sentence that names the fix.

    KnowledgeError
    ├── TableError      a YAML table of ours (starter, techniques, cleaning rules) breaks its schema
    ├── LibraryError    the index cannot be used: another encoder's, or damaged while in use
    └── IngestError     a source cannot be read: missing, empty, wrong columns, wrong encoding, offline

`knowledge.helplines` is apart from all this and has an error of its own.
No message carries what a person wrote.
"""

__all__ = ["IngestError", "KnowledgeError", "LibraryError", "TableError"]


class KnowledgeError(Exception):
    """Base of the tree; its text may be shown to people."""


class TableError(KnowledgeError):
    """A YAML table under knowledge/ is missing or breaks its schema; names file and key."""


class LibraryError(KnowledgeError):
    """The index cannot be used as it is; the caller goes on without retrieval."""


class IngestError(KnowledgeError):
    """A source cannot be ingested; names the file, the column and the fix."""
