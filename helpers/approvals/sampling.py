"""A server's `sampling/createMessage`, answered by a Strands model within limits, which a person may review.

    sampler = ModelSampler(OllamaModel(endpoint(), model_id=settings().chat_model), review=WidgetApprover())
    desk = Desk(WidgetApprover(), log, server="store", sampler=sampler)

The server's prompt is somebody else's text: the model gets it alone, without any of the client's own conversation,
tools or keys.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any, cast

from mcp.client import ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, INVALID_REQUEST, CreateMessageRequestParams, ErrorData, ImageContent
from strands.event_loop.streaming import stream_messages
from strands.models import Model

from helpers.approvals.desk import Occasion, Sampled, current_occasion
from helpers.approvals.messages import Reply, to_mcp, to_strands, tool_choice, tool_specs
from helpers.approvals.models import Candidate, candidates, choose, limited
from helpers.approvals.question import Approver, Question
from helpers.approvals.review import Review

MOST_TOKENS = 1024
PER_MINUTE = 10
MOST_CHARACTERS = 20_000  # of a whole request as JSON: about what the small model can hold
MOST_IMAGE_CHARACTERS = 8 * 2**20  # of all images in base64
logger = logging.getLogger(__name__)


class Window:
    """Lets through so many in each stretch of `seconds`, wherever it begins; from any thread."""

    def __init__(self, most: int, seconds: float = 60, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.seconds, self.clock = most, seconds, clock
        self._lock = threading.Lock()
        self._times: deque[float] = deque()

    def enter(self) -> float:
        """0 if one more may pass, which is counted; else how many seconds until one may."""
        with self._lock:
            now = self.clock()
            while self._times and self._times[0] <= now - self.seconds:
                self._times.popleft()
            if len(self._times) < self.most:
                self._times.append(now)
                return 0.0
            return self._times[0] + self.seconds - now if self._times else self.seconds


class ModelSampler:
    """Answers with one of its models, with and without tools; a tool is run by the server that offers it.

    `includeContext` is ignored, as the specification allows: no server gets to see what others said. `metadata` is
    ignored too. Temperature and stop sequences are honoured where the model has a setting for them; that a stop
    sequence was met, Ollama's and OpenAI's APIs do not tell, so that the reply says `endTurn`. That a tool is required
    is passed on to the model, and a reply without one is refused.
    """

    def __init__(
        self,
        models: Model | Candidate | Mapping[str, Model | Candidate],
        *,
        review: Approver | None = None,
        most_tokens: int = MOST_TOKENS,
        per_minute: int = PER_MINUTE,
        most_characters: int = MOST_CHARACTERS,
        seconds: float = 300,
    ) -> None:
        """`review` is shown each prompt and each reply; `seconds` is how long all of that may take.

        Raises:
            ValueError: there is no model.
            TypeError: a model cannot be told how many tokens it may write.
        """
        self.candidates, self.review = candidates(models), review
        self.most_tokens, self.most_characters, self.seconds = most_tokens, most_characters, seconds
        self.window = Window(per_minute)

    async def __call__(self, context: ClientRequestContext, params: CreateMessageRequestParams) -> Sampled:
        """The model's reply; an error that says what the server could do instead, if there is none."""
        limit = asyncio.timeout(self.seconds)
        try:
            async with limit:
                return await self._reviewed(params)
        except MCPError as refusal:
            return refusal.error
        except Exception as error:
            if isinstance(error, TimeoutError) and limit.expired():
                return _error(f"There was no reply within {self.seconds:g} s. Ask for less, or later.")
            # Not its words: they may quote the prompt.
            logger.warning("A model could not be sampled: %s.", type(error).__name__)
            return _error(f"The model failed ({type(error).__name__}). Ask later, or do without it.")

    async def _reviewed(self, params: CreateMessageRequestParams) -> Reply:
        self._check(params)
        if self.review is None:
            return await self._reply(params)
        occasion = current_occasion.get() or Occasion(Question("", "", "sampling"))
        review = Review(self.review, occasion, time.time() + self.seconds)
        params = await review.prompt(params)
        self._check_size(params)
        return await review.reply(await self._reply(params))

    def _check(self, params: CreateMessageRequestParams) -> None:
        """Refuse before anybody is asked.

        Raises:
            MCPError: the request is not one that can be answered, or is over a limit.
        """
        if params.max_tokens < 1:  # to some models that is no limit
            raise MCPError(INVALID_PARAMS, "maxTokens has to be at least 1.")
        to_strands(params.messages)
        tool_specs(params)
        self._check_size(params)
        if wait := self.window.enter():
            often = f"This client samples at most {self.window.most} times a minute."
            raise MCPError(INVALID_REQUEST, f"{often} Ask again in {wait:.0f} s.")

    def _check_size(self, params: CreateMessageRequestParams) -> None:
        images = sum(len(image.data) for image in _images(params))
        text = len(params.model_dump_json(by_alias=True, exclude_none=True)) - images
        if text > self.most_characters:
            raise MCPError(
                INVALID_REQUEST, f"The request has {text:,} characters; send at most {self.most_characters:,}."
            )
        if images > MOST_IMAGE_CHARACTERS:
            raise MCPError(INVALID_REQUEST, f"The images have {images:,} characters; send smaller ones, or fewer.")

    async def _reply(self, params: CreateMessageRequestParams) -> Reply:
        name = choose(self.candidates, params.model_preferences, images=bool(_images(params)))
        model = limited(self.candidates[name].model, params, self.most_tokens)
        last: Mapping[str, Any] = {}
        async with aclosing(
            stream_messages(
                model,
                params.system_prompt,
                to_strands(params.messages),
                tool_specs(params),
                tool_choice=tool_choice(params),
            )
        ) as events:
            async for event in events:
                last = cast(Mapping[str, Any], event)
        stop_reason, message, *_ = last["stop"]
        return to_mcp(message, stop_reason, name, params)


def _images(params: CreateMessageRequestParams) -> list[ImageContent]:
    """All images, those in the results of tools too."""
    blocks: list[Any] = [block for message in params.messages for block in message.content_as_list]
    inner = [one for block in blocks if block.type == "tool_result" for one in block.content]
    return [block for block in (*blocks, *inner) if isinstance(block, ImageContent)]


def _error(message: str) -> ErrorData:
    return ErrorData(code=INVALID_REQUEST, message=message)
