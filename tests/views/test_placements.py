"""The placements as a picture, and the explorer that chooses among them."""

import nbclient
import nbformat
import pytest

from helpers import views
from helpers.placement import Placement, Routes, every, predict
from helpers.placement.capability import Choice
from helpers.placement.errors import MissingLink
from helpers.views.controls import WIDGET
from helpers.views.placements import figure_of
from tests.placement.made import LINKS, free, topology, work

MODELS = {"outpost": Choice("8B", 0), "local-zone": Choice("70B", 1), "region": Choice("large", 2)}
PRICES = {(part, place): 1.0 for part in ("agent", "model", "tools") for place in ("outpost", "local-zone", "region")}
FAR = Placement("outpost", "region", "outpost")
CELL = """from helpers import views
from tests.placement.made import topology, work
views.PlacementExplorer(topology(), work())"""


def outputs(explorer, shown):
    return [shown[key] for key in explorer._keys]


def test_a_picture_tells_each_placement_its_time_and_what_it_is_made_of():
    figure, alt = figure_of([predict(one, topology(), free(), models=MODELS, prices=PRICES) for one in every()], FAR)
    assert "Agent at outpost, model at region, tools at outpost: 1.59 s (model's own time 900 ms" in alt
    assert "link to the model 540 ms" in alt and alt.count("Agent at") == 27
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert any("1.59 s, large, $3.00/h" in text for text in texts)


def test_what_is_ruled_out_says_why():
    figure, alt = figure_of([predict(FAR, topology(), work())])
    assert "Ruled out: patient may be at outpost" in alt
    assert any("ruled out" in text.get_text() for text in figure.axes[0].texts)


def test_what_was_measured_is_a_line_in_the_bar_and_a_number_beside_it():
    one = predict(FAR, topology(), free())
    figure, alt = figure_of([one], measured={FAR: 2 * one.seconds})
    assert "measured 3.18 s." in alt and "measured" not in figure_of([one])[1]
    _, mark = figure.axes[0].lines
    bars = [bar for bar in figure.axes[0].patches if bar.get_height() == pytest.approx(0.18)]
    end = max(bar.get_x() + bar.get_width() for bar in bars)
    begin = min(bar.get_x() for bar in bars)
    assert mark.get_xdata()[0] - begin == pytest.approx(2 * (end - begin)), "on the scale of the bars"
    assert any("1.59 s, measured 3.18 s" in text.get_text() for text in figure.axes[0].texts)


def test_the_legend_has_what_is_in_the_bars_and_no_more():
    def legend(one):
        return {text.get_text() for text in figure_of([predict(one, topology(), free())])[0].axes[0].texts}

    assert "link to the model" in legend(FAR)
    assert not {"link to the model", "links to tools"} & legend(Placement("outpost", "outpost", "outpost"))


def test_no_text_leaves_the_picture_or_lies_on_a_bar():
    long = {place: Choice("a model with a name that is as long as a whole sentence " * 3, 0) for place in MODELS}
    figure, _ = figure_of([predict(one, topology(), free(), models=long) for one in every()], FAR)
    wide = figure.get_size_inches()[0] * figure.dpi
    assert all(text.get_window_extent().x1 <= wide for text in figure.axes[0].texts)


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one result of predict"):
        views.placements([])


def test_it_shows_the_chosen_placement_and_those_that_none_beats(shown):
    explorer = views.PlacementExplorer(topology(), free(), models=MODELS, prices=PRICES, placement=FAR)
    explorer._ipython_display_()
    picture, table, line = outputs(explorer, shown)
    assert "Agent at outpost, model at region" in picture.alt and picture.alt.count("Agent at") == 9
    assert {"local agents", "all in the Region"} <= set(table["pattern"]) and "USD/h" in table
    assert repr(line).startswith(
        "Agent at outpost, model at region, tools at outpost (another): 1.59 s a turn, 6 round"
    )
    assert "27 of 27 may be" in repr(line)


def test_another_choice_replaces_the_outputs(shown):
    explorer = views.PlacementExplorer(topology(), free())
    explorer._ipython_display_()
    explorer.parts["model"].value = "region"
    assert explorer.placement == FAR and "model at region" in repr(outputs(explorer, shown)[2])
    explorer.links["outpost", "region"].value = 100
    assert explorer.prediction.seconds == pytest.approx(1.05 + 6 * 0.2)
    assert set(shown) == {"controls", *explorer._keys} and "USD/h" not in outputs(explorer, shown)[1]


def test_more_answers_take_more_time_bytes_and_connections(shown):
    explorer = views.PlacementExplorer(topology(), free(at={"region": 0.3}), placement=FAR)
    explorer.answers.value = 6
    assert explorer.work.model.connections == 6 and explorer.work.model.sent == 12_000
    assert explorer.prediction.own["model"] == pytest.approx(0.6)
    explorer.calls.value = 0
    assert explorer.work.tools.round_trips == 0


def test_a_stricter_rule_rules_placements_out_and_says_why(shown):
    explorer = views.PlacementExplorer(topology(), free(), placement=FAR)
    explorer.rules["patient"].value = ("outpost",)
    picture, table, line = outputs(explorer, shown)
    assert "ruled out, because patient may be at outpost" in repr(line)
    assert list(table["pattern"]) == ["local agents"] and "Ruled out" in picture.alt
    explorer.rules["patient"].value = ()
    assert repr(outputs(explorer, shown)[1]) == ""


def test_places_that_are_not_linked_are_told_at_once():
    to_region = topology([link for link in LINKS if "oregon" in link["between"]])
    with pytest.raises(MissingLink, match="through"):
        views.PlacementExplorer(to_region, free())
    views.PlacementExplorer(Routes.of(to_region).through("region"), free(rules={"patient": ["region", "outpost"]}))


def test_a_notebook_stores_the_same_each_time_and_can_be_read_without_a_kernel():
    stored = [_run(), _run()]
    for one in stored:
        one[0]["data"].pop(WIDGET)
    assert stored[0] == stored[1]
    controls, picture, table, line = stored[0]
    assert controls["data"]["text/plain"] == (
        "Chosen: agent outpost, model outpost, tools outpost, outpost - local-zone, ms 20, outpost - region, ms 45, "
        "local-zone - region, ms 30, answers 3, calls 2, patient at outpost. Run the cell to choose anew."
    )
    assert "image/png" in picture["data"] and "local agents" in table["data"]["text/html"]
    assert "nothing crosses a link" in line["data"]["text/plain"]


def _run():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook.cells[0].outputs
