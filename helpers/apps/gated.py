"""What a gated operation is made of: the question before it, the form of its answer, and how it is carried out.

The same for a tool that asks for it directly and for an agent that does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver.resolve import Elicit
from pydantic import BaseModel, Field, create_model

from helpers.apps.gate import Operation

Form = TypeVar("Form", bound=BaseModel)
Done = TypeVar("Done", bound=BaseModel)
Arguments = Mapping[str, Any]
Reason = Annotated[str, Field(description="Why, in a few words", max_length=200)]


@dataclass(frozen=True)
class Gated(Generic[Form, Done]):
    """One kind of operation. What is in `form` may be changed by whoever approves; its names are those of arguments.

    What `returns` is as text is what an agent is told.
    """

    tool: str
    form: type[Form]
    returns: type[Done]
    question: Callable[[Arguments], str]
    work: Callable[[Arguments, Form], Done]

    def ask(self, operation: Operation) -> Elicit[BaseModel] | BaseModel | None:
        """What a resolver returns, as of `Operation.ask`: a form that is filled in with what was asked for."""
        return operation.ask(self.question(operation.arguments), filled_in(self.form, operation.arguments))

    def run(self, operation: Operation, answer: ElicitationResult[Any]) -> Done:
        """Carry it out with what was approved; raises as `Operation.run` does."""
        return operation.run(answer, self.returns, lambda form: self.work(operation.arguments, form))


def filled_in(form: type[BaseModel], values: Arguments) -> type[BaseModel]:
    """The form, with values that may be left as they are."""
    hints = get_type_hints(form, include_extras=True)
    fields: dict[str, Any] = {name: (hints[name], values[name]) for name in form.model_fields}
    return create_model(form.__name__, __base__=form, **fields)
