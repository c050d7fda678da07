"""The kinds of targets, by the names that boto3 has for them."""

from functools import partial

from helpers.region.cloud import REGION
from helpers.region.gateway import openapi, smithy
from helpers.region.gateway.aws import Aws
from helpers.region.gateway.exchange import Kind
from helpers.region.gateway.function import LambdaFunction
from helpers.region.gateway.mcp_server import McpServer
from helpers.region.gateway.reach import Reach
from helpers.region.gateway.rest import Document
from helpers.region.gateway.stage import ApiStage


def kinds(aws: Aws, reach: Reach) -> dict[str, Kind]:
    """All kinds that are part of what a gateway offers over MCP."""
    return {
        "mcpServer": McpServer(aws, reach),
        "lambda": LambdaFunction(aws),
        "openApiSchema": Document(aws, reach, openapi.operations),
        "smithyModel": Document(aws, reach, partial(smithy.operations, region=REGION), smithy.signing_name),
        "apiGateway": ApiStage(aws, reach),
    }
