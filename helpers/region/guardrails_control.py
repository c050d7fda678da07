"""The control plane of Bedrock Guardrails, as actions of moto's Bedrock, which has none of it."""

from collections.abc import Callable

from moto.bedrock import urls
from moto.bedrock.responses import BedrockResponse
from moto.core.responses import ActionResult, EmptyResult

from helpers.region.checks import Checked
from helpers.region.errors import Conflict, ValidationError
from helpers.region.guardrail_policies import check
from helpers.region.guardrails import DRAFT, Guardrails, Json, guardrails

TOKEN = "clientRequestToken"  # noqa: S105 - a member's name
LISTED = ("name", "description", "version", "status", "createdAt", "updatedAt")
PAGE = 100


class GuardrailControl(Checked, BedrockResponse):  # type: ignore[misc]
    """The actions, beside moto's own."""

    def __init__(self) -> None:
        super().__init__()
        self.automated_parameter_parsing = True

    @classmethod
    def register(cls) -> None:
        """Answer for all of Bedrock that moto does not name."""
        urls.url_paths = urls.url_paths | {"{0}/.*$": cls.dispatch}

    @property
    def guardrails(self) -> Guardrails:
        """What is kept."""
        return guardrails(self.current_account, self.region)

    def create_guardrail(self) -> ActionResult:
        """A guardrail, with its draft."""
        check(self.params)
        return ActionResult(self._once(self._create))

    def get_guardrail(self) -> ActionResult:
        """The draft, or the version that is asked for."""
        found = self.guardrails.find(self.params["guardrailIdentifier"])
        return ActionResult(found.version(self.params.get("guardrailVersion") or DRAFT))

    def update_guardrail(self) -> ActionResult:
        """Another draft; versions stay."""
        check(self.params)
        told = self.guardrails.update(self.params["guardrailIdentifier"], self.params)
        return ActionResult({name: told[name] for name in ("guardrailId", "guardrailArn", "version", "updatedAt")})

    def delete_guardrail(self) -> EmptyResult:
        """A version, or all of it."""
        self.guardrails.delete(self.params["guardrailIdentifier"], self.params.get("guardrailVersion"))
        return EmptyResult()

    def create_guardrail_version(self) -> ActionResult:
        """The draft as it is now, under a number."""
        return ActionResult(self._once(self._freeze))

    def list_guardrails(self) -> ActionResult:
        """The drafts of all, or all versions of one."""
        if identifier := self.params.get("guardrailIdentifier"):
            found = list(self.guardrails.find(identifier).versions.values())
        else:
            found = [guardrail.versions[DRAFT] for guardrail in self.guardrails.known.values()]
        first = self._first(len(found))
        last = first + int(self.params.get("maxResults") or PAGE)
        more = {"nextToken": str(last)} if last < len(found) else {}
        return ActionResult({"guardrails": [_summary(told) for told in found[first:last]]} | more)

    def _create(self) -> Json:
        guardrail = self.guardrails.create(self.params)
        if tags := self.params.get("tags"):
            kept = [{"Key": tag["key"], "Value": tag["value"]} for tag in tags]
            self.bedrock_backend.tagger.tag_resource(guardrail.arn, kept)
        told = {"guardrailId": guardrail.id, "guardrailArn": guardrail.arn}
        return told | {"version": DRAFT, "createdAt": guardrail.created}

    def _freeze(self) -> Json:
        guardrail = self.guardrails.find(self.params["guardrailIdentifier"])
        return {"guardrailId": guardrail.id, "version": guardrail.freeze(self.params.get("description"))}

    def _once(self, act: Callable[[], Json]) -> Json:
        """The answer of `act`; the first one, if the request came before: its client had not heard it."""
        token = self.params.get(TOKEN)
        if token is None:
            return act()
        before = self.guardrails.tokens.get(token)
        if before and before[0] != self.params:
            raise Conflict(f"The {TOKEN} was used before, with another request. Give each request its own.")
        answer = before[1] if before else act()
        self.guardrails.tokens[token] = (dict(self.params), answer)
        return answer

    def _first(self, most: int) -> int:
        token = self.params.get("nextToken") or "0"
        if not (token.isascii() and token.isdigit() and int(token) <= most):
            raise ValidationError("The nextToken is none that was given here. Ask without it for the first page.")
        return int(token)


def _summary(told: Json) -> Json:
    kept = {name: told[name] for name in LISTED if name in told}
    return {"id": told["guardrailId"], "arn": told["guardrailArn"]} | kept
