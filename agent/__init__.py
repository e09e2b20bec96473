"""Who answers: reads a message, judges risk, plans a reply, words it, guards it.

Knows nothing of graphs, stores or screens; those are `graph`, `knowledge` and `ui`.
"""
