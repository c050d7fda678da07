"""The tool that finds tools: by meaning, with the embedding model of this site."""

import asyncio
import json

import numpy as np

from helpers.knowledge.embedder import Embedder, Vectors
from helpers.knowledge.errors import EmbeddingFailed
from helpers.region.gateway.messages import Json, text
from helpers.region.gateway.upstream import TargetFailed

NAME = "x_amz_bedrock_agentcore_search"
TOOL: Json = {
    "name": NAME,
    "description": "Finds the tools that fit a question, among all tools of this gateway.",
    "inputSchema": {
        "type": "object",
        "properties": {"query": {"type": "string", "description": "what you want to know or do"}},
        "required": ["query"],
    },
}
MOST_FOUND = 10
TOLD = ("name", "description", "inputSchema", "outputSchema")


class Search:
    """Knows a vector for each tool; the same words are embedded once."""

    def __init__(self) -> None:
        self.embedder = Embedder()
        self.vectors: dict[str, Vectors] = {}
        self.lock = asyncio.Lock()

    async def answer(self, arguments: Json, tools: list[Json]) -> Json:
        """The result of the tool: the tools that fit best, the best one first.

        Raises:
            TargetFailed: the embedding model does not answer.
        """
        query = arguments.get("query")
        if not tools:
            return text(json.dumps({"tools": []}), structuredContent={"tools": []})
        if not isinstance(query, str) or not query.strip():
            return text("Invalid arguments: query is required, and has to be a text.", failed=True)
        words = [f"{tool['name'].rpartition('___')[2]}: {tool.get('description', '')}" for tool in tools]
        index, (asked,) = await self._embedded(words), await self._embed([query])
        best = np.argsort(-(index @ asked), kind="stable")[:MOST_FOUND]
        found = {"tools": [{name: tools[i][name] for name in TOLD if name in tools[i]} for i in best]}
        return text(json.dumps(found), structuredContent=found)

    async def _embedded(self, words: list[str]) -> Vectors:
        async with self.lock:
            if new := [each for each in dict.fromkeys(words) if each not in self.vectors]:
                self.vectors |= dict(zip(new, await self._embed(new), strict=True))
        return np.array([self.vectors[each] for each in words], np.float32)

    async def _embed(self, texts: list[str]) -> Vectors:
        """Vectors of length 1."""
        try:
            found = await asyncio.to_thread(self.embedder.embed, texts)
        except EmbeddingFailed as error:
            raise TargetFailed(str(error)) from error
        unit: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
        return unit
