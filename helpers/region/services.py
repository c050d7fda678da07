"""What answers in the Region on a laptop, for a learner who wants to know what to trust."""

import pandas as pd

MOTO, KIT = "moto", "this kit"
ROWS = [
    (
        "AgentCore Runtime, control plane",
        f"{MOTO}, corrected",
        "ids, ARNs, versions, endpoints, states, conflicts, what is not allowed",
        "states settle at once; no images are pulled; no VPC, JWT, file systems, capacity",
    ),
    (
        "AgentCore Gateway, control plane",
        f"{MOTO}, corrected",
        "ids, states and their reasons, conflicts, which target takes which credentials, what is not supported",
        "targets are read at once; no interceptors, policies, domains, WAF, stickiness; private endpoints only kept",
    ),
    (
        "AgentCore Gateway, its endpoint",
        KIT,
        "MCP in the listed versions, sessions, streams, elicitation; all kinds of targets; search; JWT and SigV4",
        "a port, no host; this machine's servers only; a small model searches; one role; MCP without answers' headers",
    ),
    (
        "AgentCore Identity",
        KIT,
        "API keys and OAuth client credentials for targets, with their secrets in Secrets Manager",
        "no log-in of users, no token exchange; workload identities are records, and no gateway goes by them",
    ),
    (
        "Cognito user pools",
        f"{MOTO}, tokens by {KIT}",
        "discovery, keys, tokens by client credentials, signed with the pool's own key",
        "no pages to log in",
    ),
    (
        "AgentCore Runtime, InvokeAgentRuntime",
        KIT,
        "container contract, a process per session, its limits of time, streams, HTTP, MCP and A2A",
        "a process is no microVM; the Region's keys, not the role's; MCP and A2A get errors as HTTP does; no scaling",
    ),
    (
        "Bedrock Converse, ConverseStream",
        KIT,
        "request and answer, tools, streams, token counts, errors",
        "a local model stands in for the one that is named, and says so; text only",
    ),
    (
        "Bedrock Guardrails, control plane",
        KIT,
        "draft and numbered versions, limits, ARNs, conflicts, what is not valid",
        "states settle at once; no automated reasoning, images, keys, cross-Region profiles",
    ),
    (
        "Bedrock Guardrails, ApplyGuardrail and in Converse",
        f"{KIT}, emulated",
        "reports, masks, blocked messages, traces; what Converse's guardrail sees, and that it sees no tools",
        "the kit's judge, so other verdicts; reports say what it cannot enforce; streams are judged before they go",
    ),
    (
        "Lambda",
        f"{MOTO}, Invoke by {KIT}",
        "the handler runs, with context, time limit, log tail, forms of errors; Event and DryRun",
        "every call is a first call, in this Python; memory is measured, not limited; no layers; no logs in CloudWatch",
    ),
    (
        "STS, IAM",
        MOTO,
        "keys, roles, who calls; each request's signature is checked",
        "policies are stored, not enforced: whoever signs well may do everything",
    ),
    ("S3, SSM, Secrets Manager", MOTO, "objects, parameters, secrets with versions", "no encryption, no events"),
    ("CloudWatch Logs", MOTO, "groups, streams, events", "sessions of AgentCore do not write there"),
    ("EC2", MOTO, "VPCs, subnets, security groups as records", "nothing runs; no Local Zones or Outposts"),
    (
        "CloudFormation",
        MOTO,
        "stacks of network, IAM, Lambda, S3",
        "resources that it does not know are skipped without an error",
    ),
    (
        "API Gateway",
        f"{MOTO}, calls by {KIT}",
        "REST APIs with stages; a gateway's calls reach functions and HTTP servers behind them",
        "stages have no address; no templates, authorizers, throttling",
    ),
]


def services() -> pd.DataFrame:
    """One row a service: what answers, what is as on AWS, and what is not."""
    return pd.DataFrame(ROWS, columns=["service", "answered by", "as on AWS", "not as on AWS"]).set_index("service")
