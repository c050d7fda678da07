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
        "AgentCore Gateway",
        f"{MOTO}, corrected",
        "control plane: ids, states, conflicts, all that was given",
        "nothing answers at a gateway's address yet; targets are not looked at",
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
    ("API Gateway", MOTO, "REST APIs, stages, exports as records", "stages are not served"),
]


def services() -> pd.DataFrame:
    """One row a service: what answers, what is as on AWS, and what is not."""
    return pd.DataFrame(ROWS, columns=["service", "answered by", "as on AWS", "not as on AWS"]).set_index("service")
