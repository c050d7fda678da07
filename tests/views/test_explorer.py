"""The explorer shows what is chosen, with a kernel and without."""

import nbclient
import nbformat

from helpers import views
from helpers.sizing.memory import needs
from helpers.sizing.places import holds, smallest
from helpers.views.controls import WIDGET
from helpers.views.explorer import Explorer

CELL = "from helpers import views\nviews.Explorer(model='Qwen2.5-7B', scheme='AWQ')"


def outputs(explorer, shown):
    return [shown[key] for key in explorer._keys]


def test_it_shows_the_memory_and_who_has_it(shown):
    explorer = Explorer("Qwen2.5-7B", "AWQ", 8192, 4)
    explorer._ipython_display_()
    picture, table, line = outputs(explorer, shown)
    memory = needs("Qwen2.5-7B", "AWQ", 8192, 4, "vllm")
    assert picture.alt == views.memory(memory).alt
    assert list(table["instance"]) == list(smallest(holds(memory))["instance"])
    assert "g4dn.xlarge" in set(table["instance"]) and "g4dn.2xlarge" not in set(table["instance"])
    assert f"all {len(explorer.table)} rows" in repr(line)


def test_another_choice_replaces_the_outputs(shown):
    explorer = Explorer("Qwen2.5-7B", "AWQ")
    explorer._ipython_display_()
    before = outputs(explorer, shown)[0].alt
    explorer.context.value = 32768
    explorer.parallel.value = 32
    assert outputs(explorer, shown)[0].alt != before
    assert explorer.memory.context == 32768 and explorer.memory.parallel == 32
    assert set(shown) == {"controls", *explorer._keys}


def test_another_engine_offers_its_own_schemes(shown):
    explorer = Explorer("Llama-3.1-8B", "FP8")
    assert "Q4_K_M" not in explorer.scheme.options
    explorer.engine.value = "llama.cpp"
    assert "Q4_K_M" in explorer.scheme.options and "FP8" not in explorer.scheme.options
    assert explorer.memory.scheme == "Q4_K_M" and "Q4_K_M" in outputs(explorer, shown)[0].alt
    explorer.scheme.value = "Q8_0"
    assert "Q8_0" in outputs(explorer, shown)[0].alt


def test_another_model_offers_contexts_that_it_was_trained_for(shown):
    explorer = Explorer("Llama-3.1-8B", "FP8", context=131072)
    assert explorer.memory.context == 131072
    explorer.model.value = "Llama-2-7B"
    assert explorer.memory.context == 4096 and explorer.memory.shape.name == "Llama-2-7B"
    explorer.model.value = "Llama-3.1-8B"
    assert explorer.memory.context == 4096, "what was chosen stays"


def test_where_nothing_holds_it_the_reason_is_shown(shown):
    explorer = Explorer("Llama-3.3-70B", "BF16", 131072, 256)
    explorer._ipython_display_()
    _, table, line = outputs(explorer, shown)
    assert repr(table) == "" and "Take fewer bits" in repr(line)


def test_a_fault_is_a_line_and_no_trace(shown, tmp_path):
    explorer = Explorer("Llama-3.1-8B", "FP8", models=[str(tmp_path / "gone.gguf")])
    explorer.model.value = str(tmp_path / "gone.gguf")
    picture, _, line = outputs(explorer, shown)
    assert repr(picture) == "" and "Give the path of a GGUF file" in repr(line)


def test_a_notebook_stores_the_same_each_time_and_can_be_read_without_a_kernel():
    """As nbval compares it, which leaves out the widget's own part, and as GitHub shows it."""
    stored = [_run(), _run()]
    for one in stored:
        one[0]["data"].pop(WIDGET)
    assert stored[0] == stored[1]
    controls, picture, table, line = stored[0]
    assert controls["data"]["text/plain"] == (
        "Chosen: model Qwen2.5-7B, engine vllm, scheme AWQ, context 8192, requests 8. Run the cell to choose anew."
    )
    assert "image/png" in picture["data"]
    assert "g7e.2xlarge" in table["data"]["text/html"] and "g7e.2xlarge" in table["data"]["text/plain"]
    assert "rows are in explorer.table" in line["data"]["text/plain"]


def _run():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook.cells[0].outputs
