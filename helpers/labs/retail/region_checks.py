"""What is judged of what runs in the Region: targets, forecasts, whom a question finds, an agent, and the proof."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers.labs.judging import Learner, Wrong, shown
from helpers.labs.wire import Callback, StandIn

Json = dict[str, Any]
HERE = "helpers.labs.retail.stand_ins"
STORES = ["arnsee", "falkenried", "taldorf"]


def target(learner: Learner, chance: random.Random, _: Path) -> None:
    """boto3 takes it, and the gateway would call the right address with the right header."""
    for store in ("arnsee", f"store-{chance.randint(10, 99)}"):
        url = f"http://127.0.0.1:{chance.randint(20000, 60000)}"
        arn = f"arn:aws:bedrock-agentcore:us-west-2:123456789012:token-vault/default/apikeycredentialprovider/{store}"
        with learner.case(f"target({store!r}, {url!r}, …)", "the step's description: the three entries"):
            told = learner.call(store, url, arn)
            learner.expect_type(told, dict, "a dict of arguments")
            _valid(told)
            learner.expect(told["name"], store, "the name: the gateway puts it before the names of the store's tools")
            server = told["targetConfiguration"].get("mcp", {}).get("mcpServer", {})
            learner.expect(server.get("endpoint"), f"{url}/mcp", "the endpoint: the kit's servers listen at /mcp")
            (given,) = told["credentialProviderConfigurations"] or [{}]
            learner.expect(given.get("credentialProviderType"), "API_KEY", "the type of the credentials")
            key = given.get("credentialProvider", {}).get("apiKeyCredentialProvider", {})
            learner.expect(key.get("providerArn"), arn, "providerArn: the provider that was made for this store")
            learner.expect(key.get("credentialLocation"), "HEADER", "where the token stands: not in the address")
            header = f"{key.get('credentialParameterName', 'Authorization')}: {key.get('credentialPrefix', '')}"
            learner.expect(header.strip(), "Authorization: Bearer", "the header's name, and the word before the token")


def forecast(learner: Learner, chance: random.Random, _: Path) -> None:
    """The mean of what is known of the last four weeks."""
    low = chance.randint(4, 20)
    cases: list[tuple[list[int | None], int | None, str]] = [
        ([90, 80, low, low, low + 4, low + 4], low + 2, "which weeks count: the last four"),
        ([0, 0, low, low, low, low + 1], low + 1, "how it is rounded: up"),
        (
            [0, 0, low, None, None, low + 2],
            low + 1,
            "None: not told, so it is neither 0 nor a week, and no older week fills the gap",
        ),
        ([9, 9, low, 0, 0, low], (2 * low + 3) // 4, "0: nobody bought, and that is known"),
        ([50, 60, None, None, low, None], None, "fewer than two known weeks of the last four: None"),
        ([50, 60, None, None, None, None], None, "no known week of the last four: None"),
        ([5, 5, 0, 0, 0, 0], 0, "four weeks without a sale: 0, which is not None"),
    ]
    for pieces, expected, look in cases:
        with learner.case(f"forecast({pieces})", look):
            learner.expect(learner.call(pieces), expected)


def manager(learner: Learner, chance: random.Random, _: Path) -> None:
    """The giving store's manager is asked, alone, and what is no answer is a cancel."""
    gives, gets, other = chance.sample(STORES, 3)
    asked: list[str] = []
    said = {"action": "accept", "content": {"quantity": 3}, "by": "Maria"}

    def ask(tool: str, answer: Json) -> Any:  # noqa: ANN401 - what the learner returns
        asked.clear()

        def decide(store: str, _: str) -> Json:
            asked.append(store)
            return answer

        learner.callbacks = {"decide": decide}
        about = {"sku": "GW-301", "to": gets, "from": other, "store": other, "quantity": 3}
        question = StandIn(
            "helpers.approvals.question:Question",
            ("q1", "gateway", f"Send 3 pieces from {other} to {gets}?", {}, None, tool, about),
        )
        managers = {store: StandIn(f"{HERE}:Manager", (store, Callback("decide"))) for store in (gets, other, gives)}
        return _fields(learner, learner.call(question, managers))

    with learner.case(f"{gives}___send to {gets}", "who is asked: the store before ___ in question.tool, and only it"):
        told = ask(f"{gives}___send", said)
        learner.expect(asked, [gives])
        learner.expect((told["action"], dict(told["content"]), told["by"]), ("accept", {"quantity": 3}, "Maria"))
    with learner.case("the manager declines", "the manager's answer: return it as it is"):
        learner.expect(ask(f"{gives}___send", {"action": "decline", "by": "Maria"})["action"], "decline")
    unknown = "a store that has no manager here: cancel, and ask nobody"
    other_tool = "another tool than send: managers of stores approve nothing else"
    for tool, look in (("uhlenhorst___send", unknown), (f"new-{gives}___send", unknown), ("", unknown)):
        with learner.case(f"a question of {tool!r}", look):
            _cancelled(learner, ask(tool, said), asked, [])
    with learner.case(f"a question of {gives}___discard", other_tool):
        _cancelled(learner, ask(f"{gives}___discard", said), asked, [])
    with learner.case("the manager says nothing", "the time limit: after PATIENCE seconds, cancel"):
        _cancelled(learner, ask(f"{gives}___send", {"action": "silence", "by": ""}), asked, [gives])


def survey(learner: Learner, chance: random.Random, _: Path) -> None:
    """All at once; who is not there keeps what was last seen, marked as old."""
    one, two, three = (chance.randint(1, 99) for _ in range(3))
    seen = {"arnsee": 0, "falkenried": chance.randint(100, 199)}

    def ask(answers: Json, together: int = 0) -> Any:  # noqa: ANN401
        shops = StandIn(f"{HERE}:Shops", (answers, together))
        return learner.call(shops, list(answers), seen)

    fresh = {"arnsee": one, "falkenried": two, "taldorf": three}
    with learner.case("all three answer", "the shape: {store: {'quantity': …, 'fresh': True}}"):
        learner.expect(ask(fresh), {store: _seen(number) for store, number in fresh.items()})
    with learner.case("none answers before all were asked", "at the same time: one store must not wait for the other"):
        learner.expect(ask(fresh, 3), {store: _seen(number) for store, number in fresh.items()})
    with learner.case("falkenried is cut off", "ConnectionError: what was last seen, and fresh is False"):
        expected = {"arnsee": _seen(one), "falkenried": _seen(seen["falkenried"], False), "taldorf": _seen(three)}
        learner.expect(ask(fresh | {"falkenried": "cut"}), expected)
    with learner.case(
        "arnsee says nothing", "the time limit: after PATIENCE seconds what was last seen, also if it is 0"
    ):
        expected = {"arnsee": _seen(0, False), "falkenried": _seen(two), "taldorf": _seen(three)}
        learner.expect(ask(fresh | {"arnsee": "silent"}), expected)
    with learner.case("taldorf is cut off, and was never seen", "a store that was never seen: its quantity is None"):
        learner.expect(ask(fresh | {"taldorf": "cut"})["taldorf"], _seen(None, False))


def agent(learner: Learner, chance: random.Random, _: Path) -> None:
    """It gets what reads and nothing else, ends, and begins each question anew."""
    called: list[str] = []
    store = chance.choice(STORES)
    words = f"{store} has {chance.randint(100, 999)} pieces."
    names = [f"{each}___{tool}" for each in STORES for tool in ("count", "weekly", "send", "recount", "audit")]
    reading = [name for name in names if name.endswith(("___count", "___weekly"))]

    def ask(question: str, turn: Callable[..., Json]) -> Any:  # noqa: ANN401
        called.clear()

        def work(name: str, sku: str) -> str:
            called.append(f"{name} {sku}")
            return words

        learner.callbacks = {"turn": turn, "work": work}
        tools = [StandIn(f"{HERE}:remote_tool", (name, Callback("work"))) for name in names]
        told = learner.call(question, StandIn(f"{HERE}:Scripted", (Callback("turn"),)), tools)
        learner.expect_type(told, dict, "a dict with the keys said and used")
        return told

    def looks(offered: list[str], texts: list[str], prompt: str) -> Json:
        if sorted(offered) != sorted(reading):
            look = "which tools the agent gets: those that end with ___count or ___weekly, and no other"
            raise Wrong(shown(sorted(reading)), shown(sorted(offered)), look)
        if not prompt:
            raise Wrong("a system prompt", "none", "system_prompt: what the agent is there for")
        done = sum('"toolResult"' in text for text in texts)
        script = [(f"{store}___count", {"sku": "GW-301"}), (f"{store}___weekly", {"sku": "GW-301"})]
        return {"call": script[done]} if done < len(script) else {"text": f"{words} "}

    with learner.case("the model looks twice, then answers", "what is returned: said and used, in the order of calls"):
        told = ask("How many hoses are there?", looks)
        learner.expect(called, [f"{store}___count GW-301", f"{store}___weekly GW-301"])
        learner.expect(told, {"said": words, "used": [f"{store}___count", f"{store}___weekly"]})
    with learner.case("a second question", "the agent's memory: make an agent for each question"):
        told = ask("And how many spades?", lambda _, texts, __: {"text": "" if _before(texts) else "none"})
        learner.expect(told, {"said": "none", "used": []})
    turns: list[int] = []

    def for_ever(*_: object) -> Json:
        turns.append(1)
        if len(turns) > 6:
            raise Wrong("an agent that ends after TURNS turns", "a seventh turn", "limits: invoke_async takes them")
        return {"call": (f"{store}___count", {"sku": f"GW-{len(turns)}"})}

    with learner.case("a model that never stops looking"):
        learner.expect(len(ask("How many hoses?", for_ever)["used"]), 6, "the limit: TURNS turns, not fewer")


def proof(learner: Learner, chance: random.Random, folder: Path) -> None:
    """Clean, leaked, not read, and silent sites are told apart."""
    sites = chance.sample(["store-arnsee", "store-falkenried", "store-taldorf", "store-uhlenhorst"], 4)
    clean, leaked, unread, silent = sites
    path = _ledger(folder, [*sites, "oregon"], clean, leaked, unread)
    book = StandIn(f"{HERE}:ledger", (str(path),))

    def ask(*names: str) -> Any:  # noqa: ANN401
        outcome = learner.attempt(book, list(names))
        if outcome.raised and "LeftTheSite" in outcome.raised.kinds:
            raise Wrong("a dict with True or False", str(outcome.raised))
        return learner.call(book, list(names)) if outcome.raised else outcome.value

    with learner.case("a store whose messages are clean", "what is returned: a dict with True or False for each site"):
        learner.expect(ask(clean), {clean: True})
    with learner.case("a store from which a card left", "LeftTheSite: that is what must not be, so False"):
        learner.expect(ask(leaked), {leaked: False})
    with learner.case("a store with bytes that nobody could read", "what could not be read: that is no proof"):
        learner.expect(ask(unread), {unread: False})
    with learner.case("a store from which nothing crossed", "how many crossings were read: none proves nothing"):
        learner.expect(ask(silent), {silent: False})
    with learner.case("all four, the bad ones first", "one site that fails must not hide the others"):
        order = [leaked, silent, unread, clean]
        learner.expect(ask(*order), {site: site == clean for site in order})
    with learner.case("a site that the ledger does not watch", "which error is caught: UnknownSite must be raised"):
        outcome = learner.attempt(book, ["store-nowhere"])
        if outcome.raised is None or "UnknownSite" not in outcome.raised.kinds:
            raise Wrong("the error UnknownSite", str(outcome.raised or shown(outcome.value)))


def _ledger(folder: Path, sites: list[str], clean: str, leaked: str, unread: str) -> Path:
    """A ledger in which the Region asks three stores; a card goes *to* the clean one, which is no leak of it."""
    from helpers.sites.ledger import Crossing, LedgerWriter

    writer = LedgerWriter(folder / "ledger.sqlite", sites, ["card", "price"])
    for store in (clean, leaked, unread):
        writer.write(Crossing("oregon", store, operation="tools/call count", bytes=300, whole=True))
        writer.write(Crossing(store, "oregon", operation="tools/call count", status=200, bytes=90, whole=True))
    writer.write(Crossing("oregon", clean, operation="tools/call count", whole=True, classified={"card": 1}))
    writer.write(Crossing(clean, "oregon", operation="tools/call count", whole=True, classified={"price": 2}))
    writer.write(Crossing(leaked, "oregon", operation="tools/call weekly", whole=True, classified={"card": 3}))
    writer.write(Crossing(unread, "oregon", operation="tools/call weekly", bytes=80, unread=40, whole=True))
    writer.close()
    return folder / "ledger.sqlite"


def _valid(told: Json) -> None:
    """As boto3 would look at it before it sends anything."""
    import botocore.session
    from botocore.validate import ParamValidator

    service = botocore.session.get_session().get_service_model("bedrock-agentcore-control")
    shape = service.operation_model("CreateGatewayTarget").input_shape
    report = ParamValidator().validate({"gatewayIdentifier": "stores-0123456789", **told}, shape)
    if report.has_errors():
        raise Wrong("arguments that create_gateway_target takes", report.generate_report(), "the names and the nesting")
    missing = {"name", "credentialProviderConfigurations"} - set(told)
    if missing:
        raise Wrong("three entries", f"no {', '.join(sorted(missing))}", "the names and the nesting")


def _fields(learner: Learner, told: Any) -> Json:  # noqa: ANN401
    if getattr(told, "type", "") != "Answer" or not told.fields:
        raise Wrong("an Answer of helpers.approvals", shown(told), "what is returned: an Answer, in every case")
    return dict(told.fields)


def _cancelled(learner: Learner, told: Json, asked: list[str], expected: list[str]) -> None:
    learner.expect(asked, expected)
    learner.expect(told["action"], "cancel")


def _seen(quantity: int | None, fresh: bool = True) -> Json:
    return {"quantity": quantity, "fresh": fresh}


def _before(texts: list[str]) -> bool:
    return any("hoses" in text for text in texts)
