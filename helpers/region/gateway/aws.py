"""The gateway as a client of this Region's other services: what its role does on AWS, signed with the Region's key."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp
from botocore.credentials import Credentials

from helpers.region.cloud import REGION
from helpers.region.gateway.messages import Json
from helpers.region.gateway.reach import read, send
from helpers.region.gateway.upstream import TargetFailed, in_words
from helpers.region.outbound import signature

FUNCTIONS = "/2015-03-31/functions/"


@dataclass
class Aws:
    """Calls services at `url`, which is the Region's own."""

    http: aiohttp.ClientSession
    credentials: Credentials
    url: str

    @asynccontextmanager
    async def request(
        self, service: str, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a signed request; `path` is quoted already."""
        url, given = self.url + path, headers or {}
        signed = signature(self.credentials, service, REGION, method, url, given, body)
        async with await send(self.http, method, url, given | signed, body) as answer:
            yield answer

    async def has_function(self, arn: str) -> bool:
        """Whether there is such a function of Lambda."""
        async with in_words(), self.request("lambda", "GET", FUNCTIONS + quote(arn, safe="")) as answer:
            if answer.status not in (200, 404):
                raise TargetFailed(f"Lambda answered {answer.status} when it was asked for {arn}.")
            return answer.status == 200

    async def invoke(self, arn: str, event: Json, custom: Json | None = None) -> bytes:
        """Call a function; `custom` is what its client context says. What it returns, as JSON.

        Raises:
            TargetFailed: it fails.
        """
        headers = {"Content-Type": "application/json"}
        if custom:
            headers["X-Amz-Client-Context"] = base64.b64encode(json.dumps({"custom": custom}).encode()).decode()
        path, body = f"{FUNCTIONS}{quote(arn, safe='')}/invocations", json.dumps(event).encode()
        async with in_words(), self.request("lambda", "POST", path, headers, body) as answer:
            said = await read(answer)
            if answer.status != 200 or "X-Amz-Function-Error" in answer.headers:
                raise TargetFailed(f"The function failed ({answer.status}): {said.decode()[:2000]}")
        return said
