"""Answering what MCP servers ask in the course of a call: the desk where questions arrive, and who answers there.

`question` and `desk`, where `asking` and `calls` stand behind it; who answers: `widgets` (with `cells`, under which
they are shown), `console`, `scripted`, `policy`. Forms: `forms`, with `checks` of their values and `words` that are
fit to be shown. Sampling: `sampling`, with `models`, `messages` and `review`. `connection`, with `session` and
`rounds`, gives an agent a server's tools; `recorder` keeps the messages that pass.
May import: apps, region, inference, sites, settings.
"""
