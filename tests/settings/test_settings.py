import pytest

from helpers.settings import Settings, SettingsError, settings


def test_the_profile_is_laptop_unless_set(monkeypatch):
    monkeypatch.delenv("WORKSHOP_PROFILE", raising=False)
    assert Settings(_env_file=None).profile == "laptop"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("WORKSHOP_PROFILE", "cloud", r"WORKSHOP_PROFILE='cloud'.*'laptop' or 'aws'"),
        ("WORKSHOP_OLLAMA_URL", "banana", r"WORKSHOP_OLLAMA_URL='banana'"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_the_name_of_the_variable(monkeypatch, name, value, reason):
    monkeypatch.setenv(name, value)
    settings.cache_clear()
    with pytest.raises(SettingsError, match=reason):
        settings()
    monkeypatch.undo()
    settings.cache_clear()


def test_none_in_the_environment_takes_back_what_the_file_sets(monkeypatch, tmp_path):
    file = tmp_path / ".env"
    file.write_text("WORKSHOP_VLLM_URL=http://a.internal\nWORKSHOP_DATABASE_URL=postgresql://a.internal/x\n")
    monkeypatch.delenv("WORKSHOP_VLLM_URL")
    assert Settings(_env_file=file).server_url("vllm") == "http://a.internal"
    monkeypatch.setenv("WORKSHOP_VLLM_URL", "none")
    monkeypatch.setenv("WORKSHOP_DATABASE_URL", "none")
    assert (Settings(_env_file=file).server_url("vllm"), Settings(_env_file=file).database()) == (None, None)


def test_on_aws_a_missing_address_names_the_variable_to_set():
    aws = Settings(_env_file=None, profile="aws", ollama_url=None)
    with pytest.raises(SettingsError, match="WORKSHOP_OLLAMA_URL is not set"):
        aws.server_url("ollama")


def test_a_server_that_does_not_exist_is_told():
    with pytest.raises(SettingsError, match="choose from ollama, llamacpp, vllm"):
        Settings(_env_file=None).server_url("vlm")


def test_on_aws_the_addresses_are_those_that_are_set():
    aws = Settings(_env_file=None, profile="aws", vllm_url="http://vllm.internal:8000/", vllm_model="Qwen/Qwen2.5")
    assert aws.server_url("vllm") == "http://vllm.internal:8000"
    assert aws.model_name("vllm") == "Qwen/Qwen2.5"
    assert aws.model_name("ollama") == aws.chat_model
