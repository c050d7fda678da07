"""Choose a model, a scheme, a context and a number of requests, and see the memory and who has it at the edge."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from helpers.sizing.engines import ENGINES
from helpers.sizing.errors import SizingError
from helpers.sizing.memory import Memory, needs
from helpers.sizing.places import EDGE, Kind, holds, reason, smallest
from helpers.sizing.readers import known, shape
from helpers.sizing.schemes import SCHEMES
from helpers.sizing.shape import Shape
from helpers.views.controls import Chooser, Line, choice, nearest, slider
from helpers.views.memory import memory

REQUESTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
LEAST_CONTEXT = 512
USUAL = ("FP8", "Q4_K_M")
ROWS = 12  # of the table
SHOWN = ["instance", "place", "used", "gpu", "GiB", "needed GiB", "headroom", "verified"]


class Explorer(Chooser):
    """The controls, and what they show. `memory` and `table` are the results of what is chosen now.

        explorer = Explorer(model="Llama-3.1-8B", scheme="FP8", engine="vllm")
        explorer

    `models` are more models to choose from, beside those of `known.toml`: names of the store, or paths.
    """

    def __init__(
        self,
        model: str = "Llama-3.1-8B",
        scheme: str = "FP8",
        context: int = 8192,
        parallel: int = 8,
        engine: str = "vllm",
        models: Iterable[str] = (),
        kinds: tuple[Kind, ...] = EDGE,
    ) -> None:
        self.kinds = kinds
        names = dict.fromkeys([model, *models, *known()])
        self._shapes: dict[str, Shape] = {}
        self.engine = choice("Engine", list(ENGINES), engine)
        self.model = choice("Model", list(names), model)
        self.scheme = choice("Scheme", _schemes(engine), scheme)
        self.context = slider("Context", _contexts(self._shape().context), context)
        self.parallel = slider("Requests", list(REQUESTS), parallel)
        super().__init__([self.model, self.engine, self.scheme, self.context, self.parallel], outputs=3)
        self.engine.observe(self._engine_chosen, "value")
        self.model.observe(self._model_chosen, "value")
        for control in (self.scheme, self.context, self.parallel):
            control.observe(self._chosen, "value")

    @property
    def memory(self) -> Memory:
        """What the choice needs.

        Raises:
            SizingError: the engine does not run the scheme, or the model cannot be read.
        """
        return needs(self._shape(), self.scheme.value, self.context.value, self.parallel.value, self.engine.value)

    @property
    def table(self) -> pd.DataFrame:
        """Which instance types hold it, at all places of `kinds` (see `helpers.sizing.places.holds`)."""
        return holds(self.memory, self.kinds)

    def _contents(self) -> tuple[object, object, object]:
        """The picture, the table, and a line about it; in place of the first two, nothing when there is a fault."""
        try:
            needed, table = self.memory, self.table
        except SizingError as error:
            return Line(""), Line(""), Line(str(error))
        rows = smallest(table)[SHOWN].head(ROWS)
        line = reason(table) or f"The smallest of each family; all {len(table)} rows are in explorer.table."
        return memory(needed), Line("") if table.empty else rows, Line(line)

    def _engine_chosen(self, _: object) -> None:
        _offer(self.scheme, _schemes(self.engine.value), self._chosen)

    def _model_chosen(self, _: object) -> None:
        try:
            contexts = _contexts(self._shape().context)
        except SizingError:
            contexts = [value for _, value in self.context.options]
        _offer(self.context, contexts, self._chosen)

    def _shape(self) -> Shape:
        name = self.model.value
        if name not in self._shapes:
            self._shapes[name] = shape(name)
        return self._shapes[name]


def _schemes(engine: str) -> list[str]:
    """What the engine runs."""

    def runs(name: str) -> bool:
        try:
            ENGINES[engine].check(SCHEMES[name])
        except SizingError:
            return False
        return True

    return [name for name in SCHEMES if runs(name)]


def _contexts(most: int) -> list[int]:
    """Powers of two up to what the model was trained for, and that."""
    powers = [LEAST_CONTEXT << n for n in range(20) if LEAST_CONTEXT << n < most]
    return [*powers, most]


def _offer(control: Any, options: list[Any], then: Any) -> None:  # noqa: ANN401 - a widget, and what it calls
    """Other options; what was chosen stays chosen if it can, and `then` is called once."""
    chosen = control.value
    control.unobserve(then, "value")
    control.options = options
    control.value = chosen if chosen in options else _else(chosen, options)
    control.observe(then, "value")
    then()


def _else(chosen: Any, options: list[Any]) -> Any:  # noqa: ANN401
    """The number nearest to what was chosen, or the scheme that most people take."""
    if isinstance(chosen, int):
        return nearest(chosen, options)
    return next((name for name in USUAL if name in options), options[0])
