"""What models from a script have in common."""

import json

from strands.models import Model


class ScriptedModel(Model):
    """A model without a configuration; who makes one writes `stream`."""

    def update_config(self, **config):
        pass

    def get_config(self):
        return {}

    def structured_output(self, *arguments, **options):
        raise NotImplementedError  # abstract


def text(words):
    """The events of a text."""
    yield {"contentBlockStart": {"start": {}}}
    yield {"contentBlockDelta": {"delta": {"text": words}}}
    yield {"contentBlockStop": {}}


def use(number, name, arguments):
    """The events of the use of a tool; `arguments` are JSON, or will be."""
    given = arguments if isinstance(arguments, str) else json.dumps(arguments)
    yield {"contentBlockStart": {"start": {"toolUse": {"toolUseId": number, "name": name}}}}
    yield {"contentBlockDelta": {"delta": {"toolUse": {"input": given}}}}
    yield {"contentBlockStop": {}}
