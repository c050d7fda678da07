"""AgentCore Gateway: its control plane, its data plane, and the kinds of its targets.

`control` is what boto3 calls; `service` serves the gateways on a port of their own, `endpoint` MCP's transport,
`dispatch` its methods; `kinds` names the kinds of targets. May import what `helpers.region` may.
"""
