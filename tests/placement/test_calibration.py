"""A prediction is held against measurements, and fitted to them; here the measurements are made."""

import pytest

from helpers.placement import Placement, every, predict
from helpers.placement.calibration import agrees, calibrate, compare
from helpers.placement.errors import OutOfRange, TooFewRuns
from tests.placement.made import free, topology, work

FOUR = [
    Placement("outpost", "outpost", "outpost"),
    Placement("region", "region", "region"),
    Placement("outpost", "region", "outpost"),
    Placement("outpost", "outpost", "local-zone"),
]


def measured(placements, of):
    return {one: predict(one, topology(), of).seconds for one in placements}


def test_the_ratio_is_of_predicted_to_measured_and_a_fifth_more_does_not_agree():
    took = measured(FOUR, free())
    assert agrees(compare(took, topology(), free()), 0.001)
    slower = {one: seconds / 1.21 for one, seconds in took.items()}
    table = compare(slower, topology(), free())
    assert list(table["ratio"]) == [1.21] * 4 and not agrees(table)
    assert agrees(table.assign(ratio=[0.81, 1.19, 1, 1])) and not agrees(table.assign(ratio=[0.79, 1, 1, 1]))


def test_four_runs_tell_round_trips_that_spans_did_not_show():
    true = free(seconds=0.3)
    believed = free(
        seconds=0.0, model=work().model.__class__(3, sent=6_000, received=1_500, seconds=0.9, classes="patient")
    )
    took = measured(every(), true)
    assert not agrees(compare(took, topology(), believed))
    fitted = calibrate({one: took[one] for one in FOUR}, topology(), believed)
    assert fitted.model.connections == pytest.approx(3) and fitted.tools.round_trips == pytest.approx(2)
    assert fitted.seconds == pytest.approx(0.3)
    assert agrees(compare(took, topology(), fitted), 0.001), "also of the 23 that were not run"


def test_runs_that_do_not_tell_the_unknowns_apart_are_refused():
    with pytest.raises(TooFewRuns, match="3 placements tell 3 of four"):
        calibrate(measured(FOUR[:3], free()), topology(), free())
    with pytest.raises(TooFewRuns, match="0 placements"):
        calibrate({}, topology(), free())
    with pytest.raises(TooFewRuns, match="Nothing was measured"):
        compare({}, topology(), free())


def test_a_measurement_that_is_no_length_of_time_is_refused():
    with pytest.raises(OutOfRange, match="what was measured of agent at outpost"):
        compare({FOUR[0]: -1.0}, topology(), free())
