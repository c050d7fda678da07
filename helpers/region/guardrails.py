"""Guardrails that a Region keeps, each with a draft that changes and numbered versions that do not; their judges."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.bedrock.models import bedrock_backends
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from helpers.guardrails.judge import Judge, Scope, Source
from helpers.region.errors import Conflict, NotFound, QuotaExceeded
from helpers.region.guardrail_policies import read_shape

Json = dict[str, Any]
MakeJudge = Callable[[Json], Judge]

DRAFT = "DRAFT"
MOST, MOST_VERSIONS = 100, 20  # quotas of an account in a Region, and of a guardrail
JUDGES = 16  # that are kept, each with what it has compiled


@dataclass
class Guardrail:
    """A guardrail; `versions` has what GetGuardrail tells of each, under DRAFT, 1, 2 and so on."""

    id: str
    arn: str
    created: datetime
    versions: dict[str, Json] = field(default_factory=dict)
    last: int = 0  # the newest number, which is never given again

    @property
    def name(self) -> str:
        """The name."""
        return str(self.versions[DRAFT]["name"])

    def version(self, version: str) -> Json:
        """What a version is.

        Raises:
            NotFound: there is no such version.
        """
        if version not in self.versions:
            raise NotFound(f"The guardrail {self.id} has no version {version}. It has {', '.join(self.versions)}.")
        return self.versions[version]

    def draft(self, given: Json) -> Json:
        """Change the draft."""
        now = utcnow()
        self.versions[DRAFT] = self._told(read_shape(given), DRAFT, self.created, now)
        return self.versions[DRAFT]

    def freeze(self, description: str | None) -> str:
        """Make a version of the draft, and give its number.

        Raises:
            QuotaExceeded: there are as many as there may be.
        """
        if len(self.versions) > MOST_VERSIONS:
            raise QuotaExceeded(f"A guardrail has at most {MOST_VERSIONS} versions. Delete one first.")
        self.last += 1
        now = utcnow()
        told = self._told(self.versions[DRAFT], str(self.last), now, now)
        self.versions[str(self.last)] = told | ({"description": description} if description else {})
        return str(self.last)

    def _told(self, policy: Json, version: str, created: datetime, updated: datetime) -> Json:
        of_it = {"guardrailId": self.id, "guardrailArn": self.arn, "version": version, "status": "READY"}
        return policy | of_it | {"createdAt": created, "updatedAt": updated}


class Guardrails:
    """All guardrails of an account in a Region."""

    def __init__(self, account: str, region: str) -> None:
        self.prefix = f"arn:{get_partition(region)}:bedrock:{region}:{account}:guardrail/"
        self.known: dict[str, Guardrail] = {}
        self.tokens: dict[str, tuple[Json, Json]] = {}  # of requests that were carried out, with what was answered

    def create(self, given: Json) -> Guardrail:
        """A guardrail with a draft.

        Raises:
            Conflict: there is one of that name.
            QuotaExceeded: there are as many as there may be.
        """
        self._check_name(given["name"])
        if len(self.known) >= MOST:
            raise QuotaExceeded(f"There may be at most {MOST} guardrails. Delete one first.")
        id_ = mock_random.get_random_string(12, lower_case=True)
        guardrail = self.known[id_] = Guardrail(id_, self.prefix + id_, utcnow())
        guardrail.draft(given)
        return guardrail

    def update(self, identifier: str, given: Json) -> Json:
        """Another draft.

        Raises:
            Conflict: another has the name that it shall have.
            NotFound: there is no such guardrail.
        """
        guardrail = self.find(identifier)
        self._check_name(given["name"], guardrail)
        return guardrail.draft(given)

    def delete(self, identifier: str, version: str | None) -> None:
        """A version, or all of it.

        Raises:
            NotFound: there is no such guardrail, or version.
        """
        guardrail = self.find(identifier)
        if version is None:
            del self.known[guardrail.id]
        else:
            guardrail.version(version)
            del guardrail.versions[version]

    def find(self, identifier: str) -> Guardrail:
        """The guardrail with that id or ARN.

        Raises:
            NotFound: there is none.
        """
        found = self.known.get(identifier.removeprefix(self.prefix))
        if found is None:
            raise NotFound(f"The guardrail {identifier} does not exist. `list_guardrails` tells which there are.")
        return found

    def _check_name(self, name: str, own: Guardrail | None = None) -> None:
        if any(other.name == name for other in self.known.values() if other is not own):
            raise Conflict(f"A guardrail with the name {name} already exists. Update it, or choose another name.")


def guardrails(account: str, region: str) -> Guardrails:
    """What is kept, beside what moto keeps of Bedrock."""
    kept: Guardrails = vars(bedrock_backends[account][region]).setdefault("guardrails", Guardrails(account, region))
    return kept


class StandIn:
    """The kit's own judge in place of Bedrock's; `actionReason` says so, and what of the policy it leaves out.

    It is that of the edge, but for one thing: it embeds every sentence, not only those that a screen lets pass.
    """

    def __init__(self, found: Json) -> None:
        """`found` is what GetGuardrail tells. Its libraries are imported late, since they are large."""
        from helpers.guardrails import EdgeGuardrail

        self.judge = EdgeGuardrail(found, narrowed=True, thorough=True)
        left_out = ", ".join(gap.rule for gap in self.judge.gaps)
        self.label = "judged by the kit in place of Bedrock" + (f"; not enforced here: {left_out}" if left_out else "")

    def apply(self, source: Source, content: list[Json], output_scope: Scope = "INTERVENTIONS") -> Json:
        """The report.

        Raises:
            CheckFailed: the content cannot be judged.
        """
        report = self.judge.apply(source, content, output_scope)
        return report | {"actionReason": f"{report['actionReason']} ({self.label})"}


class Judges:
    """Judges of versions of guardrails, made when they are first asked for."""

    def __init__(self, make: MakeJudge = StandIn) -> None:
        self.make = make
        self.made: OrderedDict[str, Judge] = OrderedDict()
        self.turn = threading.Lock()

    def of(self, found: Json) -> Judge:
        """The judge of a guardrail as GetGuardrail tells it."""
        key = json.dumps(found, sort_keys=True, default=str)
        with self.turn:
            if key not in self.made:
                self.made[key] = self.make(found)
            self.made.move_to_end(key)
            while len(self.made) > JUDGES:
                self.made.popitem(last=False)
            return self.made[key]
