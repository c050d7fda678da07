"""A network is a topology that runs: closed to other users, apart from other networks, and gone when it is closed."""

import gc
import stat
import subprocess
import sys
import tempfile
import threading

import httpx
import pytest

from helpers.settings import settings
from helpers.sites import network as network_module
from helpers.sites.errors import LeftTheSite, LinksFailed, NotLinked, UnknownSite
from helpers.sites.network import Network
from tests.sites.conftest import topology

APP = "tests.sites.small_app"
A, B = "campus-a", "campus-b"


def get(url):
    return httpx.get(url, trust_env=False, timeout=20)


def test_sites_are_found_by_name_and_say_what_they_are(network):
    made = network()
    assert (made[A].name, made[A].kind, made["oregon"].kind) == (A, "outpost", "region")
    assert repr(made[A]) == "campus-a (outpost): no program"
    made[A].start(APP)
    assert repr(made[A]) == "campus-a (outpost): small_app"
    with pytest.raises(UnknownSite, match=r"no site 'ohio' in campuses; there are campus-a, campus-b, oregon"):
        made["ohio"]


def test_links_are_found_from_both_sides(network):
    made = network(latency_ms=3)
    assert made.link(A, B) is made.link(B, A) is made.links()[0]
    assert made.link(A, B).conditions.latency_ms == 3
    with pytest.raises(NotLinked, match="No link joins campus-a and oregon"):
        made.link(A, "oregon")
    with pytest.raises(UnknownSite):
        made.link(A, "ohio")


def test_what_is_classified_is_looked_for_even_if_it_can_be_gone_through_only_once(network):
    made = network({"patient": (f"P-{number}" for number in range(1001, 1003))})
    get(f"{made[B].start(APP).url_from(A)}/records/P-1002")
    with pytest.raises(LeftTheSite, match=r"1 in GET /records/\[patient\]"):
        made.ledger.assert_never_left(A, "patient")


@pytest.mark.parametrize("classified", [{"patient": [""]}, {"account": "("}, {"patient": []}])
def test_what_cannot_be_looked_for_is_refused_before_anything_runs(classified, no_survivors):
    folders = settings().cache_dir / "sites"
    before = set(folders.glob("*")) if folders.exists() else set()
    with pytest.raises(ValueError, match=r"patient|account"):
        Network(topology(), classified)
    assert (set(folders.glob("*")) if folders.exists() else set()) == before


def test_its_folder_is_closed_to_other_users_and_deleted_with_it():
    with Network(topology()) as made:
        folder = made.folder
        assert folder.parent == settings().cache_dir / "sites" and folder.name.startswith("campuses-")
        for each in folder.parent, folder, made[A].folder:
            assert stat.S_IMODE(each.stat().st_mode) == 0o700, each
        assert made.ledger.path.exists()
    assert not folder.exists()


def test_closing_ends_all_and_may_be_done_again(no_survivors):
    made = Network(topology())
    programs = [made[site].start(APP) for site in (A, B)]
    over = programs[1].url_from(A)
    made.close()
    made.close()
    assert not any(program.running for program in programs) and programs[0].log() == ""
    with pytest.raises(httpx.TransportError):
        get(over)
    with pytest.raises(LinksFailed, match="Make the network anew"):
        made.link(A, B).cut()


def test_closing_that_was_interrupted_can_be_done_again(no_survivors, monkeypatch):
    made = Network(topology())
    program = made[A].start(APP)

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "stop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        made.close()
    monkeypatch.undo()
    assert program.running
    made.close()
    assert not program.running and not made.folder.exists()


def test_a_network_nobody_has_any_more_ends(no_survivors):
    made = Network(topology())
    program = made[A].start(APP)
    del made
    gc.collect()
    assert not program.running


def test_networks_of_one_topology_do_not_know_of_each_other(network):
    first, second = network({"patient": ["P-1"]}), network({"patient": ["P-1"]})
    urls = [made[B].start(APP).url_from(A) for made in (first, second)]
    first.link(A, B).cut()
    with pytest.raises(httpx.TransportError):
        get(urls[0])
    assert get(f"{urls[1]}/P-1").is_success
    assert first.ledger.assert_never_left(A, "patient") == 0
    with pytest.raises(LeftTheSite):
        second.ledger.assert_never_left(A, "patient")
    first.close()
    assert second[B].programs["small_app"].running and second.folder.exists()


def test_a_folder_whose_process_is_gone_is_deleted_and_others_are_not(network):
    living = network()
    dead = living.folder.parent / "campuses-dead"
    (dead / A).mkdir(parents=True)
    (living.folder.parent / "a file").write_text("")
    network()
    assert living.folder.exists() and not dead.exists() and (living.folder.parent / "a file").exists()


def test_a_folder_is_not_taken_for_one_of_the_dead_between_its_making_and_its_lock(network, monkeypatch):
    other = []

    def made_slowly(**where):
        folder = mkdtemp(**where)
        other.append(threading.Thread(target=network_module._folder, args=("other",)))
        other[0].start()
        other[0].join(0.5)  # it waits for this one; if it did not, it would delete it now
        return folder

    mkdtemp = tempfile.mkdtemp
    with monkeypatch.context() as patch:
        patch.setattr(
            network_module.tempfile, "mkdtemp", lambda **where: mkdtemp(**where) if other else made_slowly(**where)
        )
        made = network()
    other[0].join()
    assert made.ledger.table().empty


AGAIN = """
from helpers.sites.network import Network
from tests.sites.conftest import topology
for _ in range(8):
    with Network(topology()) as made:
        assert made.folder.exists() and made.ledger.table().empty
"""


def test_networks_that_start_and_end_at_the_same_time_do_not_disturb_each_other():
    started = [subprocess.Popen([sys.executable, "-c", AGAIN], stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [each.communicate()[1] for each in started] == [""] * 4
    assert [each.returncode for each in started] == [0] * 4


def test_programs_are_told_where_their_spans_go_over_their_own_link(network):
    made = network()
    made.telemetry = made[B].start(APP, name="receiver")
    there, here = (get(made[site].start(APP).url).json()["WORKSHOP_TELEMETRY_URL"] for site in (B, A))
    assert there == made.telemetry.url != here
    assert get(here).json()["pid"] == made.telemetry.process.pid
    made.link(A, B).cut()
    with pytest.raises(httpx.TransportError):
        get(here)
