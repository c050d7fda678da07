"""The shapes of Ollama's requests, after its docs/api.md."""

from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from helpers.inference.errors import BadRequest

JSON = dict[str, Any]
Format = str | JSON | None
Shape = TypeVar("Shape", bound=BaseModel)


class ToolCall(BaseModel):
    """A call the model made earlier: `{"function": {"name": ..., "arguments": {...}}}`."""

    class Function(BaseModel):
        name: str
        arguments: JSON = Field(default_factory=dict)

    function: Function


class Message(BaseModel):
    """One message of a chat; `images` are refused later, with the model's name."""

    role: str
    content: str = ""
    images: list[Any] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_name: str | None = None


class Request(BaseModel):
    """What every model request has."""

    model: str
    stream: bool = True
    options: JSON | None = None
    keep_alive: str | float | None = None
    format: Format = None
    think: bool | str | None = None


class ChatRequest(Request):
    """`POST /api/chat`."""

    messages: list[Message] | None = None
    tools: list[JSON] | None = None


class GenerateRequest(Request):
    """`POST /api/generate`."""

    prompt: str = ""
    suffix: str | None = None
    system: str | None = None
    template: str | None = None
    raw: bool = False
    images: list[Any] | None = None
    context: list[int] | None = None


class EmbedRequest(BaseModel):
    """`POST /api/embed`; `/api/embeddings` has `prompt` in place of `input`."""

    model: str
    input: str | list[str] | None = None
    prompt: str | None = None
    truncate: bool = True
    dimensions: int | None = None
    options: JSON | None = None
    keep_alive: str | float | None = None


class PullRequest(BaseModel):
    """`POST /api/pull`; `name` is what `model` was called once."""

    model: str = ""
    name: str = ""
    stream: bool = True


def parse(shape: type[Shape], body: bytes) -> Shape:
    """The request in `body`.

    Raises:
        BadRequest: it is not JSON, or not of that shape.
    """
    if not body:
        raise BadRequest("missing request body")
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise BadRequest(f"invalid request: {where + ': ' if where else ''}{problem['msg']}") from error
