"""A decision as Markdown: what was given, decided, considered, and what follows."""

from datetime import date

from helpers.placement import Placement, Routes, predict, record
from helpers.placement.calibration import compare
from helpers.placement.capability import Choice
from tests.placement.made import free, topology, work

HERE = Placement("outpost", "outpost", "outpost")
DAY = date(2026, 11, 30)
MODELS = {
    "outpost": Choice("8B", 0, "g4dn.xlarge", "a rack", False),
    "local-zone": Choice("70B", 1),
    "region": Choice("70B", 1),
}
PRICES = {(part, "outpost"): 1.25 for part in ("agent", "model", "tools")}


def test_a_record_has_all_parts_in_order_and_its_numbers_are_the_predictions():
    one = predict(HERE, topology(), work())
    words = {"title": "The ward's agent", "context": "Patients' data.", "reasons": ["It is fast."]}
    text = record(HERE, topology(), work(), models=MODELS, prices=PRICES, on=DAY, **words)
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert heads == [
        "# The ward's agent",
        "## Context",
        "## Decision",
        "## Numbers",
        "## Alternatives",
        "## Consequences",
    ]
    assert "- Date: 2026-11-30" in text and "Patients' data." in text and "- It is fast." in text
    assert f"**{one.seconds:.3f} s**" in text and "USD 3.75" in text
    assert "Data of the class patient may be at outpost only." in text
    assert "patient crosses no link" in text and "goes on when links are cut" in text
    assert "A more capable model, 70B, would fit at local-zone." in text
    assert "g4dn.xlarge is offered at a rack is not verified" in text
    assert "predictions only" in text and "26 are ruled out" in text


def test_a_placement_that_breaks_a_rule_says_so():
    text = record(Placement("region", "region", "outpost"), topology(), work(), on=DAY)
    assert "**This placement breaks a rule:** patient may be at outpost, and is in the model flow" in text
    assert "cut, the agent cannot reach tools and data" in text and "patient crosses a link" in text


def test_the_articles_patterns_that_are_ruled_out_say_why():
    text = record(HERE, topology(), work(), on=DAY)
    assert (
        "- distributed agents, ruled out (agent at region, model at region, tools at outpost): patient may be" in text
    )
    assert "- local agents, ruled out (agent at local-zone" in text and "another, ruled out" not in text
    assert "ruled out (" not in record(HERE, topology(), free(), on=DAY)


def test_a_placement_that_the_article_does_not_name_is_told_to_be_none_of_its_patterns():
    third = Placement("outpost", "local-zone", "outpost")
    assert "(none of the article's patterns)" in record(third, topology(), free(), on=DAY)


def test_what_was_measured_is_told_and_whether_it_agrees():
    took = {HERE: predict(HERE, topology(), free()).seconds}
    good = record(HERE, topology(), free(), compared=compare(took, topology(), free()), on=DAY)
    assert "1 placements were run; predictions are within 20%" in good
    bad = record(HERE, topology(), free(), compared=compare({HERE: 9.0}, topology(), free()), on=DAY)
    assert "are **not** within 20%" in bad


def test_where_all_are_ruled_out_the_first_reason_is_told():
    text = record(HERE, topology(), work(rules={"patient": []}), on=DAY)
    assert "All 27 placements are ruled out" in text and "patient may be at nowhere" in text


def test_what_people_write_does_not_break_the_markdown():
    text = record(HERE, Routes.of(topology()), work(), title="One\n# two", status="a\nb", on=DAY)
    assert text.startswith("# One # two\n") and "- Status: a b\n" in text
    models = {place: Choice("a|b", 0) for place in ("outpost", "local-zone", "region")}
    rows = [line for line in record(HERE, topology(), work(), models=models, on=DAY).splitlines() if "a\\|b" in line]
    assert rows and all(row.replace("\\|", "").count("|") in (3, 9) for row in rows)
