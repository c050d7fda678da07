"""Guided labs and questions to check oneself: steps that are judged by what the learner's code does, hints, progress.

`lab` is what a notebook uses; `steps` reads a lab's data, `running` lets the learner's code run in a process of its own
(`learner_side`), and a fresh interpreter judge it (`judge`), through `wire`; `progress` is the file, `board` draws it.
`quiz` asks the questions at the end of a notebook. One package a lab: `finance`.
May import: every other room.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpers.labs.lab import Lab
else:

    def __getattr__(name: str) -> object:
        """`Lab`, imported when asked for: the judge starts without the settings."""
        if name != "Lab":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from helpers.labs.lab import Lab

        return Lab


__all__ = ["Lab"]
