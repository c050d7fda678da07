"""Spans become trees, whatever their links to parents are worth."""

from dataclasses import replace

from helpers.tracing.tree import CIRCLE, MISSING, trees, walk
from tests.tracing.traces import GATEWAY, Maker, chain, question


def names(roots):
    return [node.span.name for node in walk(roots)]


def linked(parents):
    """Spans named by a letter that begin one after the other, each with the parent that is named."""
    make = Maker()
    ids = {name: make(GATEWAY, name, n, 1).span_id for n, name in enumerate(parents)}
    return [replace(span, parent_id=ids.get(parents[span.name], "")) for span in make.spans]


def test_children_are_below_their_parent_by_start_in_whatever_order_they_arrive():
    spans = linked({"a": "", "b": "d", "c": "a", "d": "a"})
    assert names(trees(spans)) == names(trees(reversed(spans))) == ["a", "c", "d", "b"]
    assert [root.lost for root in trees(spans)] == [""]


def test_a_span_whose_parent_is_not_there_is_a_root_that_says_so():
    whole = question()
    roots = trees(whole[1:])
    assert {root.lost for root in roots} == {MISSING} and len(roots) == len(trees(whole)[0].children)


def test_a_parent_of_another_trace_is_none():
    one, other = Maker(1), Maker(2)
    root = one(GATEWAY, "a", 0, 2)
    assert [node.lost for node in trees([root, other(GATEWAY, "b", 1, 1, root)])] == ["", MISSING]


def test_circles_are_opened_above_their_earliest_span_and_lose_nothing():
    spans = linked({"a": "c", "b": "a", "c": "b", "d": "c", "self": "self", "root": ""})
    roots = trees(spans)
    assert [(root.span.name, root.lost) for root in roots] == [("a", CIRCLE), ("self", CIRCLE), ("root", "")]
    assert names(roots) == ["a", "b", "c", "d", "self", "root"]


def test_what_hangs_on_a_circle_and_is_earlier_than_it_stays_below_it():
    assert names(trees(linked({"a": "b", "b": "c", "c": "b"}))) == ["b", "a", "c"]


def test_a_span_that_arrives_twice_is_there_once():
    spans = question()
    assert names(trees([*spans, *spans])) == names(trees(spans))


def test_a_trace_may_be_deeper_than_the_stack():
    assert len(names(trees(chain(5000)))) == 5000
