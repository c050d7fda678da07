"""What templates grant: statements of policies, and the reasons that are written beside a `*`."""

import re
from collections.abc import Iterator
from typing import Any

from tests.infra.template import Template, nodes

REASON = re.compile(r"# why: \S+ \S+")
WIDE = re.compile(
    r'^\s*(?:- \w+: .*|-?\s*)?(Action|Resource|NotAction|NotResource)\s*:\s*.*?(?:"\*"|[\w-]+:\*(?=[\s,\]#]|$))'
)
SECRET = re.compile(r"password|secret|token|apikey|privatekey", re.IGNORECASE)
POINTERS = ("Arn", "Issuer", "Url", "Tokens", "Id")  # where it is, who issues it, how long a context is: no secret


def statements(template: Template) -> Iterator[dict[str, Any]]:
    """Every statement of a policy in a template."""
    for path, value in nodes(template.body):
        if path and path[-1] == "Statement":
            yield from value


def unexplained(template: Template) -> list[str]:
    """Lines that allow every action of a service, or on every resource, without a reason on the line."""
    return [
        f"{number}: {line.strip()}"
        for number, line in enumerate(template.lines, 1)
        if WIDE.match(line) and not REASON.search(line)
    ]


def wide(template: Template) -> int:
    """How many actions and resources are `*` or all of a service's, as the parsed template has them."""
    values = (
        each for said in statements(template) for key in ("Action", "Resource") for each in _listed(said.get(key))
    )
    return sum(
        isinstance(each, str) and (each == "*" or re.fullmatch(r"[\w-]+:\*", each) is not None) for each in values
    )


def written(template: Template) -> int:
    """How many lines the search for `*` finds, with reason or without."""
    return sum(bool(WIDE.match(line)) for line in template.lines)


def anyone(template: Template) -> list[str]:
    """Statements that any principal may use without a condition; a reason may stand beside the principal."""
    lines = [line for line in template.lines if re.search(r'Principal: "\*"', line)]
    open_ones = sum(said.get("Principal") == "*" and not said.get("Condition") for said in statements(template))
    explained = sum(bool(REASON.search(line)) for line in lines)
    return lines if open_ones > explained + _named_without_resource(template) else []


def secrets(template: Template) -> list[str]:
    """Parameters and outputs that by their names hold a secret, not where it is."""
    named = [*template.parameters, *template.body.get("Outputs", {})]
    held = [name for name in named if SECRET.search(name) and not name.endswith(POINTERS)]
    text = str(template.body.get("Outputs", {}))
    return held + [word for word in ("ClientSecret", "SecretString", "resolve:secretsmanager") if word in text]


def _named_without_resource(template: Template) -> int:
    """Statements whose `*` as resource has a reason already: they work on no resource that anyone owns."""
    return sum(
        said.get("Principal") == "*" and not said.get("Condition") and said.get("Resource") == "*"
        for said in statements(template)
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
