"""What leaves a site with a span or a log record: names, numbers and ids. What was said and looked up stays.

A text passes only if its attribute is in `TEXTS`, for a list of what is secret is never complete: each new library adds
attributes of its own, and prompts, answers, arguments and the words of exceptions are texts.
"""

import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Status
from opentelemetry.util.types import AttributeValue

from helpers.sites.classified import Classified, Given

LONGEST = 200  # characters of a text; what is longer is no name
QUERY = re.compile(r"[?#].*", re.DOTALL)
# Attributes whose texts are names, kinds and ids: OpenTelemetry's semantic conventions, and what libraries add to them.
TEXTS = re.compile(
    r"""
    gen_ai\.(system|provider\.name|operation\.name|agent\.(name|id)|conversation\.id|output\.type|data_source\.id
        |request\.(model|.*tier)|response\.(model|id|finish_reasons)|tool\.(name|call\.id|type|status)|token\.type
        |event\.(start_time|end_time))
    | event_loop\..* | tool\.status
    | http\.(request\.method|response\.status_code|route|scheme|method|flavor) | url\.(scheme|path|full)
    | code\.(function\.name|line\.number)
    | (server|client|network|net\.peer|net\.host)\..* | rpc\..* | jsonrpc\..* | messaging\.system
    | mcp\.(method\.name|session\.id|protocol\.version|tool\.name|transport)
    | db\.(system|system\.name|operation\.name|collection\.name|namespace)
    | (error|exception)\.type | session\.id | a2a\.(task|context)\.id | a2a\.task\.state
    | (aws|cloud|faas|service|telemetry|k8s|container|host|process\.runtime)\..*
    | workshop\.(link|target|mode|tool|question|action|lot)
    """,
    re.VERBOSE,
)
# What a point of a metric is told apart by: of these, and no others, for each value makes a series of its own.
MEASURED = frozenset(
    {
        "tool_name",
        "error.type",
        "server.address",
        "server.port",
        *(f"gen_ai.{name}" for name in ("operation.name", "provider.name", "request.model", "tool.name", "token.type")),
        *(f"http.{name}" for name in ("request.method", "response.status_code", "route")),
    }
)
# A path, alone or as a span is named after it; and those of its parts that may be somebody's number or name.
PATH = re.compile(r"([A-Z]+ )?(https?:/)?/")
ID = re.compile(r"(?<!/)/(?!v\d+(/|$))[^/\s]*[\d%][^/\s]*")
EVENTS = re.compile(r"exception|(approval|link|retrieval|workshop)\..*")
Attributes = Mapping[str, AttributeValue] | None


class Redaction:
    """Takes out of spans and log records what may not leave."""

    def __init__(self, classified: Given | None = None) -> None:
        """`classified` is also looked for in what may leave: a path may have a patient's number in it."""
        self._classified = Classified(classified) if classified else None

    def span(self, span: ReadableSpan) -> ReadableSpan:
        """The span without texts that are no names; an error keeps its type, and loses its words."""
        return ReadableSpan(
            name=self._text(span.name),
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=self._names(span.attributes),
            events=[
                Event(event.name, self._names(event.attributes), event.timestamp)
                for event in span.events
                if EVENTS.fullmatch(event.name)
            ],
            links=[Link(link.context, self._names(link.attributes)) for link in span.links],
            kind=span.kind,
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def log(self, record: ReadableLogRecord) -> ReadableLogRecord:
        """The record with its place in the code, without its words."""
        shown = copy(record.log_record)
        shown.body, shown.attributes = None, self._names(shown.attributes)
        return replace(record, log_record=shown)

    def _names(self, attributes: Attributes) -> dict[str, AttributeValue]:
        """Numbers and truth values, and the texts that are names."""
        kept = {key: self._value(value, TEXTS.fullmatch(key) is not None) for key, value in (attributes or {}).items()}
        return {key: value for key, value in kept.items() if value is not None}

    def _value(self, value: AttributeValue, may_be_text: bool) -> AttributeValue | None:
        several = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else None
        if all(isinstance(each, int | float) for each in (several if several is not None else [value])):
            return value
        if not may_be_text:
            return None
        return self._text(str(value)) if several is None else [self._text(str(each)) for each in several]

    def _text(self, text: str) -> str:
        """Without the query of an address, the ids in its path, and what is classified, and not too long."""
        text = QUERY.sub("", text)[:LONGEST]
        text = self._classified.redact(text) if self._classified else text
        return ID.sub("/*", text) if PATH.match(text) else text
