"""Answers to the steps of the stores' lab as learners write them, each with what the verdict must point at."""

import asyncio
import math
from typing import Annotated

from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel, Field
from strands import Agent

from helpers.approvals.question import Answer
from helpers.labs.retail.hosting import served
from helpers.labs.retail.season import FEWEST, WEEKS
from helpers.sites.errors import LeftTheSite

PATIENCE = 0.5
TURNS = 6


def summed(receipts, *, first=1, hidden=lambda cards, lines: 0 < len(cards) < FEWEST):
    """The sums, and a rule for what is hidden."""
    pieces = {}
    for sku in {line["sku"] for line in receipts}:
        weeks = []
        for week in range(WEEKS):
            lines = [line for line in receipts if (line["sku"], line["week"]) == (sku, week + first)]
            cards = {line["card"] for line in lines}
            weeks.append(None if hidden(cards, lines) else sum(line["quantity"] for line in lines))
        pieces[sku] = weeks
    return pieces


def nothing_hidden(receipts):
    return summed(receipts, hidden=lambda cards, lines: False)


def receipts_counted_as_customers(receipts):
    return summed(receipts, hidden=lambda cards, lines: 0 < len(lines) < FEWEST)


def weeks_from_zero(receipts):
    return summed(receipts, first=0)


def nobody_is_hidden_too(receipts):
    return summed(receipts, hidden=lambda cards, lines: len(cards) < FEWEST)


def customers_of_all_articles(receipts):
    everyone = [{line["card"] for line in receipts if line["week"] == week + 1} for week in range(WEEKS)]
    return {
        sku: [None if 0 < len(who) < FEWEST else sold for sold, who in zip(weeks, everyone, strict=True)]
        for sku, weeks in nothing_hidden(receipts).items()
    }


def printed_only(receipts):
    print(summed(receipts))


def seen_cases(receipts):
    return {receipts[0]["sku"]: [0, sum(line["quantity"] for line in receipts), 0, 0, 0, 0]}


def shop_with(*, error=ToolError, tidy=True, describe=True, more=False, fill=False):
    """A shop with one thing wrong."""

    @served
    def shop(stock, sold):
        server = MCPServer("shop", log_level="ERROR")

        def found(table, sku):
            number = sku.strip().upper() if tidy else sku
            if number not in table and error is not None:
                raise error(f"There is no article {sku!r}.")
            return table.get(number, 0 if table is stock else [])

        def count(sku: str) -> int:
            return found(stock, sku)

        def weekly(sku: str) -> list[int | None]:
            return [sold or 0 for sold in found(sold, sku)] if fill else found(sold, sku)

        words = "Tells what the store has of an article." if describe else ""
        for tool in (count, weekly):
            server.add_tool(tool, description=words)
        if more:
            server.add_tool(lambda: stock, name="everything", description="All that the store has in stock.")
        return server

    return shop


@served
def no_server(stock, sold):
    return {"count": stock, "weekly": sold}


def target_with(**change):
    """A target with one thing wrong."""

    def target(store, url, provider_arn):
        given = {
            "path": "/mcp",
            "name": store,
            "credentialLocation": "HEADER",
            "credentialParameterName": "Authorization",
            "credentialPrefix": "Bearer",
            "type": "API_KEY",
        } | change
        key = {"providerArn": given.get("providerArn", provider_arn)}
        key |= {name: value for name, value in given.items() if name.startswith("credential") and value}
        kind, provider = given["type"], {"apiKeyCredentialProvider": key}
        credentials = {"credentialProviderType": kind, "credentialProvider": provider}
        server = {"mcpServer": {"endpoint": url + given["path"]}}
        return {
            "name": given["name"],
            "targetConfiguration": server if given.get("flat") else {"mcp": server},
            "credentialProviderConfigurations": [credentials],
        }

    return target


def none_is_zero(pieces):
    return math.ceil(sum(sold or 0 for sold in pieces[-4:]) / 4)


def rounded(pieces):
    known = [sold for sold in pieces[-4:] if sold is not None]
    return round(sum(known) / len(known) - 0.01) if len(known) >= 2 else None


def all_weeks(pieces):
    known = [sold for sold in pieces if sold is not None]
    return math.ceil(sum(known) / len(known)) if len(known) >= 2 else None


def older_weeks_fill_in(pieces):
    known = [sold for sold in pieces if sold is not None][-4:]
    return math.ceil(sum(known) / len(known)) if len(known) >= 2 else None


def one_week_will_do(pieces):
    known = [sold for sold in pieces[-4:] if sold is not None]
    return math.ceil(sum(known) / len(known)) if known else None


def zero_is_unknown(pieces):
    known = [sold for sold in pieces[-4:] if sold]
    return math.ceil(sum(known) / len(known)) if len(known) >= 2 else None


class Approval(BaseModel):
    quantity: int = Field(ge=1)


def sending_with(  # noqa: C901 - one switch for each mistake
    *, early=False, as_asked=False, any_answer=False, no_limit=False, once=False, unasked=True, same=True, vague=False
):
    """A server that sends, with one thing wrong."""

    @served
    def sending(store, count, move):  # noqa: C901
        server = MCPServer(store, log_level="ERROR")

        def ask(sku: str, to: str, quantity: int) -> Elicit[Approval]:
            if (to == store and same) or (unasked and not 0 < quantity <= count(sku)):
                raise ToolError("That cannot be.")
            if early:
                move(sku, to, quantity)
            return Elicit("May goods be sent?" if vague else f"Send {quantity} of {sku} to {to}?", Approval)

        @server.tool()
        def send(sku: str, to: str, quantity: int, answer: Annotated[ElicitationResult[Approval], Resolve(ask)]) -> int:
            """Send pieces of an article to another store."""
            if not isinstance(answer, AcceptedElicitation) and not any_answer:
                raise ToolError(f"The manager said {answer.action}.")
            approved = answer.data.quantity if answer.action == "accept" and not as_asked else quantity
            if approved > quantity and not no_limit:
                raise ToolError("More than was asked for.")
            if not once and approved > count(sku):
                raise ToolError("There are not so many.")
            if not early:
                move(sku, to, approved)
            return approved

        return server

    return sending


def routed(find, *, limit=PATIENCE, kept=True, tools=("send",)):
    """A way to find a manager, and what is done with the answer."""

    async def ask_manager(question, managers):
        store = find(question, managers)
        if store not in managers or question.tool.rpartition("___")[2] not in tools:
            return Answer("cancel")
        try:
            answer = await asyncio.wait_for(managers[store].answer(question), limit)
        except TimeoutError:
            return Answer("cancel")
        return answer if kept else Answer("accept", answer.content, by=answer.by)

    return ask_manager


def before_the_underscores(question, managers):
    return question.tool.partition("___")[0]


def who_gets_it(question, managers):
    return question.arguments["to"]


def who_is_in_the_name(question, managers):
    return next((store for store in managers if store in question.tool), None)


async def key_error(question, managers):
    return await asyncio.wait_for(managers[question.tool.partition("___")[0]].answer(question), PATIENCE)


asks_the_receiver = routed(who_gets_it)
finds_a_part = routed(who_is_in_the_name)
always_yes = routed(before_the_underscores, kept=False)
any_tool = routed(before_the_underscores, tools=("send", "discard"))


async def waits_for_ever(question, managers):
    store, _, tool = question.tool.partition("___")
    return await managers[store].answer(question) if tool == "send" and store in managers else Answer("cancel")


def surveyed(*, errors=(ConnectionError, TimeoutError), last=lambda seen, store: seen.get(store), marked=True):
    """A survey with one thing wrong."""

    async def survey(ask, stores, seen):
        async def one(store):
            try:
                return {"quantity": await asyncio.wait_for(ask(store), PATIENCE), "fresh": True}
            except errors:
                return {"quantity": last(seen, store), "fresh": not marked}

        return dict(zip(stores, await asyncio.gather(*map(one, stores)), strict=True))

    return survey


async def one_after_the_other(ask, stores, seen):
    found = {}
    for store in stores:
        try:
            found[store] = {"quantity": await asyncio.wait_for(ask(store), PATIENCE), "fresh": True}
        except (ConnectionError, TimeoutError):
            found[store] = {"quantity": seen.get(store), "fresh": False}
    return found


async def without_a_time_limit(ask, stores, seen):
    async def one(store):
        try:
            return {"quantity": await ask(store), "fresh": True}
        except ConnectionError:
            return {"quantity": seen.get(store), "fresh": False}

    return dict(zip(stores, await asyncio.gather(*map(one, stores)), strict=True))


def zero_was_never_seen(seen, store):
    return seen.get(store) or None


def zero_if_never_seen(seen, store):
    return seen.get(store, 0)


looks_old_as_new = surveyed(marked=False)
forgets_a_zero = surveyed(last=zero_was_never_seen)
makes_up_a_zero = surveyed(last=zero_if_never_seen)

PROMPT = "You advise a chain of stores. Never send anything."


def advising(keep, *, limits=None, once=None):
    """An agent with one thing wrong."""
    remembered = {}

    async def advise(question, model, tools):
        chosen = [tool for tool in tools if keep(tool.tool_name)]
        agent = remembered.get("agent") or Agent(model, tools=chosen, system_prompt=PROMPT, callback_handler=None)
        agent.model = model
        if once:
            remembered["agent"] = agent
        result = await agent.invoke_async(question, limits=limits)
        blocks = [block for message in agent.messages for block in message["content"]]
        used = [block["toolUse"]["name"] for block in blocks if "toolUse" in block]
        return {"said": str(result).strip(), "used": used}

    return advise


def reads(name):
    return name.endswith(("___count", "___weekly"))


def everything(name):
    return True


def not_send(name):
    return not name.endswith("___send")


def a_part_of_the_name(name):
    return "count" in name or "weekly" in name


all_tools = advising(everything, limits={"turns": TURNS})
all_but_send = advising(not_send, limits={"turns": TURNS})
sounds_like_reading = advising(a_part_of_the_name, limits={"turns": TURNS})
one_agent_for_all = advising(reads, limits={"turns": TURNS}, once=True)
no_limits = advising(reads)
two_turns = advising(reads, limits={"turns": 3})


def proved(*, caught=(LeftTheSite,), least=1):
    """A proof with one thing wrong."""

    def proof(ledger, sites):
        found = {}
        for site in sites:
            try:
                found[site] = ledger.assert_never_left(site, "card") >= least
            except caught:
                found[site] = False
        return found

    return proof


def any_error_is_a_no(ledger, sites):
    return proved(caught=(Exception,))(ledger, sites)


def silence_is_proof(ledger, sites):
    return proved(least=0)(ledger, sites)


def stops_at_the_first(ledger, sites):
    try:
        return {site: ledger.assert_never_left(site, "card") > 0 for site in sites}
    except LeftTheSite:
        return dict.fromkeys(sites, False)


def lets_it_through(ledger, sites):
    return {site: ledger.assert_never_left(site, "card") > 0 for site in sites}


def by_the_words_of_the_table(ledger, sites):
    table = ledger.table()
    return {site: not table[table["from"] == site]["classified"].str.contains("card").any() for site in sites}


WRONG = {
    "weekly": [
        (nothing_hidden, "fewer than FEWEST"),
        (receipts_counted_as_customers, "not receipts"),
        (weeks_from_zero, "which place week 2 has"),
        (nobody_is_hidden_too, "weeks without a sale"),
        (customers_of_all_articles, "customers of its own"),
        (printed_only, "returned and not printed"),
        (seen_cases, "fewer than FEWEST"),
    ],
    "shop": [
        (shop_with(error=KeyError), "ToolError"),
        (shop_with(error=None), "ToolError"),
        (shop_with(tidy=False), "small letters"),
        (shop_with(describe=False), "docstrings"),
        (shop_with(more=True), "nothing else"),
        (shop_with(fill=True), "None included"),
        (no_server, ""),
    ],
    "target": [
        (target_with(path=""), "/mcp"),
        (target_with(credentialLocation="QUERY_PARAMETER"), "not in the address"),
        (target_with(credentialPrefix=""), "the word before the token"),
        (target_with(credentialParameterName="x-api-key"), "the header's name"),
        (target_with(name="arnsee"), "the name:"),
        (target_with(type="GATEWAY_IAM_ROLE"), "type of the credentials"),
        (target_with(flat=True), "nesting"),
    ],
    "forecast": [
        (none_is_zero, "None: not told"),
        (rounded, "up"),
        (all_weeks, "the last four"),
        (older_weeks_fill_in, "no older week"),
        (one_week_will_do, "fewer than two"),
        (zero_is_unknown, "0: nobody bought"),
    ],
    "send": [
        (sending_with(early=True), "ask first"),
        (sending_with(as_asked=True), "number that was approved"),
        (sending_with(any_answer=True), "only an AcceptedElicitation"),
        (sending_with(no_limit=True), "more than was asked for"),
        (sending_with(once=True), "count after the answer"),
        (sending_with(unasked=False), "before you ask"),
        (sending_with(same=False), "to == store"),
        (sending_with(vague=True), "the question's words"),
    ],
    "manager": [
        (asks_the_receiver, "before ___"),
        (always_yes, "return it as it is"),
        (finds_a_part, "no manager here"),
        (key_error, "in key_error"),
        (any_tool, "another tool"),
        (waits_for_ever, "the time limit"),
    ],
    "survey": [
        (one_after_the_other, "at the same time"),
        (looks_old_as_new, "fresh is False"),
        (without_a_time_limit, "the time limit"),
        (forgets_a_zero, "also if it is 0"),
        (makes_up_a_zero, "never seen"),
    ],
    "agent": [
        (all_tools, "which tools"),
        (all_but_send, "no other"),
        (sounds_like_reading, "end with"),
        (one_agent_for_all, "memory"),
        (no_limits, "limits"),
        (two_turns, "TURNS turns"),
    ],
    "proof": [
        (any_error_is_a_no, "UnknownSite"),
        (silence_is_proof, "none proves nothing"),
        (stops_at_the_first, "hide the others"),
        (lets_it_through, "LeftTheSite"),
        (by_the_words_of_the_table, "could not be read"),
    ],
}
