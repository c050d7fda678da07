import pytest

from helpers.inference.catalogue import canonical, catalogue, nearest
from helpers.settings import settings


def test_every_model_that_the_settings_name_is_in_the_catalogue():
    named = (settings().chat_model, settings().embed_model, settings().tiny_model)
    assert {canonical(name) for name in named} <= set(catalogue())


def test_every_model_names_its_licence_hash_and_template():
    for model in catalogue().values():
        assert model.licence and model.source and len(model.sha256) == 64 and model.carrier
        assert bool(model.chat_template) == bool(model.template_text())


@pytest.mark.parametrize(("given", "full"), [("All-MiniLM", "all-minilm:latest"), ("smollm2:135m", "smollm2:135m")])
def test_names_are_written_as_ollama_writes_them(given, full):
    assert canonical(given) == full


@pytest.mark.parametrize(
    ("given", "best"),
    [("qwen", "qwen2.5-coder:1.5b"), ("qwen2.5-coder:7b", "qwen2.5-coder:1.5b"), ("minilm", "all-minilm:latest")],
)
def test_the_nearest_name_is_offered(given, best):
    assert nearest(given, catalogue())[0] == best


def test_nothing_is_offered_for_a_name_like_no_other():
    assert nearest("zzz", catalogue()) == []
