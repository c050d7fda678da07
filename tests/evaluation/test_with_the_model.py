"""The default model, over all the servers that the kit has, on a few of the hospital's cases."""

import pytest

from helpers.evaluation.__main__ import OWN
from helpers.evaluation.cases import read, select
from helpers.evaluation.models import model_at
from helpers.evaluation.report import table
from helpers.evaluation.runner import run
from helpers.settings import settings

pytestmark = pytest.mark.model


def cases(category, count):
    return select([case for case in read(OWN) if case.category == category], "even", count)


def test_the_default_model_makes_most_of_five_calls_rightly(tmp_path):
    results = run(cases("one call", 5), model_at(), tmp_path / "results.jsonl", progress=False)
    found = table(results).loc["all"]
    assert found["errors"] == 0 and found["right"] >= 3, [(each.id, each.score) for each in results]
    assert all(reply.tokens_in and reply.tokens_out for each in results for reply in each.replies)


def test_a_conversation_of_several_turns_comes_to_an_end(tmp_path):
    (result,) = run(cases("several turns", 1), model_at(), tmp_path / "results.jsonl", progress=False)
    assert not result.error and 1 <= len(result.replies) <= 3


@pytest.mark.parametrize("server", ["ollama", "llamacpp", "vllm"])
def test_each_server_gives_calls_that_can_be_read(server, tmp_path):
    model = model_at(f"{server}:{settings().chat_model}")
    (result,) = run(cases("one call", 1), model, tmp_path / "results.jsonl", progress=False)
    assert not result.error and result.score.valid and result.replies[0].tokens_out, result


def test_weights_template_and_parameters_are_part_of_the_configuration():
    configuration = model_at().configuration()
    assert {len(configuration[told]) for told in ("weights", "template", "parameters")} == {12}
    assert configuration["temperature"] == 0 and "http" not in str(configuration)
