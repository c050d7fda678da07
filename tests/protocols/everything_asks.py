"""The tools of the server `everything` that ask the client: for a form, for a text of its model, for its roots.

Up to 2025-11-25 the server asks in the middle of a call, on its stream. Since 2026-07-28 the call ends with what is
wanted (`input_required`), and the client calls again with the answers.
"""

import json
from typing import Any

import mcp_types as types
from mcp.server.mcpserver import Context, UserMessage
from mcp.server.mcpserver.tools import Tool

Wanted = types.InputRequiredResult
STATUSES = ["active", "inactive", "pending"]
OPTIONS = ["option1", "option2", "option3"]
TITLED = [{"const": f"value{number}", "title": f"Choice {number}"} for number in (1, 2, 3)]
DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": STATUSES, "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
ENUMS = {
    "untitledSingle": {"type": "string", "enum": OPTIONS},
    "titledSingle": {"type": "string", "oneOf": TITLED},
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": OPTIONS}},
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
}


def _schema(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def _form(message: str, **properties: str) -> types.ElicitRequest:
    schema = _schema({name: {"type": kind} for name, kind in properties.items()}, *properties)
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=schema))


def _sample(prompt: str, tokens: int = 100) -> types.CreateMessageRequest:
    messages = [types.SamplingMessage(role="user", content=types.TextContent(type="text", text=prompt))]
    return types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=messages, max_tokens=tokens))


async def _elicit(context: Context, message: str, schema: dict[str, Any]) -> str:
    answer = await context.session.elicit_form(message, schema, context.request_id)
    return f"action={answer.action}, content={json.dumps(answer.content)}"


async def test_elicitation(message: str, context: Context) -> str:
    """Asks for a name and an address."""
    text = {"type": "string"}
    schema = _schema({"username": text, "email": text}, "username", "email")
    return f"User response: {await _elicit(context, message, schema)}"


async def test_elicitation_sep1034_defaults(context: Context) -> str:
    """Asks with a default of each kind."""
    return f"Elicitation completed: {await _elicit(context, 'Please look through these.', _schema(DEFAULTS))}"


async def test_elicitation_sep1330_enums(context: Context) -> str:
    """Asks with a choice of each kind."""
    return f"Elicitation completed: {await _elicit(context, 'Please choose.', _schema(ENUMS))}"


async def test_sampling(prompt: str, context: Context) -> str:
    """Asks the client's model."""
    messages = [types.SamplingMessage(role="user", content=types.TextContent(type="text", text=prompt))]
    answer = await context.session.create_message(
        messages=messages, max_tokens=100, related_request_id=context.request_id
    )
    return f"LLM response: {answer.content.text}"


def _given(context: Context, key: str) -> Any:
    return (context.input_responses or {}).get(key)


async def test_input_required_result_elicitation(context: Context) -> str | Wanted:
    """Wants a name."""
    answer = _given(context, "user_name")
    if not isinstance(answer, types.ElicitResult):
        return Wanted(input_requests={"user_name": _form("What is your name?", name="string")})
    return f"Hello, {(answer.content or {}).get('name')}!"


async def test_streaming_elicitation(context: Context) -> str | Wanted:
    """Progress, then a wish, and no request of the server's own."""
    await context.report_progress(1, 2)
    return await test_input_required_result_elicitation(context)


async def test_input_required_result_sampling(context: Context) -> str | Wanted:
    """Wants a text of the client's model."""
    answer = _given(context, "capital_question")
    if not isinstance(answer, types.CreateMessageResult):
        return Wanted(input_requests={"capital_question": _sample("What is the capital of France?")})
    return f"Answer: {answer.content.text}"


async def test_input_required_result_list_roots(context: Context) -> str | Wanted:
    """Wants the client's roots."""
    answer = _given(context, "client_roots")
    if not isinstance(answer, types.ListRootsResult):
        return Wanted(input_requests={"client_roots": types.ListRootsRequest()})
    return f"Roots: {[str(root.uri) for root in answer.roots]}"


async def test_input_required_result_request_state(context: Context) -> str | Wanted:
    """Wants a yes, and its state back."""
    if context.request_state != "asked":
        return Wanted(input_requests={"confirm": _form("Please confirm", ok="boolean")}, request_state="asked")
    return "state-ok"


async def test_input_required_result_tampered_state(context: Context) -> str | Wanted:
    """Wants its state back as it was; the SDK seals states, and refuses one that was changed."""
    return await test_input_required_result_request_state(context)


async def test_input_required_result_multiple_inputs(context: Context) -> str | Wanted:
    """Wants three things at once."""
    wanted = {
        "user_name": _form("What is your name?", name="string"),
        "greeting": _sample("Generate a greeting", 50),
        "client_roots": types.ListRootsRequest(),
    }
    if not set(wanted) <= set(context.input_responses or {}):
        return Wanted(input_requests=wanted, request_state="three")
    return "Got all three."


async def test_input_required_result_multi_round(context: Context) -> str | Wanted:
    """Wants one thing, then another."""
    if context.request_state is None:
        return Wanted(input_requests={"step1": _form("What is your name?", name="string")}, request_state="1")
    if context.request_state == "1":
        return Wanted(
            input_requests={"step2": _form("What is your favourite colour?", color="string")}, request_state="2"
        )
    return "Both rounds are done."


async def test_input_required_result_capabilities(context: Context) -> str | Wanted:
    """Wants only what the client can do."""
    has, wanted = context.client_capabilities or types.ClientCapabilities(), {}
    if has.elicitation is not None:
        wanted["user_name"] = _form("What is your name?", name="string")
    if has.sampling is not None:
        wanted["greeting"] = _sample("Generate a greeting")
    return Wanted(input_requests=wanted) if wanted else "You can do neither."


async def test_input_required_result_prompt(context: Context) -> list[UserMessage] | Wanted:
    """A prompt that wants a context first."""
    answer = _given(context, "user_context")
    if not isinstance(answer, types.ElicitResult):
        return Wanted(input_requests={"user_context": _form("What context should the prompt use?", context="string")})
    return [UserMessage(f"Use this context: {(answer.content or {}).get('context')}")]


TOOLS = [
    test_elicitation,
    test_elicitation_sep1034_defaults,
    test_elicitation_sep1330_enums,
    test_sampling,
    test_input_required_result_elicitation,
    test_streaming_elicitation,
    test_input_required_result_sampling,
    test_input_required_result_list_roots,
    test_input_required_result_request_state,
    test_input_required_result_tampered_state,
    test_input_required_result_multiple_inputs,
    test_input_required_result_multi_round,
    test_input_required_result_capabilities,
]


def tools(prefix: str) -> list[Tool]:
    """These tools, with a prefix to their names."""
    return [Tool.from_function(tool, name=prefix + tool.__name__, structured_output=False) for tool in TOOLS]
