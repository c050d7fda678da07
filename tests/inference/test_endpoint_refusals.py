"""What the endpoint refuses, and how: Ollama's error shape, a reason, no traceback. No model is needed for these."""

import json

import httpx
import pytest

from helpers.inference import http


@pytest.fixture
def api(own_endpoint):
    with httpx.Client(base_url=own_endpoint, timeout=30) as client:
        yield client


def refused(reply, status):
    assert reply.status_code == status, reply.text
    error = reply.json()["error"]
    assert "Traceback" not in reply.text
    return error if isinstance(error, str) else error["message"]


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate", "/api/embed", "/api/show", "/v1/chat/completions"])
@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b'{"model": 3}'])
def test_a_body_that_is_not_a_request_is_refused(api, path, body):
    assert api.post(path, content=body).status_code in (400, 404)
    assert api.post(path, content=body).json()["error"]


def test_an_unknown_model_is_a_404_with_the_nearest_names(api):
    reason = refused(api.post("/api/chat", json={"model": "qwen2.5:7b", "messages": []}), 404)
    assert "model 'qwen2.5:7b' not found" in reason and "qwen2.5-coder:1.5b" in reason


def test_an_unknown_model_is_told_in_openais_shape_on_v1(api):
    reply = api.post("/v1/chat/completions", json={"model": "gpt-99", "messages": []})
    assert reply.status_code == 404
    assert reply.json()["error"]["type"] == "invalid_request_error"


def test_an_unknown_path_is_told(api):
    assert "/api/frobnicate" in refused(api.post("/api/frobnicate"), 404)


def test_a_wrong_method_is_told(api):
    refused(api.get("/api/chat"), 405)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:11435", "127.0.0.1.evil.example", "", "[::1"])
def test_a_foreign_host_header_is_refused(api, host):
    assert "is not allowed" in refused(api.get("/api/tags", headers={"host": host}), 403)


def test_a_load_balancer_asks_by_an_address_whether_it_is_well(api):
    asked = {"host": "10.20.32.17:11434"}
    assert api.get("/ping", headers=asked).json() == {"status": "Healthy"}
    refused(api.get("/api/version", headers=asked), 403)
    refused(api.get("/ping", headers=asked | {"origin": "https://evil.example"}), 403)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:11435"])
def test_loopback_names_are_answered(api, host):
    assert api.get("/api/version", headers={"host": host}).status_code == 200


def test_a_page_of_another_origin_is_refused(api):
    page = {"origin": "https://evil.example", "content-type": "text/plain"}
    refused(api.post("/api/delete", headers=page, content=b"{}"), 403)
    assert api.get("/api/version", headers={"origin": "http://localhost:8888"}).status_code == 200


def test_a_body_without_end_is_cut_off(api, monkeypatch):
    block = b" " * 2**20
    endless = (block for _ in range(http.BODY_LIMIT // len(block) + 2))
    assert "larger than 64 MiB" in refused(api.post("/api/chat", content=endless), 400)


def test_the_endpoint_says_it_is_an_ollama(api):
    assert api.get("/").text == "Ollama is running"
    assert api.head("/").status_code == 200
    assert json.loads(api.get("/api/version").content)["version"]


def test_an_unknown_model_cannot_be_pulled_or_deleted(api):
    assert "not in the catalogue" in refused(api.post("/api/pull", json={"model": "nope", "stream": False}), 404)
    refused(api.request("DELETE", "/api/delete", json={"model": "nope"}), 404)
