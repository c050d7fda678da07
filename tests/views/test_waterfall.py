"""A waterfall has a row for each span, by one clock, and says what it leaves out; the table has the same rows."""

import io
import warnings
from dataclasses import replace

import matplotlib.image
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from helpers import views
from helpers.views import picture, waterfall
from helpers.views.rows import FEW, MOST, rows
from tests.tracing.traces import (
    AGENT,
    GATEWAY,
    MS,
    ORCHESTRATOR,
    STOCK,
    TELEMETRY,
    Maker,
    chain,
    many,
    question,
    unconnected,
)
from tests.views.looking import defects, texts

SKEWED = {"falkenried": -120_000, "bergedorf": 45_000}
HOSTILE = ["$\\frac{", "$x$", "<b>a</b>", "a\x00\x1b[31m\n\nb", "x" * 10_000, "\u202eb", "🦆😀漢字", "", "  "]


def drawn(spans, **given):
    return texts(waterfall.figure_of(spans, **given)[0])


def bars(spans):
    figure, _ = waterfall.figure_of(spans)
    every = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    return [patch for patch in every if patch.get_height() == waterfall.BAR]


def small():
    """A question, a tool that is at a store and fails, and a model there."""
    make = Maker()
    root = make(ORCHESTRATOR, "ask", 0, 1500)
    call = make(ORCHESTRATOR, "POST /mcp", 100, 1000, root, kind="CLIENT")
    serve = make(STOCK, "tools/call", 150, 900, call, error="ToolError", events=[("approval.asked", 200), ("log", 1)])
    make.chat(STOCK, "qwen3", 300, 250, serve, (312, 24))
    return make.spans


def test_the_table_has_a_row_for_each_span_below_the_one_that_caused_it():
    found = views.trace_table(small())
    assert found.columns.tolist() == [
        *("span", "site", "service", "start_ms", "ms", "tokens_in", "tokens_out", "status", "notes")
    ]
    assert found.astype(object).where(found.notna(), None).to_numpy().tolist() == [
        ["ask", "oregon", "orchestrator", 0.0, 1500.0, None, None, "UNSET", ""],
        ["  POST /mcp", "oregon", "orchestrator", 100.0, 1000.0, None, None, "UNSET", ""],
        ["    tools/call", "falkenried", "stock", 150.0, 900.0, None, None, "ERROR", "error ToolError; approval.asked"],
        ["      chat qwen3", "falkenried", "stock", 300.0, 250.0, 312, 24, "UNSET", ""],
    ]


def test_the_picture_says_the_same_and_the_process_where_it_changes():
    figure, alt = waterfall.figure_of(small(), title="One question")
    assert texts(figure) == [
        *("One question", "falkenried", "oregon", "approval"),
        *("0 s", "0.25 s", "0.5 s", "0.75 s", "1 s", "1.25 s", "1.5 s"),
        *("ask", "oregon/orchestrator", "1.5 s", "POST /mcp", "1 s"),
        *("tools/call", "falkenried/stock", "900 ms  error ToolError", "chat qwen3", "250 ms  312→24 tokens"),
    ]
    assert alt == (
        "A trace of 4 spans. Sites: falkenried, oregon. 1 with errors. views.trace_table has the rows as text."
    )
    assert views.trace(small()).data.startswith(b"\x89PNG") and views.trace(small()).width == 1000


def test_a_bar_lies_where_its_span_was_and_is_outlined_in_red_when_it_failed():
    widths = [bar.get_width() for bar in bars(small())]
    assert widths == pytest.approx([5.75, 5.75 / 1.5, 5.75 * 0.6, 5.75 / 6])
    starts = [bar.get_x() - waterfall.LEFT for bar in bars(small())]
    assert starts == pytest.approx([0, 5.75 / 15, 5.75 / 10, 5.75 / 5])
    red = picture.to_rgb(picture.ERROR)
    assert [bar.get_edgecolor()[:3] == red for bar in bars(small())] == [False, False, True, False]


def test_sites_are_told_apart_by_seven_colours_and_one_for_all_others():
    make = Maker()
    root = make(("site 0", "a"), "r", 0, 100)
    for n in range(1, 12):
        make((f"site {n:02}", "a"), "s", n, 1, root)
    colours = {bar.get_facecolor() for bar in bars(make.spans)}
    assert len(colours) == 8 and "5 more sites" in drawn(make.spans)


def test_a_site_keeps_its_colour_in_later_pictures():
    first, second = picture.colours({"oregon", "campus-a", "los-angeles"}), picture.colours({"oregon", "berlin"})
    assert second["oregon"] == first["oregon"] and second["berlin"] not in first.values()
    assert picture.colours({"los-angeles"}) == {"los-angeles": first["los-angeles"]}


def test_two_sites_that_had_one_colour_are_told_apart_where_they_meet():
    many = [f"site {n}" for n in range(14)]
    alone = [picture.colours({site})[site] for site in many]
    assert alone[0] == alone[7] and picture.OTHERS not in alone
    assert len({*picture.colours({many[0], many[7]}).values()}) == 2


def test_a_legend_that_is_too_long_for_a_line_goes_on_below():
    make = Maker()
    root = make(("site 0", "a"), "r", 0, 100)
    for n in range(7):
        make((f"a site with a long name {n}", "a"), "s", n, 1, root)
    assert defects(waterfall.figure_of(make.spans)[0]) == ([], [], [])


def test_a_wrong_clock_is_put_right_and_told_where_a_site_is_entered():
    right, wrong = (views.trace_table(question(clocks)) for clocks in ({}, SKEWED))
    assert list(wrong["span"]) == list(right["span"])
    assert (wrong["start_ms"] - right["start_ms"]).abs().max() <= 5, "off by half a link's asymmetry at most"
    told = wrong[wrong["notes"].str.contains("clock")]
    assert list(zip(told["site"], told["notes"], strict=True)) == [
        ("falkenried", "clock −2 min"),
        ("falkenried", "clock −2 min"),
        ("bergedorf", "error TimeoutError; clock +45 s"),
        ("falkenried", "clock −2 min"),
    ]
    assert not right["notes"].str.contains("clock").any()


def test_events_move_with_the_clock_of_their_span():
    approval = next(row for row in rows(question(SKEWED)) if row.name.startswith("approve"))
    assert [at - approval.start for _, at in approval.marks] == [10 * MS, 1270 * MS]


def test_traces_that_are_not_connected_are_drawn_one_below_the_other_with_a_line_between():
    found = views.trace_table(unconnected())
    assert list(found["span"]) == ["invoke_agent orchestrator", "  POST /mcp", "tools/call stock_of", "  SELECT stock"]
    assert list(found["notes"]) == ["", "", "not connected", ""]
    assert list(found["start_ms"]) == [0, 100, 140, 150]
    assert drawn(unconnected()).count("not connected") == 1
    assert waterfall.figure_of(unconnected())[1].count("2 parts that are not connected") == 1


def test_traces_far_apart_each_begin_at_zero_and_say_how_far():
    spans = unconnected({"falkenried": -120_000})
    assert "not connected, 2 min later" in drawn(spans)
    assert min(bar.get_width() for bar in bars(spans)) > 1
    assert views.trace_table(spans)["start_ms"].max() == 119960, "the table has the times that the clocks had"


def test_a_span_whose_parent_is_missing_says_so():
    spans = [span for span in small() if span.name != "POST /mcp"]
    assert list(views.trace_table(spans)["notes"]) == [
        *("", "not connected; error ToolError; parent missing; approval.asked", "")
    ]
    assert "900 ms  error ToolError  parent missing" in drawn(spans)


def test_parents_in_a_circle_are_drawn_once():
    root, call, serve, chat = small()
    found = views.trace_table([root, replace(call, parent_id=chat.span_id), serve, chat])
    assert [name.strip() for name in found["span"]] == ["ask", "POST /mcp", "tools/call", "chat qwen3"]
    assert found["notes"][1] == "not connected; parents in a circle"


def test_up_to_sixty_rows_nothing_is_folded_and_beyond_siblings_of_a_name_share_a_row():
    assert len(views.trace_table(many(FEW))) == FEW
    found = views.trace_table(many(FEW + 1))
    assert list(found["span"]) == [
        "invoke_agent orchestrator",
        *["  chat", "    SELECT stock"] * 3,
        "  … 27 more of chat, 405 ms",
    ]
    assert found["ms"].iloc[-1] == 405 and found["start_ms"].iloc[-1] == 60


def test_what_is_folded_still_tells_its_errors_and_tokens():
    make = Maker()
    root = make(ORCHESTRATOR, "ask", 0, 1000)
    for n in range(70):
        make.chat(AGENT, "qwen3", n * 10, 5, root, (100, 10))
    make(AGENT, "failed", 691, 1, make.spans[-1], error="Timeout")
    last = views.trace_table(make.spans).iloc[-1]
    assert (last["tokens_in"], last["tokens_out"], last["status"], last["notes"]) == (6700, 670, "ERROR", "1 error")
    assert "6700→670 tokens  1 error" in drawn(make.spans)


def test_siblings_of_different_sites_are_not_folded_together():
    make = Maker()
    root = make(ORCHESTRATOR, "ask", 0, 1000)
    for n in range(70):
        make(STOCK if n % 2 else TELEMETRY, "tools/call", n * 10, 5, root)
    folded = [name for name in views.trace_table(make.spans)["span"] if "…" in name]
    assert folded == ["  … 32 more of tools/call, 160 ms"] * 2


def test_many_traces_of_one_name_are_folded_as_well():
    spans = [Maker(n)(ORCHESTRATOR, "ask", n * 1000, 10) for n in range(1, 101)]
    assert list(views.trace_table(spans)["span"]) == ["ask"] * 3 + ["… 97 more of ask, 970 ms"]
    assert len(bars(spans)) == 3, "those folded are far apart, and would be a bar of all that time"


@pytest.mark.parametrize("spans", [many(2000, names=999), chain(2000)], ids=["wide", "deep"])
def test_two_thousand_spans_are_never_more_than_two_hundred_rows(spans):
    found = views.trace_table(spans)
    assert len(found) == MOST and found["span"].iloc[-1] == "… 1,801 more spans"
    assert sum(row.spans for row in rows(spans)) == 2000
    assert waterfall.figure_of(spans)[0].get_size_inches()[1] < 60


def test_errors_among_what_is_left_out_are_told():
    assert views.trace_table(many(2000, names=999))["notes"].iloc[-1] == "9 errors"


def test_what_is_hidden_leaves_its_children_to_its_parent():
    assert list(views.trace_table(small(), hide=["POST *"])["span"]) == ["ask", "  tools/call", "    chat qwen3"]
    assert list(views.trace_table(small(), hide="*a*")["span"]) == ["ask", "  POST /mcp"]
    assert "POST /mcp" not in drawn(small(), hide=["POST *"])
    of_scope = [replace(span, scope="asgi" if span.name == "POST /mcp" else "") for span in small()]
    assert len(views.trace_table(of_scope, hide=["asgi"])) == 3


def test_a_root_is_hidden_only_with_all_that_is_below_it():
    alone = Maker(2)(GATEWAY, "GET /health", 3000, 1)
    assert views.trace_table([*small(), alone], hide=["ask", "GET *"])["span"][0] == "ask"
    assert len(views.trace_table([*small(), alone], hide=["ask", "GET *"])) == 4


@pytest.mark.parametrize("show", [views.trace, views.trace_table, views.map, views.map_table])
def test_no_spans_are_refused_with_the_remedy(show):
    with pytest.raises(ValueError, match=r"no spans to show\. Run what is traced first, and wait"):
        show([])


@pytest.mark.parametrize("show", [views.trace, views.map])
def test_a_picture_has_a_ground_of_its_own_so_that_it_can_be_read_in_the_dark_theme(show):
    pixels = matplotlib.image.imread(io.BytesIO(show(small()).data), format="png")
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.min() == 1, "white"
    assert pixels.shape[2] == 3 or pixels[..., 3].min() == 1, "and nothing shines through"


def test_hiding_all_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"All 4 spans are hidden by \['\*'\]\. Name less in `hide`"):
        views.trace(small(), hide=["*"])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_drawn_as_it_is_on_one_line_within_its_room(text):
    make = Maker()
    root = make((text, text), text, 0, 100)
    make((text + "2", text), text, 90, 10, root, error=text, events=[("approval." + text, 95)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of signs that its font lacks
        assert views.trace(make.spans, title=text).data.startswith(b"\x89PNG")
        assert views.map(make.spans).data.startswith(b"\x89PNG")
    shown = [*drawn(make.spans, title=text), *(" ".join(row.name.split()) for row in rows(make.spans))]
    assert all(each.isprintable() for each in shown)
    found = views.trace_table(make.spans)
    assert all(
        each.isprintable() and len(each) < 400 for name in ("span", "site", "service", "notes") for each in found[name]
    )


@pytest.mark.parametrize("name", ["long " * 40, "W" * 300, "x"])
def test_text_is_neither_cut_off_nor_over_other_text_nor_too_small(name):
    longer = [replace(span, trace_id="f" * 32, name=name, site=name[:90]) for span in question()]
    figure, _ = waterfall.figure_of([*question(SKEWED), *longer], title="W" * 300)
    assert defects(figure) == ([], [], [])


@pytest.mark.parametrize("value", ["12", None, True, -1, 2**70, 1.5, [3]])
def test_what_is_no_count_of_tokens_is_left_out(value):
    span = Maker()(AGENT, "chat", 0, 1, gen_ai__usage__input_tokens=value, gen_ai__usage__output_tokens=7)
    assert views.trace_table([span])["tokens_in"].isna().all() and "1 ms  7 tokens out" in drawn([span])


def test_a_span_that_took_no_time_or_less_can_be_drawn():
    span = Maker()(AGENT, "chat", 5, 0)
    assert views.trace_table([replace(span, end=span.start - 5 * MS)])["ms"].tolist() == [0]
    assert views.trace([span]).data.startswith(b"\x89PNG")


def test_the_same_spans_in_any_order_give_the_same_picture():
    spans = question(SKEWED)
    assert views.trace(spans).data == views.trace(spans[::-1]).data != views.trace(spans[:-1]).data
    pd.testing.assert_frame_equal(views.trace_table(spans), views.trace_table(spans[::-1]))


def test_events_of_other_kinds_or_without_a_time_are_not_marked():
    span = Maker()(AGENT, "chat", 5, 10, events=[("exception", 6), ("link.cut", 7)])
    bad = ({"name": "approval.asked"}, {"name": "link.cut", "time": "now"}, {"time": 3}, {})
    assert [row.marks for row in rows([replace(span, events=span.events + bad)])] == [
        (("link.cut", span.start + 2 * MS),)
    ]
