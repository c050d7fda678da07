"""The programs that run *at* sites: A2A agents, MCP servers, REST services and the model endpoint of a site, each one
short file.

`python -m helpers.apps.pharmacy --port 9001` runs one by itself; `site.start("pharmacy")` runs it at a site.
May import: tracing, knowledge, inference, fiction, sites, settings.
"""
