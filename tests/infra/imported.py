"""Imports modules as if only some packages were installed: python -m tests.infra.imported PACKAGES MODULE ...

PACKAGES is a list with commas. Prints a line for each module that cannot be imported, and with what is missing.
"""

import importlib
import re
import sys
from importlib.metadata import packages_distributions


class Missing:
    """Finds nothing of packages that are not in the list."""

    def __init__(self, here: set[str]) -> None:
        known = packages_distributions().items()
        self.hidden = {top for top, packages in known if not {plain(each) for each in packages} & here}

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """None leaves it to the next finder."""
        if name.partition(".")[0] in self.hidden:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)


def plain(name: str) -> str:
    """A package's name as the lock writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.meta_path.insert(0, Missing(set(sys.argv[1].split(","))))
    for module in sys.argv[2:]:
        try:
            importlib.import_module(module)
        except ImportError as error:
            print(f"{module}: {error}")
