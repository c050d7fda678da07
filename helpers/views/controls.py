"""What explorers have in common: controls, and outputs of the cell that are replaced when something is chosen.

Outputs, not widgets, show the result: so it is there without a kernel too, on GitHub and under nbval, where the
controls are one line of text.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import ipywidgets
from IPython.display import display, update_display

WIDGET = "application/vnd.jupyter.widget-view+json"


class Chooser(ABC):
    """The controls `chosen`, in a column, and `outputs` contents below, which a subclass makes in `_contents`."""

    def __init__(self, chosen: Sequence[Any], outputs: int) -> None:
        self._all = list(chosen)
        self._keys = [uuid4().hex for _ in range(outputs)]
        self.controls = ipywidgets.VBox(self._all)

    @abstractmethod
    def _contents(self) -> tuple[object, ...]:
        """What the outputs show of what is chosen now, in their order."""

    def _ipython_display_(self) -> None:
        shown = {**self.controls._repr_mimebundle_(), "text/plain": self._words()}
        display({kind: shown[kind] for kind in ("text/plain", WIDGET) if kind in shown}, raw=True)  # type: ignore[no-untyped-call]
        for key, content in zip(self._keys, self._contents(), strict=True):
            display(content, display_id=key)  # type: ignore[no-untyped-call]

    def _words(self) -> str:
        """The controls, for those who see them without a kernel."""
        chosen = ", ".join(f"{one.description.lower()} {_told(one.value)}" for one in self._all)
        return f"Chosen: {chosen}. Run the cell to choose anew."

    def _chosen(self, _: object = None) -> None:
        for key, content in zip(self._keys, self._contents(), strict=True):
            update_display(content, display_id=key)  # type: ignore[no-untyped-call]


def _told(value: object) -> str:
    return " or ".join(map(str, value)) or "nowhere" if isinstance(value, tuple) else str(value)


class Line:
    """A line of text as an output."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def choice(label: str, options: Sequence[Any], value: object) -> Any:  # noqa: ANN401 - a widget
    """One of several."""
    layout = ipywidgets.Layout(width="340px")
    return ipywidgets.Dropdown(description=label, options=options, value=value, layout=layout)


def slider(label: str, options: Sequence[int], value: float) -> Any:  # noqa: ANN401 - a widget
    """One of several numbers, the nearest to `value` at first."""
    return ipywidgets.SelectionSlider(
        description=label,
        options=[(f"{option:,}", option) for option in options],
        value=nearest(value, options),
        continuous_update=False,
        layout=ipywidgets.Layout(width="480px"),
    )


def nearest(value: float, options: Sequence[int]) -> int:
    """The option nearest to a number."""
    return min(options, key=lambda option: abs(option - value))
