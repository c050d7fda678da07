import copy

import pytest

from helpers.settings.settings import ROOT
from tests.infra.kustomize import render

OVERLAYS = ROOT / "infra/kubernetes/overlays"
SITES = sorted(path.name for path in OVERLAYS.iterdir())


@pytest.fixture(scope="session")
def rendered_once():
    return {site: render(OVERLAYS / site) for site in SITES}


@pytest.fixture(params=SITES)
def site(request):
    """A kind of site that has an overlay."""
    return request.param


@pytest.fixture
def manifests(rendered_once, site):
    """The manifests of that site; a test may spoil them."""
    return copy.deepcopy(rendered_once[site])
