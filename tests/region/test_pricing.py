"""The prices as a Lambda function of the Region, called as AgentCore Gateway calls it."""

import base64
import json

from helpers.apps.pricing import package
from tests.region.lambdas import create


def named(tool):
    """What the gateway says of the call."""
    return base64.b64encode(json.dumps({"custom": {"bedrockAgentCoreToolName": f"pricing___{tool}"}}).encode()).decode()


def test_the_package_runs_in_the_region_and_tells_its_tools_apart(client):
    prices = create(client, "", Code={"ZipFile": package()}, Handler="pricing.handler")
    article = {"sku": "GT-201", "quantity": 2}
    assert prices(article, ClientContext=named("price"))["total_cents"] == 6980
    assert prices(article | {"group": "staff"}, ClientContext=named("discount"))["total_cents"] == 5584
    failed = prices.call({"sku": "XX-1", "quantity": 2}, ClientContext=named("price"))
    assert failed["FunctionError"] and "no article 'XX-1'" in failed["read"]["errorMessage"]
