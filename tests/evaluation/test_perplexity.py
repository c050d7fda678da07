"""Perplexity is read token by token, each forced by a bias, from a server that tells probabilities before the bias."""

import math
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps, loads
from threading import Thread

import pytest

from helpers.evaluation import ModelFailed
from helpers.evaluation.perplexity import perplexity, ratio
from helpers.inference import endpoint

TEXTS = ["Hands are washed before and after each patient, and gloves do not replace washing."] * 2


class Server:
    """Answers as llama.cpp does; a token's probability is 1 / (its id + 1)."""

    def __init__(self, spoil=None):
        self.asked = []
        given = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = loads(self.rfile.read(int(self.headers["content-length"])))
                answer = given.answer(self.path, body)
                status, answer = spoil(self.path, answer) if spoil else (200, answer)
                content = dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, body):
        if path == "/tokenize":
            return {"tokens": [len(word) for word in body["content"].split()]}
        self.asked.append(body)
        (token,) = map(int, body["logit_bias"])
        return {"choices": [{"logprobs": {"content": [{"id": token, "logprob": -math.log(token + 1)}]}}]}


@pytest.fixture
def serving():
    servers = []

    def make(spoil=None):
        servers.append(Server(spoil))
        return servers[-1]

    yield make
    for each in servers:
        each.server.shutdown()
        each.server.server_close()


def test_each_token_but_the_first_is_foretold_from_all_before_it(serving):
    server = serving()
    found = perplexity("m", ["a bb ccc", "dddd"], url=server.url)
    assert found.log_probabilities == pytest.approx((-math.log(3), -math.log(4)))
    assert [asked["prompt"] for asked in server.asked] == [[1], [1, 2]]


def test_texts_are_cut_and_kept_in_order(serving):
    found = perplexity("m", ["a bb ccc", "a dddd"], tokens=2, url=serving().url)
    assert found.log_probabilities == pytest.approx((-math.log(3), -math.log(5)))


def test_nothing_to_foretell_is_refused(serving):
    with pytest.raises(ValueError, match="two tokens"):
        perplexity("m", ["", "a"], url=serving().url)


def test_a_server_without_probabilities_is_told(serving):
    server = serving(lambda path, answer: (200, answer if path == "/tokenize" else {"choices": [{"logprobs": None}]}))
    with pytest.raises(ModelFailed, match="no log-probabilities"):
        perplexity("m", ["a bb"], url=server.url)


def test_a_server_that_heeds_no_bias_is_told(serving):
    other = {"choices": [{"logprobs": {"content": [{"id": 999, "logprob": -1.0}]}}]}
    server = serving(lambda path, answer: (200, answer if path == "/tokenize" else other))
    with pytest.raises(ModelFailed, match="another token"):
        perplexity("m", ["a bb"], url=server.url)


def test_a_refusal_and_a_server_that_is_away_are_told(serving):
    server = serving(lambda path, answer: (404, {"error": "no such model"}))
    with pytest.raises(ModelFailed, match="no such model"):
        perplexity("m", ["a bb"], url=server.url)
    with pytest.raises(ModelFailed, match="does not answer"):
        perplexity("m", ["a bb"], url="http://127.0.0.1:1")


@pytest.mark.model
def test_llama_cpp_tells_the_same_twice_and_shuffled_words_surprise_more():
    endpoint("llamacpp")
    text = TEXTS[0]
    once, again = (perplexity("smollm2:135m", [text]) for _ in range(2))
    assert ratio(once, again)[0] == pytest.approx(1, abs=0.05)
    shuffled = " ".join(sorted(text.split()))
    assert perplexity("smollm2:135m", [shuffled]).value > 2 * once.value
