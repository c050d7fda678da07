"""How much memory a model needs, and which instance types hold it at the edge.

`shape` reads a model's architecture (from a GGUF file or config.json), `needs` adds up its memory, `holds` looks for a
place (data in `places.toml`), `explorer` does all three with widgets. May import: inference, settings.
"""
