"""Servers that want a model's reply, in both eras: what the model is asked, what a person changes, what is refused."""

import asyncio
import base64
from typing import Annotated

import pytest
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.resolve import Resolve, Sample
from mcp.shared.exceptions import MCPError
from mcp_types import (
    AudioContent,
    CreateMessageRequestParams,
    CreateMessageResultWithTools,
    ErrorData,
    ImageContent,
    ModelHint,
    ModelPreferences,
    SamplingMessage,
    TextContent,
    ToolChoice,
    ToolResultContent,
    ToolUseContent,
)
from strands.models.ollama import OllamaModel
from strands.models.openai import OpenAIModel

from helpers.approvals.calls import Call
from helpers.approvals.desk import Desk
from helpers.approvals.models import Candidate, limited
from helpers.approvals.policy import PolicyApprover
from helpers.approvals.question import Answer
from helpers.approvals.sampling import ModelSampler, Window
from helpers.approvals.scripted import ScriptedApprover
from helpers.settings import settings
from tests.approvals.sampled import PRICE, Scripted, describe, said, server
from tests.apps.gated import events

YES = Answer("accept", by="Maria")
DOT = base64.b64encode(b"a picture").decode()
IMAGE = ImageContent(type="image", data=DOT, mime_type="image/png")


def desk(log, *models, **options):
    return Desk(ScriptedApprover([]), log, server="shop", sampler=ModelSampler(*models, **options))


def refusal(shop, at, era):
    """Why the server does not get a reply."""
    with pytest.raises(ExceptionGroup) as raised:
        describe(shop, at, era)
    error = raised.value
    while isinstance(error, ExceptionGroup):
        (error,) = error.exceptions
    assert isinstance(error, MCPError) and shop.got == []
    return error.error


def params(*messages, **options):
    return CreateMessageRequestParams(messages=list(messages) or [said("Hello")], **{"max_tokens": 50, **options})


def sample(sampler, asked):
    """What a sampler replies without a server."""
    return asyncio.run(sampler(None, asked))


def test_a_server_gets_the_models_reply_and_the_log_says_so(log, era):
    model, shop = Scripted("A good spade."), server(said("Hi."), said("Hello.", "assistant"), said("Describe a spade."))
    assert not describe(shop, desk(log, {"small": model}), era).is_error
    (reply,) = shop.got
    assert (reply.content.text, reply.model, reply.stop_reason) == ("A good spade.", "small", "endTurn")
    ((messages, *_),) = model.asked
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert messages[2]["content"] == [{"text": "Describe a spade."}]
    assert events(log) == ["sampled"] and log.entries()[0].details["model"] == "small"


def test_what_the_server_asks_of_the_model_is_told_to_it_and_forgotten_afterwards(log, era):
    model = Scripted(temperature=1.0)
    shop = server(system_prompt="Be brief.", temperature=0.1, stop_sequences=["END"])
    describe(shop, desk(log, model), era)
    ((_, system_prompt, _, _, config),) = model.asked
    assert system_prompt == "Be brief."
    assert config == {"max_tokens": 50, "temperature": 0.1, "stop_sequences": ["END"]}
    assert model.get_config() == {"temperature": 1.0}


@pytest.mark.parametrize(("asked", "most", "own", "tokens"), [(50, 100, 70, 50), (200, 100, 150, 100), (99, 99, 9, 9)])
def test_the_least_of_all_limits_on_tokens_holds(asked, most, own, tokens):
    model = Scripted(max_tokens=own)
    sample(ModelSampler(model, most_tokens=most), params(max_tokens=asked))
    assert model.asked[0][-1]["max_tokens"] == tokens


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (OllamaModel("http://127.0.0.1:9", model_id="m", max_tokens=9), {"max_tokens": 9, "stop_sequences": ["END"]}),
        (OpenAIModel(model_id="m", params={"max_tokens": 9}), {"params": {"max_tokens": 9, "stop": ["END"]}}),
    ],
    ids=["Ollama", "OpenAI"],
)
def test_strands_models_are_told_limits_in_their_own_settings(model, told):
    before = str(model.get_config())
    config = limited(model, params(stop_sequences=["END"]), 100).get_config()
    assert config == {"model_id": "m"} | told and str(model.get_config()) == before


def test_a_model_that_cannot_be_limited_is_not_taken():
    class Boundless(Scripted):
        def update_config(self, **config):
            raise NotImplementedError

    with pytest.raises(TypeError, match="has no setting for the most tokens"):
        ModelSampler(Boundless())


def test_no_model_no_sampler():
    with pytest.raises(ValueError, match="at least one model"):
        ModelSampler({})


@pytest.mark.parametrize(("stop", "told"), [("max_tokens", "maxTokens"), ("content_filtered", "content_filtered")])
def test_the_server_is_told_why_the_model_stopped(stop, told):
    assert sample(ModelSampler(Scripted(stop=stop)), params()).stop_reason == told


# Preferences

SMALL, LARGE = Scripted(), Scripted()
TWO = {
    "local-small": Candidate(SMALL, cost=0, speed=0.9, intelligence=0.2),
    "cloud-large": Candidate(LARGE, cost=0.9, speed=0.3, intelligence=0.9, images=True),
}


@pytest.mark.parametrize(
    ("preferences", "name"),
    [
        (None, "local-small"),
        ({}, "local-small"),
        ({"intelligence_priority": 1}, "cloud-large"),
        ({"intelligence_priority": 0.3, "cost_priority": 1}, "local-small"),
        ({"speed_priority": 1}, "local-small"),
        ({"hints": [ModelHint(name="LARGE")]}, "cloud-large"),
        ({"hints": [ModelHint(name="sonnet"), ModelHint(name="cloud"), ModelHint(name="small")]}, "cloud-large"),
        ({"hints": [ModelHint(name="small")], "intelligence_priority": 1}, "local-small"),
        ({"hints": [ModelHint(name="a")], "intelligence_priority": 1}, "cloud-large"),
        ({"hints": [ModelHint(), ModelHint(name="")], "speed_priority": 1}, "local-small"),
    ],
)
def test_the_first_hint_that_fits_decides_then_the_priorities_then_the_order(preferences, name):
    wanted = None if preferences is None else ModelPreferences(**preferences)
    assert sample(ModelSampler(TWO, per_minute=100), params(model_preferences=wanted)).model == name


def test_without_figures_the_first_model_is_taken():
    one = ModelSampler({"first": Scripted(), "second": Scripted()})
    assert sample(one, params(model_preferences=ModelPreferences(intelligence_priority=1))).model == "first"


def test_images_go_to_a_model_that_takes_them():
    LARGE.asked.clear()
    asked = params(SamplingMessage(role="user", content=[TextContent(type="text", text="What is it?"), IMAGE]))
    assert sample(ModelSampler(TWO), asked).model == "cloud-large"
    image = LARGE.asked[0][0][0]["content"][1]["image"]
    assert image == {"format": "png", "source": {"bytes": b"a picture"}}
    refused = sample(ModelSampler(Scripted()), asked)
    assert "No model of this client takes images" in refused.message


@pytest.mark.parametrize("figures", [{"cost": 2}, {"speed": -1}])
def test_figures_that_cannot_be_compared_are_refused(figures):
    with pytest.raises(ValueError, match="from 0 to 1"):
        Candidate(Scripted(), **figures)


# Limits


def test_a_server_that_asks_too_often_has_to_wait(log, era):
    model = Scripted()
    at = desk(log, model, per_minute=2)
    for _ in range(2):
        describe(server(), at, era)
    assert "at most 2 times a minute. Ask again in" in refusal(server(), at, era).message
    assert len(model.asked) == 2 and events(log) == ["sampled"] * 3
    assert "at most 2 times" in log.entries()[2].details["error"]


def test_a_window_lets_through_so_many_wherever_it_begins():
    now = [0.0]
    window = Window(2, 60, clock=lambda: now[0])
    assert (window.enter(), window.enter(), window.enter()) == (0, 0, 60)
    now[0] = 59.0
    assert window.enter() == 1
    now[0] = 60.0
    assert (window.enter(), window.enter(), window.enter()) == (0, 0, 60)


def test_a_window_that_lets_nothing_through_says_so():
    assert Window(0).enter() == 60


def test_a_prompt_that_is_too_long_is_not_sent(log, era):
    model = Scripted()
    refused = refusal(server(said("long " * 100)), desk(log, model, most_characters=400), era)
    assert "characters; send at most 400" in refused.message and model.asked == []


def test_all_that_the_model_would_read_counts():
    for part in ({"system_prompt": "x" * 400}, {"tools": [PRICE.model_copy(update={"description": "x" * 400})]}):
        model = Scripted()
        refused = sample(ModelSampler(model, most_characters=400), params(**part))
        assert "send at most 400" in refused.message and model.asked == []


AUDIO = AudioContent(type="audio", data=DOT, mime_type="audio/wav")
RESULT = ToolResultContent(tool_use_id="use-1", content=[TextContent(type="text", text="3")])


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (params(max_tokens=0), "at least 1"),
        (params(max_tokens=-1), "at least 1"),
        (params().model_copy(update={"messages": []}), "no message"),
        (params(SamplingMessage(role="user", content=AUDIO)), "not audio/wav"),
        (params(SamplingMessage(role="user", content=IMAGE.model_copy(update={"data": "?"}))), "cannot be read"),
        (params(SamplingMessage(role="user", content=IMAGE.model_copy(update={"mime_type": "a/b"}))), "not a/b"),
        (params(SamplingMessage(role="user", content=RESULT)), "cannot be read"),
        (params(tool_choice=ToolChoice(mode="required")), "A tool is required, but there is none"),
    ],
)
def test_what_cannot_be_answered_is_refused_before_anybody_is_asked(asked, why):
    model, person = Scripted(), ScriptedApprover([])
    refused = sample(ModelSampler(model, review=person), asked)
    assert isinstance(refused, ErrorData) and why in refused.message
    assert model.asked == [] and person.asked == []


def test_a_model_that_fails_costs_the_server_its_reply_and_tells_it_nothing(log, era, caplog):
    refused = refusal(server(), desk(log, Scripted(RuntimeError("the key is 1234"))), era)
    assert refused.message == "The model failed (RuntimeError). Ask later, or do without it."
    assert "1234" not in caplog.text and events(log) == ["sampled"]


def test_a_model_that_hangs_is_waited_for_until_the_deadline(log, era):
    refused = refusal(server(), desk(log, Scripted(None), seconds=0.2), era)
    assert refused.message == "There was no reply within 0.2 s. Ask for less, or later." and events(log) == ["sampled"]


# A person between


def test_a_person_sees_the_prompt_and_the_reply(log, era):
    person = ScriptedApprover([YES, YES])
    shop = server(said("I am Ada."), said("Hello\nAda.", "assistant"), said("Who am I?"), system_prompt="Be kind.")
    describe(shop, desk(log, {"small": Scripted("Ada.")}, review=person), era)
    prompt, reply = person.asked
    assert prompt.message.splitlines() == [
        "shop wants a model to reply.",
        "System prompt: Be kind.",
        "user: I am Ada.",
        "assistant: Hello Ada.",
    ]
    assert prompt.schema["properties"]["prompt"]["default"] == "Who am I?" and prompt.server == "shop"
    assert reply.message == "small replied. This goes to shop."
    assert reply.schema["properties"]["reply"]["default"] == "Ada."
    assert prompt.id != reply.id and prompt.seconds_left() <= 300
    (entry,) = log.entries()
    assert (entry.who, entry.details["changed"]) == ("Maria", [])
    assert shop.got[0].content.text == "Ada."


def test_what_a_person_changes_is_what_is_used(log, era):
    person = ScriptedApprover(
        [Answer("accept", {"prompt": "Shorter."}), Answer("accept", {"reply": "Spade."}, by="Li")]
    )
    model, shop = Scripted("A good spade."), server()
    describe(shop, desk(log, model, review=person), era)
    assert model.asked[0][0] == [{"role": "user", "content": [{"text": "Shorter."}]}]
    assert shop.got[0].content.text == "Spade."
    (entry,) = log.entries()
    assert (entry.who, entry.details["changed"]) == ("Li", ["prompt", "reply"])


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_prompt_that_is_declined_is_never_sent(log, era, action):
    model = Scripted()
    refused = refusal(server(), desk(log, model, review=ScriptedApprover([Answer(action)])), era)
    assert (refused.code, refused.message) == (-1, "User rejected sampling request") and model.asked == []


def test_a_reply_that_is_declined_does_not_leave(log, era):
    refused = refusal(server(), desk(log, Scripted("secret"), review=ScriptedApprover([YES, Answer("decline")])), era)
    assert refused.code == -1 and "secret" not in refused.message


def test_a_review_that_breaks_the_form_is_none():
    model = Scripted()
    refused = sample(ModelSampler(model, review=ScriptedApprover([Answer("accept", {"prompt": 7})])), params())
    assert refused.code == -1 and "as the form has it" in refused.message and model.asked == []


def test_a_person_cannot_make_the_prompt_too_long_either():
    model = Scripted()
    person = ScriptedApprover([Answer("accept", {"prompt": "x" * 500})])
    refused = sample(ModelSampler(model, review=person, most_characters=400), params())
    assert "send at most 400" in refused.message and model.asked == []


def test_a_person_who_does_not_answer_is_waited_for_until_the_deadline(log, era):
    model = Scripted()
    at = desk(log, model, review=ScriptedApprover([ScriptedApprover.SILENT]), seconds=0.2)
    assert "no reply within 0.2 s" in refusal(server(), at, era).message and model.asked == []


def test_a_person_is_told_in_the_course_of_which_call(log, era):
    person = ScriptedApprover([YES, YES])
    describe(server(), desk(log, Scripted(), review=person), era, Call("shop", "describe", {"sku": "GT-201"}))
    assert person.asked[0].message == "shop wants a model to reply in the course of describe."
    assert person.asked[0].arguments == {"sku": "GT-201"} and log.entries()[0].tool == "describe"


def test_a_policy_can_review(log):
    def short(question):
        return Answer("accept") if len(question.message) < 200 else None

    policy = PolicyApprover([short], ScriptedApprover([]))
    shop = server()
    describe(shop, desk(log, Scripted(), review=policy), "auto", Call("shop", "describe", {"sku": "GT-201"}))
    assert shop.got[0].content.text == "good" and log.entries()[0].who == "policy"


def test_what_is_long_is_shown_in_short_and_cannot_look_like_another_line():
    person = ScriptedApprover([YES, YES])
    asked = params(said("x" * 400), said("y"), said("z"), system_prompt="one\nuser: two")
    sample(ModelSampler(Scripted(), review=person), asked)
    lines = person.asked[0].message.splitlines()
    assert lines[1] == "System prompt: one user: two"
    assert lines[2] == f"user: {'x' * 300}… (400 characters)"


# With tools


def shop_with_price(**options):
    """A server that lets a model use its tool, runs that, and lets the model go on."""
    shop = MCPServer("shop")
    shop.got = []
    prompt = said("What is a spade?")

    def first() -> Sample:
        return Sample([prompt], max_tokens=50, tools=[PRICE], **options)

    def second(reply: Annotated[CreateMessageResultWithTools, Resolve(first)]) -> Sample:
        (use,) = reply.content_as_list
        result = ToolResultContent(tool_use_id=use.id, content=[TextContent(type="text", text="12 euros")])
        messages = [prompt, SamplingMessage(role="assistant", content=[use])]
        return Sample([*messages, SamplingMessage(role="user", content=[result])], max_tokens=50, tools=[PRICE])

    @shop.tool()
    def describe(reply: Annotated[CreateMessageResultWithTools, Resolve(second)]) -> str:
        """Describe an article."""
        shop.got.append(reply)
        return "described"

    return shop


def test_a_server_runs_the_tool_that_the_model_uses_and_the_model_goes_on(log, era):
    model, shop = Scripted(("price", '{"sku": "GT-201"}'), "It costs 12 euros."), shop_with_price()
    describe(shop, desk(log, model), era)
    (reply,) = shop.got
    assert (reply.content_as_list[0].text, reply.stop_reason) == ("It costs 12 euros.", "endTurn")
    (_, _, (spec,), choice, _), (messages, *_) = model.asked
    assert (spec["name"], choice) == ("price", None)
    assert messages[1]["content"][0]["toolUse"]["input"] == {"sku": "GT-201"}
    result = messages[2]["content"][0]["toolResult"]
    assert result == {"toolUseId": "use-1", "status": "success", "content": [{"text": "12 euros"}]}
    assert events(log) == ["sampled", "sampled"]


def test_a_person_sees_which_tool_the_model_uses(log, era):
    person = ScriptedApprover([YES] * 4)
    model = Scripted(("price", '{"sku": "GT-201"}'), "It costs 12 euros.")
    describe(shop_with_price(), desk(log, model, review=person), era)
    prompt, use, result, _ = person.asked
    assert "Tools: price" in prompt.message
    assert '"name": "price"' in use.message and '"sku": "GT-201"' in use.message and not use.schema["properties"]
    assert '"12 euros"' in result.message and not result.schema["properties"]


def reply_with_tools(model, mode):
    choice = ToolChoice(mode=mode) if mode else None
    return sample(ModelSampler(model), params(tools=[PRICE], tool_choice=choice)), model.asked[0]


def test_a_tool_that_is_required_is_used():
    reply, (_, _, _, choice, _) = reply_with_tools(Scripted(("price", "{}")), "required")
    assert choice == {"any": {}} and reply.stop_reason == "toolUse"
    assert reply.content == [ToolUseContent(type="tool_use", id="use-1", name="price", input={})]
    assert "used no tool" in reply_with_tools(Scripted("no"), "required")[0].message


def test_tools_that_are_not_to_be_used_are_not_told():
    reply, (_, _, specs, _, _) = reply_with_tools(Scripted("no"), "none")
    assert specs is None and reply.content_as_list[0].text == "no"


def test_a_tool_that_was_not_offered_is_not_used():
    assert "that it was not given" in reply_with_tools(Scripted(("discard", "{}")), None)[0].message


def test_a_tool_whose_arguments_were_cut_off_is_not_used():
    reply, _ = reply_with_tools(Scripted(("price", '{"sku": "GT'), stop="max_tokens"), None)
    assert reply.stop_reason == "maxTokens" and reply.content == [TextContent(type="text", text="")]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"content": [], "structured_content": {"price": 12}}, [{"json": {"price": 12}}]),
        ({"content": []}, [{"text": ""}]),
        ({"content": [IMAGE]}, [{"image": {"format": "png", "source": {"bytes": b"a picture"}}}]),
    ],
)
def test_a_model_reads_what_a_tool_gave(given, told):
    model = Scripted()
    use = ToolUseContent(type="tool_use", id="use-1", name="price", input={})
    result = ToolResultContent(tool_use_id="use-1", is_error=True, **given)
    messages = said("?"), SamplingMessage(role="assistant", content=use), SamplingMessage(role="user", content=result)
    sample(ModelSampler(Candidate(model, images=True)), params(*messages, tools=[PRICE]))
    assert model.asked[0][0][2]["content"][0]["toolResult"] == {
        "toolUseId": "use-1",
        "status": "error",
        "content": told,
    }


# The kit's own model


@pytest.mark.model
def test_the_small_model_replies_within_its_tokens_and_uses_a_tool(log, own_endpoint):
    model = OllamaModel(own_endpoint, model_id=settings().chat_model, temperature=0)
    shop = server(said("Count from 1 to 100, in digits."), max_tokens=8)
    describe(shop, desk(log, model), "auto")
    (reply,) = shop.got
    assert reply.stop_reason == "maxTokens" and "2" in reply.content.text and reply.model == settings().chat_model
    shop = server(said("Use the tool to tell me the price."), max_tokens=100, tools=[PRICE])
    describe(shop, desk(log, model), "legacy")
    assert shop.got[0].stop_reason == "toolUse" and shop.got[0].content_as_list[-1].name == "price"
