"""What approvals are tested with: a log, and gateways of a Region in this process."""

import pytest

from helpers.apps.audit import AuditLog
from tests.region.conftest import address, aws_environment, client, region, session  # noqa: F401
from tests.region.gateway.conftest import control, gateways  # noqa: F401
from tests.region.gateway.test_restart import region as region_process  # noqa: F401


@pytest.fixture
def log(tmp_path):
    return AuditLog(tmp_path / "audit.sqlite")
