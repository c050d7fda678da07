"""The protocol agent: says what this campus's protocols and policies say, with the source, over A2A.

python -m helpers.apps.protocol --port 9002 --collection hospital
"""

from strands import Agent, tool
from strands.models.ollama import OllamaModel
from strands.multiagent.a2a import A2AServer

from helpers.apps.serving import parser, run, serve
from helpers.inference import endpoint
from helpers.knowledge import KnowledgeBase
from helpers.settings import settings

INSTRUCTIONS = "You answer questions from the protocol that the tool finds, in one or two sentences. Name the source."
KINDS = ["protocols", "policies"]


class Protocols:
    """The tool."""

    def __init__(self, collection: str) -> None:
        self.knowledge = KnowledgeBase(collection)

    @tool
    def protocol(self, question: str) -> str:
        """What the protocols and policies say.

        Args:
            question: One question in full words.
        """
        found = self.knowledge.search(question, k=1, where={"kind": KINDS})
        return "\n".join(f"{passage.text}\nSource: {passage.source}" for passage in found) or "nothing"


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--collection", default="hospital", help="knowledge base to answer from")
    given = arguments.parse_args()
    protocols = Protocols(given.collection)
    protocols.knowledge.search("Is it there?", k=1)  # a collection that is missing is told now, not to who asks first

    def agent(context_id: str) -> Agent:
        return Agent(
            OllamaModel(endpoint(), model_id=settings().chat_model, temperature=0, max_tokens=160),
            name="protocol",
            description="Answers questions about this campus's protocols and policies, with the source.",
            system_prompt=INSTRUCTIONS,
            tools=[protocols.protocol],
            callback_handler=None,
        )

    serve(A2AServer(agent_factory=agent, enable_a2a_compliant_streaming=True), given)


if __name__ == "__main__":
    run(main)
