"""Which program stands for which container image: a laptop has no registry, and builds no images.

An image is named as in ECR, `123456789012.dkr.ecr.us-west-2.amazonaws.com/workshop/orchestrator:1`; what counts here is
the name of its repository, `workshop/orchestrator`. Tags are other builds of the same program, so they make no
difference.
"""

import re
from collections.abc import Mapping
from importlib.util import find_spec

from helpers.region.errors import ValidationError

IMAGE = re.compile(r"(?:[^/]+\.dkr\.ecr\.[^/]+|public\.ecr\.aws/[^/]+)/(?P<name>[^:@]+)(?:[:@].+)?")


class Images:
    """The registry."""

    def __init__(self, programs: Mapping[str, str]) -> None:
        """`programs` has the module for each repository.

        Raises:
            ValidationError: there is no such module.
        """
        for name, program in programs.items():
            if not _is_there(program):
                raise ValidationError(f"There is no module {program}, which should stand for the image {name}.")
        self.programs = dict(programs)

    def program(self, uri: str) -> str:
        """The module that stands for an image.

        Raises:
            ValidationError: none does.
        """
        found = IMAGE.fullmatch(uri)
        if found and (program := self.programs.get(found["name"])):
            return program
        known = ", ".join(self.programs) or "none"
        raise ValidationError(
            f"The specified image identifier does not exist: {uri}. This Region on a laptop has programs in place of "
            f"images, for these repositories: {known}. Give others with region.start(images=...) or --image."
        )


def _is_there(program: str) -> bool:
    try:
        return find_spec(program) is not None
    except ModuleNotFoundError:
        return False
