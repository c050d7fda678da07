"""Says what an HTTP request is: which protocol, and which operation of it."""

import json
from dataclasses import dataclass

CARD = "/.well-known/agent-card.json"
OTLP = ("/v1/traces", "/v1/metrics", "/v1/logs")
A2A_METHODS = ("message/", "tasks/", "agent/")  # revision 0.3
A2A_NAMES = (  # 1.x
    *("SendMessage", "SendStreamingMessage", "GetTask", "ListTasks", "CancelTask", "SubscribeToTask"),
    *("CreateTaskPushNotificationConfig", "GetTaskPushNotificationConfig", "ListTaskPushNotificationConfigs"),
    *("DeleteTaskPushNotificationConfig", "GetExtendedAgentCard"),
)
MCP_METHODS = (
    *("initialize", "ping", "tools/", "resources/", "prompts/", "completion/", "logging/", "notifications/"),
    *("sampling/", "elicitation/", "roots/", "server/", "subscriptions/"),
)
AGAIN = "(keys that came again)"
NAMED = ("tools/call", "prompts/get", "resources/read")


@dataclass(frozen=True)
class Operation:
    """A protocol (A2A, MCP, OTLP, HTTP) and what was asked of it."""

    protocol: str
    name: str


def operation(method: str, target: str, headers: dict[str, str], body: object = None) -> Operation:
    """What a request is, from its head and, where it is JSON, its body.

    operation("POST", "/", {}, {"jsonrpc": "2.0", "method": "message/send"})  # A2A message/send
    """
    path = target.split("?")[0]
    if path.endswith(CARD):
        return Operation("A2A", f"{method} {CARD}")
    if path.endswith(OTLP):
        return Operation("OTLP", f"{method} {path}")
    calls = body if isinstance(body, list) else [body]
    names = [_call(call) for call in calls if isinstance(call, dict) and call.get("jsonrpc") == "2.0"]
    if any(header.startswith("mcp-") for header in headers):
        return Operation("MCP", ", ".join(filter(None, names)) or f"{method} {path}")
    protocols = {_protocol(name) for name in names if name}
    if len(protocols) == 1 and (protocol := protocols.pop()):
        return Operation(protocol, ", ".join(filter(None, names)))
    return Operation("HTTP", f"{method} {target}")


def parsed(body: bytes) -> object:
    """The JSON in `body`, or None where it is none."""
    try:
        document: object = json.loads(body, parse_float=str, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return None
    return document


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object; what a key had before it came again is kept too, for whoever reads the first."""
    found = dict(pairs)
    if len(found) < len(pairs):
        found[AGAIN] = [value for _, value in pairs]
    return found


def _call(call: dict[str, object]) -> str:
    method = call.get("method")
    if not isinstance(method, str):
        return "answer" if "result" in call or "error" in call else ""
    params = call.get("params")
    named = params.get("name") or params.get("uri") if isinstance(params, dict) and method in NAMED else None
    return f"{method} {named}" if isinstance(named, str) else method


def _protocol(name: str) -> str | None:
    if name.startswith(A2A_METHODS) or name in A2A_NAMES:
        return "A2A"
    return "MCP" if name.startswith(MCP_METHODS) else None
