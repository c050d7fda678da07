"""A runtime of the test's own, and calls of it."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

ROLE = "arn:aws:iam::123456789012:role/runtime"


def image(name: str, tag: str = "1") -> dict:
    uri = f"123456789012.dkr.ecr.us-west-2.amazonaws.com/{name}:{tag}"
    return {"containerConfiguration": {"containerUri": uri}}


ECHO = image("workshop/echo")


@dataclass
class Runtime:
    """A runtime and its two clients."""

    control: Any
    data: Any
    id: str
    arn: str

    def invoke(self, payload: object, session: str | None = None, **options: Any) -> Any:
        """The answer, read."""
        return json.loads(self.raw(payload, session, **options)["response"].read())

    def raw(self, payload: object, session: str | None = None, **options: Any) -> Any:
        options |= {"runtimeSessionId": session or str(uuid4()), "payload": json.dumps(payload).encode()}
        return self.data.invoke_agent_runtime(agentRuntimeArn=self.arn, **options)

    def update(self, **options: Any) -> Any:
        given = {"agentRuntimeArtifact": ECHO, "roleArn": ROLE} | options
        return self.control.update_agent_runtime(agentRuntimeId=self.id, **given)


def create(client: Any, **options: Any) -> Runtime:
    """A runtime, by default of the echo program."""
    given = {"agentRuntimeName": f"r{uuid4().hex[:12]}", "agentRuntimeArtifact": ECHO, "roleArn": ROLE} | options
    control = client("bedrock-agentcore-control")
    made = control.create_agent_runtime(**given)
    return Runtime(control, client("bedrock-agentcore"), made["agentRuntimeId"], made["agentRuntimeArn"])
