"""The picture of a model's memory shows each part, and tells it to those who cannot see it."""

import pytest

from helpers import views
from helpers.sizing.memory import needs
from helpers.views.memory import MOST, PARTS, figure_of
from tests.views.looking import defects, texts

SOME = [
    needs("Qwen2.5-1.5B", "Q4_K_M", 16384, engine="endpoint"),
    needs("Llama-3.3-70B", "FP8", 8192, 8, "vllm"),
    needs("Qwen2.5-0.5B", "AWQ", 512, 1, "vllm"),
]


def test_each_part_is_drawn_named_and_told():
    figure, alt = figure_of(SOME, "Three models")
    assert {"weights", "weights, repacked", "keys and values", "process", "earlier prompts"} <= set(texts(figure))
    assert "Three models" in texts(figure)
    assert "90.22 GiB" in texts(figure) and "67.67 GiB" in texts(figure)
    for memory in SOME:
        assert f"{memory.shape.name} {memory.scheme}" in texts(figure)
        assert f"{memory.shape.name} in {memory.scheme} on {memory.engine.name}" in alt


def test_a_part_has_the_same_colour_in_all_pictures():
    def colour(given, number):
        return figure_of(given)[0].axes[0].patches[number].get_facecolor()

    assert colour(SOME[0], 2) == colour(SOME[1], 1), "keys and values, with and without repacked weights"
    assert {part.name for one in SOME for part in (*one.parts, *one.growth)} == set(PARTS)


def test_bars_are_as_long_as_their_bytes():
    figure, _ = figure_of(SOME[:2])
    bars = [patch.get_width() for patch in figure.axes[0].patches][8:]  # the first are the legend's
    parts = [part.bytes for one in SOME[:2] for part in (*one.parts, *one.growth)]
    assert len(bars) == len(parts)
    scale = max(bars) / max(parts)
    assert bars == pytest.approx([size * scale for size in parts])


@pytest.mark.parametrize("given", [SOME, SOME[0], SOME[1:2], SOME * 10])
def test_all_text_can_be_read(given):
    assert defects(figure_of(given, "What the memory goes to, " * 10)[0]) == ([], [], [])


def test_a_hostile_name_is_drawn_as_it_is(tmp_path):
    from dataclasses import replace

    name = "$\\frac{1}{2}$ <b>" + "x" * 500
    hostile = replace(SOME[0], shape=replace(SOME[0].shape, name=name))
    assert defects(figure_of(hostile)[0]) == ([], [], [])


def test_the_picture_is_a_png_with_a_text():
    picture = views.memory(SOME)
    assert picture.data.startswith(b"\x89PNG") and picture.alt == figure_of(SOME)[1]


def test_no_more_bars_than_can_be_looked_at():
    assert len([text for text in texts(figure_of(SOME * 20)[0]) if text.startswith("Llama")]) <= MOST


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        views.memory([])
