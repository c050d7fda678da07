"""What the cells of a lab define."""

from helpers.labs.steps import plan


def cell(lab, step, text):
    """What a cell defines, after the first cell of the lab's notebook."""
    names = {}
    exec(plan(lab).setup, names)
    exec(text, names)
    return names[step.defines]
