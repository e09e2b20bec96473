"""Plan -> sentences. Every responder takes a Brief and yields sentences; none speaks past the guard."""
