"""Region or edge, over a link that is slowed, cut and mended: the time limit holds, and the report says who judged."""

import threading
import time

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from helpers.guardrails import ClientRetries, Router
from helpers.guardrails.judge import blocked, texts
from helpers.region import bedrock_runtime
from helpers.region.errors import RegionError
from helpers.region.guardrails import Judges
from helpers.sites.network import Network
from helpers.sites.topology import Topology
from tests.guardrails.word_judge import POLICY, Crash, WordJudge

LIMIT = 0.5
SLACK = 8  # seconds that a busy machine may add; without a limit these answers take 16 or more
LONG = 60
HELLO = texts("Where is P-1001?")


class Throttling(RegionError):
    code = "ThrottlingException"


class NoAccess(RegionError):
    code = "AccessDeniedException"


class Regional(WordJudge):
    """The Region's judge: fails as it is told to, answers at length if it is told to."""

    error = None
    padding = 0

    def apply(self, source, content, output_scope="INTERVENTIONS"):
        if self.error:
            raise self.error
        return super().apply(source, content) | {"actionReason": "x" * self.padding}


@pytest.fixture(scope="module")
def network():
    plan = {
        "name": "edge",
        "sites": {"campus": {"kind": "outpost"}, "oregon": {"kind": "region"}},
        "links": [{"between": ["campus", "oregon"]}],
    }
    with Network(Topology.model_validate(plan)) as network:
        yield network


@pytest.fixture
def link(network):
    link = network.link("campus", "oregon")
    yield link
    link.set(state="up", latency_ms=0, jitter_ms=0, bandwidth_mbit=None)


@pytest.fixture
def regional(monkeypatch):
    judge = Regional()
    monkeypatch.setattr(bedrock_runtime.BedrockRuntime, "judges", Judges(lambda found: judge))
    return judge


@pytest.fixture
def guardrail(client):
    control = client("bedrock")
    identifier = control.create_guardrail(**POLICY)["guardrailId"]
    version = control.create_guardrail_version(guardrailIdentifier=identifier)["version"]
    yield identifier, version
    control.delete_guardrail(guardrailIdentifier=identifier)


@pytest.fixture
def router(network, link, regional, guardrail, address, session):
    """Makes routers at the campus; each has its own connections."""
    made = []

    def make(edge=None, **options):
        url = network.route(address, "campus", "oregon")
        client = session.client("bedrock-runtime", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))
        given = {"edge_version": "1", "seconds": LONG, "rest": LONG} | options
        made.append(Router(client, *guardrail, edge=edge or WordJudge(), **given))
        return made[-1]

    yield make
    for each in made:
        each.close()


def timed(router, content=HELLO):
    began = time.monotonic()
    report = router.apply("INPUT", content)
    return report, time.monotonic() - began


def test_the_region_judges_when_it_answers(router, guardrail):
    report = router().apply("INPUT", HELLO)
    assert report["judgedBy"] == {"where": "region", "version": guardrail[1]}
    assert report["outputs"] == [{"text": "Where is {PATIENT}?"}]


def test_both_reports_have_one_shape(router, link):
    each = router()
    region = each.apply("INPUT", HELLO)
    link.cut()
    edge = each.apply("INPUT", HELLO)
    assert (region["judgedBy"]["where"], edge["judgedBy"]["where"]) == ("region", "edge")
    differ = {"judgedBy", "actionReason"}
    assert {name: value for name, value in region.items() if name not in differ} == {
        name: value for name, value in edge.items() if name not in differ
    }


@pytest.mark.parametrize(
    ("conditions", "because"),
    [
        ({"state": "cut"}, "Connection"),
        ({"state": "silent"}, "ReadTimeoutError"),
        ({"latency_ms": 10_000}, "ReadTimeoutError"),
        ({"bandwidth_mbit": 0.002}, "ReadTimeoutError"),  # a quarter of a kilobyte in a second: it trickles
    ],
    ids=["cut", "silent", "slow", "trickling"],
)
@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
def test_the_edge_judges_within_the_time_limit(router, link, regional, conditions, because, kept):
    each = router()
    if kept:
        assert each.apply("INPUT", HELLO)["judgedBy"]["where"] == "region"
    regional.padding = 6000
    each.session.seconds = LIMIT
    link.set(**conditions)
    report, seconds = timed(each)
    assert report["judgedBy"]["where"] == "edge" and because in report["judgedBy"]["because"]
    assert report["judgedBy"]["version"] == "1" and report["outputs"] == [{"text": "Where is {PATIENT}?"}]
    assert seconds < LIMIT + SLACK


def test_after_a_failure_the_edge_judges_without_waiting_and_the_region_is_tried_again(router, link):
    each = router(seconds=LIMIT)
    link.cut(silently=True)
    first, seconds = timed(each)
    assert seconds >= LIMIT and "ReadTimeoutError" in first["judgedBy"]["because"]
    assert "a moment ago" in each.apply("INPUT", HELLO)["judgedBy"]["because"]
    link.mend()
    each.session.seconds = LONG
    each.breaker.until = time.monotonic()  # it has rested
    assert [each.apply("INPUT", HELLO)["judgedBy"]["where"] for _ in range(2)] == ["region", "region"]


def test_while_one_call_tries_the_region_again_the_others_do_not_wait(router, link):
    each = router(seconds=LIMIT)
    link.cut(silently=True)
    each.apply("INPUT", HELLO)
    each.breaker.until = time.monotonic()
    reports = []
    callers = [threading.Thread(target=lambda: reports.append(each.apply("INPUT", HELLO))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    waited = ["ReadTimeoutError" in report["judgedBy"]["because"] for report in reports]
    assert sorted(waited) == [False, False, False, True]


@pytest.mark.parametrize(
    ("error", "because", "rests"),
    [
        (RuntimeError("crash"), "InternalServerException", True),
        (Throttling("slow down"), "ThrottlingException", True),
        (NoAccess("not you"), "AccessDeniedException", False),
    ],
)
def test_a_region_that_answers_with_an_error_does_not_judge(router, regional, error, because, rests):
    each = router()
    regional.error = error
    report = each.apply("INPUT", HELLO)
    assert report["judgedBy"] == {"where": "edge", "version": "1", "because": f"the Region refused: {because}"}
    regional.error = None
    assert each.apply("INPUT", HELLO)["judgedBy"]["where"] == ("edge" if rests else "region")


def test_when_neither_can_judge_the_policy_decides(router, link):
    link.cut()
    shut = router(Crash(), otherwise="closed", unchecked="Not now.").apply("INPUT", HELLO)
    assert blocked(shut) and shut["outputs"] == [{"text": "Not now."}]
    assert shut["judgedBy"]["where"] == "nobody" and "RuntimeError" in shut["actionReason"]
    opened = router(Crash(), otherwise="open").apply("INPUT", HELLO)
    assert not blocked(opened) and opened["action"] == "NONE" and opened["judgedBy"]["where"] == "nobody"


def test_an_edge_that_crashes_does_not_matter_while_the_region_judges(router):
    assert router(Crash()).apply("INPUT", HELLO)["judgedBy"]["where"] == "region"


def test_no_thread_is_left_behind(router, link):
    each = router(rest=0.0, seconds=LIMIT)
    before = threads()
    for state in ("up", "silent", "cut"):
        link.set(state=state)
        each.apply("INPUT", HELLO)
        assert threads() == before


def threads():
    """All but those of the Region's server, which is in this process too."""
    return {thread for thread in threading.enumerate() if "process_request_thread" not in thread.name}


def test_a_client_that_tries_again_is_refused(client, guardrail):
    with pytest.raises(ClientRetries, match="total_max_attempts"):
        Router(client("bedrock-runtime"), *guardrail, edge=WordJudge())


def test_a_router_that_is_closed_gives_its_client_back(router, regional):
    each = router()
    each.close()
    assert each.apply("INPUT", HELLO)["judgedBy"]["where"] == "region"
    regional.error = NoAccess("not you")
    with pytest.raises(ClientError):
        each.client.apply_guardrail(
            guardrailIdentifier=each.identifier, guardrailVersion="1", source="INPUT", content=HELLO
        )
