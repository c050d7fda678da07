"""The workshop's settings: environment variables `WORKSHOP_*`, or the same names in a file `.env`."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from platformdirs import user_cache_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[2]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Profile = Literal["laptop", "aws"]
ModelServer = Literal["ollama", "llamacpp", "vllm"]
Url = Annotated[str, Field(pattern=r"^https?://[^/\s]+")]


class SettingsError(ValueError):
    """A setting is missing or has a value that cannot be used; the message names the setting and the remedy."""


class Settings(BaseSettings):
    """One field per setting; `WORKSHOP_PROFILE=aws` sets `profile`.

    On `laptop` every address is found or started by the kit. On `aws` the three model servers are the ones that
    run in your Local Zone or on your Outpost, reached over private addresses. In the environment, the word `none`
    takes back what `.env` sets.
    """

    model_config = SettingsConfigDict(
        env_prefix="WORKSHOP_", env_file=ROOT / ".env", extra="ignore", env_parse_none_str="none"
    )

    profile: Profile = "laptop"
    cache_dir: Path = Field(default_factory=lambda: user_cache_path("hybrid-agents-workshop"))
    chat_model: str = "qwen2.5-coder:1.5b"
    embed_model: str = "all-minilm"
    tiny_model: str = "smollm2:135m"
    vllm_model: str | None = Field(None, description="what vLLM calls the chat model, if not chat_model")
    ollama_url: Url | None = None
    llamacpp_url: Url | None = None
    vllm_url: Url | None = None
    database_url: SecretStr | None = Field(None, description="a PostgreSQL with pgvector: postgresql://user@host/name")
    apps: dict[str, Url] = Field({}, description="where the programs of the sites run on aws, as JSON")
    runtime_network: dict[str, Any] = Field(
        {"networkMode": "PUBLIC"}, description="the network of runtimes on AgentCore, as boto3 takes it, as JSON"
    )
    private_endpoint: dict[str, Any] | None = Field(
        None, description="how gateways reach servers without a public address on aws, as boto3 takes it, as JSON"
    )
    supplier_key: SecretStr | None = Field(None, description="the key that the supplier's service asks its callers for")
    identity: str | None = Field(None, description="which program this is, site/name; set by whoever starts it")
    token_key: str | None = Field(None, description="the public key that callers' tokens are checked with, as PEM")
    token_issuer: Url | None = Field(None, description="an identity provider whose access tokens are taken too")
    token_keys: str | None = Field(None, description="its keys: what ISSUER/.well-known/jwks.json says")
    token_scope: str = Field("workshop/tools", description="the scope that its tokens need")
    site_folder: Path = Field(
        default_factory=lambda before: before["cache_dir"] / "apps", description="where a program keeps its data"
    )
    telemetry_url: Url | None = Field(None, description="where a program's spans go: an OTLP/HTTP receiver")
    telemetry_content: bool = Field(False, description="whether prompts, answers and arguments go there too")
    telemetry_trusts: list[str] = Field(
        ["*"], description="whose trace is gone on with: callers by the site of their token, * for any, as JSON"
    )
    linger_seconds: float = Field(120, gt=0, description="how long the kit's endpoint waits, unused, before it ends")

    def server_url(self, server: ModelServer) -> str | None:
        """The address set for `server`, or None where the kit is to find or start one.

        Raises:
            SettingsError: the profile is `aws` and the address is not set, or there is no such server.
        """
        if server not in get_args(ModelServer):
            raise SettingsError(f"There is no model server {server!r}; choose from {', '.join(get_args(ModelServer))}.")
        url: str | None = getattr(self, f"{server}_url")
        if url is None and self.profile == "aws":
            name = f"WORKSHOP_{server.upper()}_URL"
            raise SettingsError(
                f"The profile is aws, but {name} is not set. Set it to the private address of the {server} server "
                f"in your Local Zone or on your Outpost, for example {name}=http://inference.internal:11434, in the "
                "environment or in .env."
            )
        return url.rstrip("/") if url else None

    def database(self) -> str | None:
        """The PostgreSQL that is set, or None where the kit is to find or start its own.

        Raises:
            SettingsError: the profile is `aws` and the address is not set.
        """
        if self.database_url is None and self.profile == "aws":
            raise SettingsError(
                "The profile is aws, but WORKSHOP_DATABASE_URL is not set. Set it to a PostgreSQL with pgvector inside "
                "the boundary (on the Outpost, in the Local Zone, or RDS), in the environment or in .env, for example "
                "WORKSHOP_DATABASE_URL=postgresql://workshop@knowledge.internal/workshop"
            )
        return self.database_url.get_secret_value() if self.database_url else None

    def app_url(self, identity: str) -> str | None:
        """Where the program `identity` (site/name) runs, or None where the kit is to start it.

        Raises:
            SettingsError: the profile is `aws` and the address is not set.
        """
        url = self.apps.get(identity)
        if url is None and self.profile == "aws":
            raise SettingsError(
                f"The profile is aws, but WORKSHOP_APPS does not say where {identity} runs. Add its private address in "
                f'the environment or in .env, for example WORKSHOP_APPS={{"{identity}": "http://{identity.split("/")[1]}'
                '.internal:9000"}'
            )
        return url.rstrip("/") if url and self.profile == "aws" else None

    def model_name(self, server: ModelServer) -> str:
        """What `server` calls the chat model; vLLM often names it by its Hugging Face id."""
        return (self.vllm_model if server == "vllm" else None) or self.chat_model


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        SettingsError: a value is not one of those allowed.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(f"WORKSHOP_{str(e['loc'][0]).upper()}={e['input']!r}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"{problems}. Correct it in the environment or in .env.") from error
