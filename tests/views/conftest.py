import pytest

from helpers.views import controls, picture


@pytest.fixture(autouse=True)
def nothing_drawn_before(monkeypatch):
    monkeypatch.setattr(picture, "_worn", {})


@pytest.fixture
def shown(monkeypatch):
    """What was displayed last, by the place of its output."""
    now = {}

    def show(content, *, display_id=None, raw=False):
        now[display_id or "controls"] = content

    monkeypatch.setattr(controls, "display", show)
    monkeypatch.setattr(controls, "update_display", show)
    return now
