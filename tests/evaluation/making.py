"""Short cases, and models that answer from a script."""

from helpers.evaluation.cases import Case
from helpers.evaluation.scoring import Call, Reply
from tests.scripted_model import ScriptedModel, text, use

STOCK = {
    "name": "stock",
    "description": "How many units of a medicine there are",
    "inputSchema": {
        "type": "object",
        "properties": {"medicine": {"type": "string"}, "ward": {"type": "string", "enum": ["A1", "B2"]}},
        "required": ["medicine"],
    },
}
RESERVE = {
    "name": "reserve",
    "description": "Reserve units of a medicine",
    "inputSchema": {
        "type": "object",
        "properties": {"medicine": {"type": "string"}, "units": {"type": "integer", "minimum": 1}},
        "required": ["medicine", "units"],
    },
}
ONE = {"name": "stock", "arguments": {"medicine": ["Dantrolene", "Dantrium"], "ward": ["A1", ""]}}
TWO = {"name": "reserve", "arguments": {"medicine": ["Dantrolene"], "units": [2]}}


def case(*calls, number=1, category="one", turns=None, **more):
    """A case with these right calls, or these turns."""
    given = turns or [{"question": "Question?", "calls": calls}]
    return Case.model_validate(
        {"id": f"case_{number}", "category": category, "tools": [STOCK, RESERVE], "turns": given} | more
    )


def reply(*calls, text=""):
    """A reply with calls, each a name and arguments; a string stands for arguments that cannot be read."""
    return Reply(
        text=text,
        calls=[
            Call(name=name, arguments=None if isinstance(given, str) else given, raw=str(given))
            for name, given in calls
        ],
    )


class Script(ScriptedModel):
    """A model that gives its answers in order: a text, a list of calls, or an exception; the last one for ever."""

    def __init__(self, *answers, **configuration):
        self.answers, self.configuration = list(answers), configuration
        self.heard = []

    def get_config(self):
        return self.configuration

    async def stream(self, messages, tool_specs=None, system_prompt=None, **_):
        self.heard.append((messages, tool_specs, system_prompt))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        yield {"messageStart": {"role": "assistant"}}
        for event in text(answer) if isinstance(answer, str) else self._calls(answer):
            yield event
        yield {"messageStop": {"stopReason": "end_turn"}}
        yield {"metadata": {"usage": {"inputTokens": 7, "outputTokens": 3}}}

    def _calls(self, answer):
        for number, (name, arguments) in enumerate(answer):
            yield from use(str(number), name, arguments)
