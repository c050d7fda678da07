"""What a check says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """The answer of `lab.check`; true if the step is passed. It prints as what the learner is to read."""

    step: str
    passed: bool
    expected: str = ""
    seen: str = ""
    look: str = ""
    case: str = ""
    cases: int = 0
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        if self.passed:
            return "\n".join([f"✓ {self.step}: passed, {self.cases} cases.", *self._notes()])
        told = {"case": self.case, "expected": self.expected, "seen": self.seen, "look at": self.look}
        lines = [f"  {label + ':':<10}{text}" for label, text in told.items() if text]
        return "\n".join([f"✗ {self.step}: not yet.", *lines, *self._notes()])

    def _notes(self) -> list[str]:
        return [f"  note:     {note}" for note in self.notes]
