"""Models that a client may sample: which one suits a server's preferences, and how it is told what was asked for."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CreateMessageRequestParams, ModelPreferences
from strands.models import Model


@dataclass(frozen=True)
class Candidate:
    """A model that may be chosen. The figures are from 0 to 1, compared with those of the other candidates."""

    model: Model
    cost: float = 0.5  # 1 is the dearest
    speed: float = 0.5  # 1 is the fastest
    intelligence: float = 0.5  # 1 is the cleverest
    images: bool = False  # whether it takes any

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            ValueError: a figure is not from 0 to 1.
            TypeError: the model cannot be told how many tokens it may write.
        """
        if not all(0 <= figure <= 1 for figure in (self.cost, self.speed, self.intelligence)):
            raise ValueError("Give cost, speed and intelligence as figures from 0 to 1.")
        if not {"max_tokens", "params"} & _fields(self.model):
            kind = type(self.model).__name__
            raise TypeError(
                f"{kind} has no setting for the most tokens of a reply. Take a model whose configuration has "
                "`max_tokens`, as OllamaModel and BedrockModel have, or `params`, as OpenAIModel has."
            )

    def suits(self, preferences: ModelPreferences) -> float:
        """How well it suits the priorities."""
        return (
            (preferences.cost_priority or 0) * (1 - self.cost)
            + (preferences.speed_priority or 0) * self.speed
            + (preferences.intelligence_priority or 0) * self.intelligence
        )


def candidates(models: Model | Candidate | Mapping[str, Model | Candidate]) -> dict[str, Candidate]:
    """The candidates by name; a single model is named as its configuration names it.

    Raises:
        ValueError: there is none.
        TypeError: one of them cannot be told how many tokens it may write.
    """
    if not isinstance(models, Mapping):
        model = models.model if isinstance(models, Candidate) else models
        models = {str(dict(model.get_config()).get("model_id") or type(model).__name__): models}
    if not models:
        raise ValueError("Give at least one model to sample.")
    return {name: one if isinstance(one, Candidate) else Candidate(one) for name, one in models.items()}


def choose(of: Mapping[str, Candidate], preferences: ModelPreferences | None, *, images: bool) -> str:
    """The name of the model to sample.

    Of those that the first hint fits which fits any, and of all when none does, it is the one that suits the
    priorities best; of equals, the first. A hint fits a name that contains it.

    Raises:
        MCPError: there are images, which no model takes.
    """
    names = [name for name, candidate in of.items() if candidate.images or not images]
    if not names:
        raise MCPError(INVALID_PARAMS, "No model of this client takes images. Ask with text alone.")
    preferences = preferences or ModelPreferences()
    for hint in preferences.hints or ():
        fitting = [name for name in names if hint.name and hint.name.lower() in name.lower()]
        if fitting:
            names = fitting
            break
    return max(names, key=lambda name: of[name].suits(preferences))


def limited(model: Model, asked: CreateMessageRequestParams, most_tokens: int) -> Model:
    """A copy of a model that keeps to what was asked; the model itself, which others may use, stays as it is.

    The reply has at most as many tokens as were asked for, as `most_tokens`, and as the model's own configuration
    says. Temperature and stop sequences replace those of the configuration; a model that has no setting for one of
    them does without.
    """
    copied = copy.copy(model)
    vars(copied).update({name: copy.copy(value) for name, value in vars(model).items() if isinstance(value, dict)})
    fields, own = _fields(model), dict(model.get_config())
    nested = "max_tokens" not in fields  # as OpenAI's API has it
    params = own.get("params") or {}
    tokens = [asked.max_tokens, most_tokens, (params if nested else own).get("max_tokens")]
    wanted = {
        "max_tokens": min(each for each in tokens if each is not None),
        "temperature": asked.temperature,
        "stop" if nested else "stop_sequences": asked.stop_sequences,
    }
    wanted = {name: value for name, value in wanted.items() if value is not None}
    if nested:
        copied.update_config(params={**params, **wanted})
    else:
        copied.update_config(**{name: value for name, value in wanted.items() if name in fields})
    return copied


def _fields(model: Model) -> frozenset[str]:
    """The settings that a model's configuration has, as its class declares them."""
    declared: Any = get_args(type(model).update_config.__annotations__.get("model_config"))
    return frozenset(get_type_hints(declared[0])) if declared else frozenset()
