"""The room opens no connection but to the model server and the database: what is asked stays on the site."""

import json
from urllib.parse import urlsplit

import pytest

from helpers.inference import endpoint

# The database's client is written in C and shows no events; what it holds open is seen at the end, from outside.
SCRIPT = """
import json, sys
import psutil

seen = []

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        seen.append(str(arguments[1]))
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        seen.append(str(arguments[0]))

sys.addaudithook(watch)
from helpers.knowledge import KnowledgeBase, database_url

knowledge = KnowledgeBase("test_connections")
knowledge.ingest(sys.argv[1])
for mode in ("dense", "text", "fused"):
    assert knowledge.search("What does aspirin do?", mode=mode)
me = psutil.Process()
remote = [list(connection.raddr) for connection in me.net_connections("inet")]
local = len(me.net_connections("unix"))
knowledge.drop()
print(json.dumps({"seen": seen, "remote": remote, "local": local, "database": database_url()}))
"""


@pytest.fixture
def connections(script, tmp_path):
    """What a process connected to that ingested a folder and searched in it."""
    (tmp_path / "a.txt").write_text("Aspirin thins the blood.")
    (tmp_path / "b.html").write_text(
        '<p>Aspirin.</p><img src="http://192.0.2.1/x.png"><a href="http://192.0.2.1">x</a>'
    )
    (tmp_path / "c.md").write_text("# Aspirin\n\n![x](http://192.0.2.1/x.png) See [this](http://192.0.2.1).\n")
    process = script(SCRIPT, tmp_path)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return json.loads(printed.splitlines()[-1])


@pytest.mark.model
def test_ingest_and_search_connect_to_the_model_server_and_the_database_and_to_nothing_else(connections):
    server = urlsplit(endpoint())
    assert server.hostname == "127.0.0.1"
    allowed = {server.hostname, str((server.hostname, server.port))}
    assert connections["seen"] and set(connections["seen"]) <= allowed
    assert all(address == [server.hostname, server.port] for address in connections["remote"])
    assert connections["database"].startswith("postgresql://workshop@/postgres?host=/")
    assert connections["local"] >= 1
