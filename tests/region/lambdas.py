"""Functions of the test's own: zips made in memory, and calls of them."""

import base64
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

ROLE = "lambda-tests"
TRUST = {"Version": "2012-10-17", "Statement": []}


def zipped(source: str = "", **files: str) -> bytes:
    """A package with `app.py`, and other files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        for name, text in {"app.py": source, **files}.items():
            package.writestr(name, text)
    return made.getvalue()


def role(client: Any) -> str:
    """The ARN of the role of all these functions."""
    iam = client("iam")
    try:
        return iam.get_role(RoleName=ROLE)["Role"]["Arn"]
    except ClientError:
        return iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]


@dataclass
class Lambda:
    """A function and its client."""

    client: Any
    name: str
    arn: str

    def __call__(self, event: object = None, **options: Any) -> Any:
        """The answer, read."""
        return self.call(event, **options)["read"]

    def call(self, event: object = None, **options: Any) -> Any:
        """The whole answer; `read` is its payload, `log` the end of the log."""
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        answer = self.client.invoke(**{"FunctionName": self.name, "Payload": payload} | options)
        body = answer["Payload"].read()
        answer["read"] = json.loads(body) if body else None
        answer["log"] = base64.b64decode(answer.get("LogResult", "")).decode()
        return answer


def create(client: Any, source: str, **options: Any) -> Lambda:
    """A function whose handler is `app.handle`."""
    given = {
        "FunctionName": f"f{uuid4().hex[:12]}",
        "Runtime": "python3.12",
        "Handler": "app.handle",
        "Role": role(client),
        "Code": {"ZipFile": zipped(source)},
        "Timeout": 20,
    } | options
    made = client("lambda").create_function(**given)
    return Lambda(client("lambda"), made["FunctionName"], made["FunctionArn"])
