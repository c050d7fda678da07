"""Finds taken out of a text, each replaced by its rule's name in braces."""

from collections.abc import Sequence

from helpers.guardrails.findings import Finding


def masked(text: str, findings: Sequence[Finding]) -> str:
    """`text` with `{EMAIL}` where one stood; finds that overlap are one, named after the first, or longest, of them."""
    parts, at = list[str](), 0
    for finding in _together(findings):
        parts += [text[at : finding.start], "{" + finding.rule + "}"]
        at = finding.end
    return "".join([*parts, text[at:]])


def _together(findings: Sequence[Finding]) -> list[Finding]:
    whole = list[Finding]()
    for finding in sorted(findings, key=lambda each: (each.start, -each.end)):
        if whole and finding.start < whole[-1].end:
            last = whole.pop()
            finding = Finding(last.start, max(last.end, finding.end), last.rule)
        whole.append(finding)
    return whole
