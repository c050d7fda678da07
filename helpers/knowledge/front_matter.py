"""What a Markdown document says of itself above its text, in YAML."""

from collections.abc import Sequence
from typing import Any, cast

import frontmatter
import yaml
from frontmatter.default_handlers import YAMLHandler

from helpers.knowledge.errors import DocumentRefused

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the fast one where there is one


class PlainYAML(YAMLHandler):
    """YAML without aliases: ten lines of them unfold into gigabytes."""

    def load(self, fm: str, **options: object) -> dict[str, Any]:
        """What the front matter says.

        Raises:
            DocumentRefused: it has an alias.
        """
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(fm, LOADER)):
            raise DocumentRefused("its front matter has aliases, words with a star in front; write out what they mean")
        return cast(dict[str, Any], super().load(fm, **options))


def front_matter(text: str, names: Sequence[str]) -> tuple[dict[str, str], str]:
    """What the front matter says under these `names`, in words, and the text below it.

    Raises:
        DocumentRefused: it is not YAML, or has an alias.
    """
    handler = PlainYAML()
    try:
        post = frontmatter.loads(text, handler=handler if handler.detect(text) else None)
    except (yaml.YAMLError, ValueError, TypeError) as error:  # a date that is none, a key that is no text
        raise DocumentRefused(f"its front matter is not YAML ({str(error).splitlines()[0]})") from error
    said = {str(name).lower(): value for name, value in post.metadata.items()}
    # Two rules with a text between them look like front matter, too.
    return {name: _in_words(said[name]) for name in names if name in said}, post.content if said else text


def _in_words(value: object) -> str:
    """A value of YAML as a person writes it; one that is left empty is no text."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_in_words, value)))
    return "" if value is None else str(value).strip()
