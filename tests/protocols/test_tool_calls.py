"""The default model calls the right tool with the right arguments, and leaves tools alone when none fits."""

import ollama
import pytest

pytestmark = pytest.mark.model


def get_weather(city: str):
    """Current weather of a city.

    Args:
        city: Name of the city.
    """


def add(a: float, b: float):
    """Add two numbers.

    Args:
        a: First number.
        b: Second number.
    """


def record_blood_pressure(patient_id: str, systolic: int, diastolic: int):
    """Store a blood pressure reading of a patient.

    Args:
        patient_id: The patient's id.
        systolic: Upper value.
        diastolic: Lower value.
    """


def stock_level(store: str, item: str):
    """How many units of an item a store has.

    Args:
        store: City of the store.
        item: Name of the item.
    """


def current_time(timezone: str):
    """The current time in a time zone.

    Args:
        timezone: IANA name of the zone.
    """


REQUESTS = [
    ("What is the weather in Paris?", [get_weather], "get_weather", {"city": "Paris"}),
    ("Add 17 and 25 for me.", [add, get_weather], "add", {"a": 17, "b": 25}),
    (
        "Patient P-104 has a blood pressure of 130 over 85. Please record it.",
        [record_blood_pressure, get_weather],
        "record_blood_pressure",
        {"patient_id": "P-104", "systolic": 130, "diastolic": 85},
    ),
    (
        "How many ladders does the store in Seattle have?",
        [stock_level, get_weather, current_time],
        "stock_level",
        {"store": "Seattle"},
    ),
    ("What time is it in Tokyo?", [get_weather, current_time, stock_level], "current_time", {"timezone": "Asia/Tokyo"}),
]
SMALL_TALK = ["Write a short poem about the sea.", "Thank you, that is all.", "Explain what hypertension is."]


def calls_of(url, request, tools):
    reply = ollama.Client(host=url, timeout=120).chat(
        "qwen2.5-coder:1.5b",
        [{"role": "user", "content": request}],
        tools=tools,
        options={"temperature": 0, "num_predict": 100},
    )
    return reply.message.tool_calls or []


def test_at_least_four_of_five_requests_lead_to_the_right_call(own_endpoint):
    right = []
    for request, tools, name, arguments in REQUESTS:
        calls = calls_of(own_endpoint, request, tools)
        given = dict(calls[0].function.arguments) if calls else {}
        matches = {key: given.get(key) for key in arguments} == arguments
        right.append(len(calls) == 1 and calls[0].function.name == name and matches)
    assert sum(right) >= 4, list(zip([request for request, *_ in REQUESTS], right, strict=True))


def test_small_talk_leads_to_no_call(own_endpoint):
    called = [request for request in SMALL_TALK if calls_of(own_endpoint, request, [add, stock_level])]
    assert len(called) <= 1, called


def test_after_a_tool_has_answered_so_does_the_model(own_endpoint):
    client = ollama.Client(host=own_endpoint, timeout=120)
    call = {"function": {"name": "stock_level", "arguments": {"store": "Seattle", "item": "ladder"}}}
    messages = [
        {"role": "user", "content": "How many ladders does the store in Seattle have?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_name": "stock_level", "content": "7"},
    ]
    reply = client.chat(
        "qwen2.5-coder:1.5b", messages, tools=[stock_level], options={"temperature": 0, "num_predict": 60}
    )
    assert not reply.message.tool_calls and "7" in reply.message.content
