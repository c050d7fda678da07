"""Asks the Region's guardrail when it answers in time, and the edge's when not, and says which one judged.

    region = boto3.client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}))
    router = Router(region, "gr4a1b2c3d4e", "3", edge=EdgeGuardrail(policy), edge_version="3", seconds=0.5)
    router.apply("INPUT", texts("..."))["judgedBy"]  # {"where": "edge", "version": "3", "because": "..."}

The report is ApplyGuardrail's, with `judgedBy` beside it. A Region that was away is not asked again at once: for
`rest` seconds the edge judges without waiting, then one call tries the Region again.
"""

import threading
import time
from typing import Any, Literal

from botocore.exceptions import ClientError

from helpers.guardrails.deadline import TimedSession
from helpers.guardrails.errors import ClientRetries
from helpers.guardrails.judge import INTERVENED, Json, Judge, Scope, Source

UNITS = ("topic", "content", "word", "sensitiveInformation", "contextualGrounding")
UNCHECKED = "This could not be checked, so that it is not passed on."
CALL = "before-send.bedrock-runtime.ApplyGuardrail"


class Router:
    """A judge that is the Region's guardrail or the edge's."""

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - boto3's client of bedrock-runtime
        identifier: str,
        version: str,
        *,
        edge: Judge,
        edge_version: str = "",
        seconds: float = 1.0,
        rest: float = 5.0,
        otherwise: Literal["closed", "open"] = "closed",
        unchecked: str = UNCHECKED,
    ) -> None:
        """The Region's call ends after `seconds`, answered or not.

        Args:
            edge_version: the version of the guardrail that the edge's copy is of.
            otherwise: when neither can judge, `closed` blocks, with the text of `unchecked`; `open` does not.

        Raises:
            ClientRetries: the client makes more than one attempt.
        """
        if (client.meta.config.retries or {}).get("total_max_attempts") != 1:
            raise ClientRetries(
                "The client would try again when the Region does not answer. Make it with "
                'Config(retries={"total_max_attempts": 1}).'
            )
        self.client, self.identifier, self.version = client, identifier, version
        self.edge, self.edge_version = edge, edge_version or version
        self.otherwise, self.unchecked = otherwise, unchecked
        self.breaker = Breaker(rest)
        self.session = TimedSession(client.meta.endpoint_url, seconds)
        client.meta.events.register(CALL, self._send, unique_id="guardrail-router")

    def apply(self, source: Source, content: list[Json], output_scope: Scope = "INTERVENTIONS") -> Json:
        """The report of whoever judged, with `judgedBy`."""
        because = "the Region was away a moment ago"
        if self.breaker.allows():
            try:
                return self._region(source, content, output_scope)
            except Exception as error:  # whatever keeps the Region from judging, the edge does
                because = _told(error)
                self._learn(error)
        try:
            report = self.edge.apply(source, content, output_scope)
            return report | {"judgedBy": {"where": "edge", "version": self.edge_version, "because": because}}
        except Exception as error:  # a judge that crashed has judged nothing
            return self._nobody(f"{because}; the edge's judge failed: {type(error).__name__}")

    def close(self) -> None:
        """Close the connections to the Region."""
        self.client.meta.events.unregister(CALL, unique_id="guardrail-router")
        self.session.close()

    def _region(self, source: Source, content: list[Json], scope: Scope) -> Json:
        report: Json = self.client.apply_guardrail(
            guardrailIdentifier=self.identifier,
            guardrailVersion=self.version,
            source=source,
            content=content,
            outputScope=scope,
        )
        self.breaker.answered()
        del report["ResponseMetadata"]
        return report | {"judgedBy": {"where": "region", "version": self.version}}

    def _learn(self, error: Exception) -> None:
        """A Region that refuses one request is there for the next."""
        status = error.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(error, ClientError) else 0
        if 400 <= status < 500 and status != 429:
            self.breaker.answered()
        else:
            self.breaker.failed()

    def _nobody(self, because: str) -> Json:
        shut = self.otherwise == "closed"
        return {
            "action": INTERVENED if shut else "NONE",
            "actionReason": f"Nobody has judged: {because}.",
            "outputs": [{"text": self.unchecked}] if shut else [],
            "usage": {f"{kind}PolicyUnits": 0 for kind in UNITS} | {"sensitiveInformationPolicyFreeUnits": 0},
            "assessments": [],
            "judgedBy": {"where": "nobody", "version": "", "because": because},
        }

    def _send(self, request: Any, **_: object) -> Any:  # noqa: ANN401 - botocore's types
        return self.session.send(request)


class Breaker:
    """Lets calls through until one fails; then one each `rest` seconds, until one is answered."""

    def __init__(self, rest: float) -> None:
        self.rest, self.until, self.turn = rest, 0.0, threading.Lock()

    def allows(self) -> bool:
        with self.turn:
            now = time.monotonic()
            if now < self.until:
                return False
            self.until = now + self.rest if self.until else 0.0  # while one tries, the others do not
            return True

    def failed(self) -> None:
        self.until = time.monotonic() + self.rest

    def answered(self) -> None:
        self.until = 0.0


def _told(error: Exception) -> str:
    if isinstance(error, ClientError):
        return f"the Region refused: {error.response['Error'].get('Code', 'unknown')}"
    return f"the Region did not answer: {type(error).__name__}"
