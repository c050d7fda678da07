"""Guardrails at the edge: a policy of Bedrock Guardrails judged where the agent runs, and the Region's when it answers.

`judge` says what a judge is and how its report reads; `router` asks the Region in time or the edge, `drift` compares
the two, `hook` puts a judge around an agent of Strands, with a `vault` for what it masks.
May import: tracing, knowledge, inference, sites, settings.
"""
