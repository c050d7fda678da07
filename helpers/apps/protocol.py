"""The protocol agent: says what this campus's protocols and policies say, over A2A.

    python -m helpers.apps.protocol --port 9002 --collection hospital

Every question is looked up before the model sees it: a small model that may choose to search asks for the wrong thing.
"""

from strands import Agent
from strands.hooks import BeforeInvocationEvent, HookProvider, HookRegistry
from strands.models.ollama import OllamaModel
from strands.multiagent.a2a import A2AServer

from helpers.apps.command import parser, run
from helpers.apps.serving_a2a import serve
from helpers.inference import endpoint
from helpers.knowledge import KnowledgeBase
from helpers.settings import settings

INSTRUCTIONS = "Answer the question from the passage, in one short sentence."
KINDS = ["protocols", "policies"]


class Passages(HookProvider):
    """Puts the best passage of the collection before each question."""

    def __init__(self, collection: str) -> None:
        self.knowledge = KnowledgeBase(collection)

    def register_hooks(self, registry: HookRegistry, **_: object) -> None:
        """Before each invocation."""
        registry.add_callback(BeforeInvocationEvent, self.add)

    def add(self, event: BeforeInvocationEvent) -> None:
        """The question, with its passage."""
        if not event.messages:
            return
        question = " ".join(block["text"] for block in event.messages[-1]["content"] if "text" in block)
        event.messages[-1]["content"] = [{"text": self.prompt(question)}]

    def prompt(self, question: str) -> str:
        """What the model is asked."""
        found = self.knowledge.search(question, k=1, where={"kind": KINDS})
        if not found:
            return f"There is no passage. Say that the documents do not say.\n\nQuestion: {question}"
        best = found[0]
        return f"Passage ({best.title}, {best.heading}): {best.text}\n\nQuestion: {question}"


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--collection", default="hospital", help="knowledge base to answer from")
    given = arguments.parse_args()
    passages = Passages(given.collection)
    passages.prompt("Is it there?")  # a collection that is missing is told now, not to who asks first

    def agent(context_id: str) -> Agent:
        return Agent(
            OllamaModel(endpoint(), model_id=settings().chat_model, temperature=0, max_tokens=100),
            name="protocol",
            description="Answers questions about this campus's protocols and policies.",
            system_prompt=INSTRUCTIONS,
            hooks=[passages],
            callback_handler=None,
        )

    serve(A2AServer(agent_factory=agent, enable_a2a_compliant_streaming=True), given)


if __name__ == "__main__":
    run(main)
