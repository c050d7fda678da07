"""A program of a site is waited for, says why it did not start, and ends when it is told."""

import socket
import stat
import subprocess
import sys

import httpx
import psutil
import pytest

from helpers.sites import program as program_module
from helpers.sites.errors import NotLinked, ProgramFailed, UnknownSite
from helpers.sites.program import free_port
from tests.waiting import end, until

APP = "tests.sites.small_app"
A, B = "campus-a", "campus-b"


def given(url, path="/ping"):
    return httpx.get(f"{url}{path}", trust_env=False, timeout=20).json()


def is_gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_program_that_was_started_answers_and_keeps_its_log(network):
    program = network()[B].start(APP, "one", "two")
    assert program.running and program.answers()
    assert given(program.url)["path"] == "/ping"
    assert program.log().startswith("started with ['one', 'two']")
    assert (program.identity, repr(program)) == (f"{B}/small_app", f"{B}/small_app at {program.url}")


def test_a_program_knows_who_and_where_it_is(network):
    made = network()
    environment = given(made[B].start(APP).url)
    assert environment["WORKSHOP_IDENTITY"] == f"{B}/small_app"
    assert environment["WORKSHOP_TOKEN_KEY"] == made.issuer.public_key
    assert environment["WORKSHOP_SITE_FOLDER"] == str(made[B].folder)
    assert stat.S_IMODE(made[B].folder.stat().st_mode) == 0o700


def test_programs_use_the_model_endpoint_of_their_own_site_if_there_is_one(network):
    made = network()
    model = made[B].start(APP, name="inference")
    names = ("WORKSHOP_OLLAMA_URL", "WORKSHOP_LLAMACPP_URL", "WORKSHOP_VLLM_URL")
    there = given(made[B].start(APP).url)
    assert [there[name] for name in names] == [model.url] * 3
    assert model.url not in given(made[A].start(APP).url).values()


def test_several_of_one_app_are_told_apart_by_their_names(network):
    made = network()
    first, second = made[B].start(APP, name="first"), made[B].start(APP, name="second")
    assert first.running and second.running and list(made[B].programs) == ["first", "second"]
    assert [given(each.url)["WORKSHOP_IDENTITY"] for each in (first, second)] == [f"{B}/first", f"{B}/second"]
    assert first.log_file != second.log_file


def test_another_site_reaches_it_over_the_link_and_its_own_does_not(network):
    made = network()
    program = made[B].start(APP)
    over = program.url_from(A)
    assert program.url_from(B) == program.url != over == program.url_from(A)
    assert given(over, "/hello?x=1")["path"] == "/hello?x=1"
    given(program.url_from(B))
    assert made.ledger.table()["operation"].tolist() == ["GET /hello?x=1"] * 2
    made.link(A, B).cut()
    with pytest.raises(httpx.TransportError):
        given(over)
    assert given(program.url_from(B))


def test_there_is_no_way_from_a_site_that_is_not_linked_or_not_there(network):
    program = network()[B].start(APP)
    with pytest.raises(NotLinked, match="No link joins oregon and campus-b"):
        program.url_from("oregon")
    with pytest.raises(UnknownSite, match="no site 'ohio'"):
        program.url_from("ohio")


def test_a_program_that_ends_at_the_start_gives_its_last_words(network):
    made = network()
    with pytest.raises(ProgramFailed, match=r"campus-b/small_app has ended\. Its last words:[\s\S]*no medicine"):
        made[B].start(APP, "fail")
    assert made[B].programs == {} and "no program" in repr(made[B])


def test_a_program_that_does_not_exist_is_told(network):
    with pytest.raises(ProgramFailed, match=r"No module named '?helpers\.apps\.farmacy"):
        network()[B].start("farmacy")


@pytest.mark.parametrize("how", ["deaf", "sick"])
def test_a_program_that_does_not_get_ready_is_ended_and_told(network, monkeypatch, how):
    monkeypatch.setattr(program_module, "READY_SECONDS", 1.5)
    made = network()
    with pytest.raises(ProgramFailed, match=rf"did not get ready in time[\s\S]*\['{how}'\]"):
        made[B].start(APP, how)
    until(lambda: not [p for p in psutil.Process().children() if APP in p.cmdline()])


def test_a_port_that_was_taken_meanwhile_is_tried_anew(network, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([taken.getsockname()[1], free_port()])
        monkeypatch.setattr(program_module, "free_port", lambda: next(ports))
        program = network()[B].start(APP)
        assert program.url.rsplit(":", 1)[1] != str(taken.getsockname()[1]) and given(program.url)


def test_a_port_that_another_program_has_is_not_taken_for_its_own(network, monkeypatch):
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", APP, "--port", str(port)], stdout=subprocess.DEVNULL) as other:
        try:
            until(lambda: not is_free(port))
            ports = iter([port, free_port()])
            monkeypatch.setattr(program_module, "free_port", lambda: next(ports))
            program = network()[B].start(APP)
            assert given(program.url)["pid"] == program.process.pid != other.pid
        finally:
            end(other)


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_when_no_port_stays_free_that_is_told(network, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(program_module, "free_port", lambda: taken.getsockname()[1])
        with pytest.raises(ProgramFailed, match=r"found no free port in 3 tries\. Start it again"):
            network()[B].start(APP)


@pytest.mark.parametrize("end_it", ["stop", "kill"])
def test_a_program_that_was_ended_is_gone_and_can_be_started_again(network, end_it):
    made = network()
    program = made[B].start(APP)
    over, pid = program.url_from(A), program.process.pid
    getattr(program, end_it)()
    getattr(program, end_it)()
    assert is_gone(pid) and not program.running and not program.answers()
    with pytest.raises(httpx.TransportError):
        given(over)
    again = made[B].start(APP)
    assert again.running and made[B].programs["small_app"] is again and given(again.url_from(A))["pid"] != pid


def test_a_program_that_does_not_end_in_good_order_is_ended(network, monkeypatch):
    monkeypatch.setattr(program_module, "STOP_SECONDS", 0.3)
    program = network()[B].start(APP, "stubborn")
    pid = program.process.pid
    program.stop()
    assert is_gone(pid)


def test_a_program_that_runs_already_is_not_started_twice(network):
    made = network()
    program = made[B].start(APP)
    with pytest.raises(ProgramFailed, match=r"small_app runs at campus-b already; stop\(\) it first"):
        made[B].start(APP)
    assert program.running and made[A].start(APP).running, "another site has its own"


def test_a_program_that_died_can_be_started_again(network):
    made = network()
    first = made[B].start(APP)
    psutil.Process(first.process.pid).kill()
    until(lambda: not first.running)
    assert made[B].start(APP).running


def test_a_peer_over_a2a_starts_and_is_in_the_ledger(network):
    made = network()
    program = made[B].start("tests.sites.peer_app")
    card = given(program.url_from(A), "/.well-known/agent-card.json")
    assert card["name"] == "peer" and card["url"].startswith(program.url_from(A))
    crossing = made.ledger.table().iloc[-1]
    assert (crossing["protocol"], crossing["from"], crossing["unread"]) == ("A2A", B, 0)
