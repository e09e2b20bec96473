"""Language models that word replies: in this process, mixed on their logits, or behind a server.

Loading and decoding, and `chat`, which makes any LangChain chat model a responder. None of it decides what
a reply should do or whether it may be said, and nothing of a model library is imported until one is loaded.
"""
