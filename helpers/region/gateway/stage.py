"""Targets that are stages of a REST API of API Gateway, whose calls are carried out by this Region itself."""

from dataclasses import replace

from moto.apigateway.models import RestAPI, apigateway_backends
from moto.core import DEFAULT_ACCOUNT_ID

from helpers.region.cloud import REGION
from helpers.region.gateway import api_gateway
from helpers.region.gateway.masking import Mask
from helpers.region.gateway.operations import BadTarget, Operation, Request
from helpers.region.gateway.resources import Target
from helpers.region.gateway.rest import Rest
from helpers.region.gateway.stages import execute


class ApiStage(Rest):
    """The kind of target."""

    async def found(self, target: Target) -> list[Operation]:
        """The methods of the stage that the target's filters choose.

        Raises:
            BadTarget: there is no such API or stage, or the filters do not fit it.
        """
        given = target.configuration
        return api_gateway.operations(self._api(target), given["stage"], given["apiGatewayToolConfiguration"])

    async def ask(self, target: Target, request: Request) -> tuple[int, str]:
        """Status and text of the stage's answer."""
        url, shown = await self.reach.outbound.headers(
            target.credentials, request.method, request.url, request.headers, request.content or b""
        )
        signed = replace(request, url=url, headers=request.headers | shown)
        answer = await execute(self._api(target), target.configuration["stage"], signed, self.aws.invoke)
        mask = Mask.of(request.url, url, shown)
        return answer.status, mask.body(answer.content).decode(errors="replace")

    def _api(self, target: Target) -> RestAPI:
        found = apigateway_backends[DEFAULT_ACCOUNT_ID][REGION].apis.get(target.configuration["restApiId"])
        if found is None:
            raise BadTarget([f"There is no REST API {target.configuration['restApiId']} in {REGION}."])
        return found
