"""The API: native and OpenAI-compatible, over `graph.hosted`. Needs the extra `serve`."""
