"""How often a trial asks: in rounds, as long as the machine lets a turn be faster than before."""

from helpers.placement import Placement
from helpers.placement.trial import Trial

HERE = Placement("outpost", "outpost", "outpost")
FAR = Placement("outpost", "region", "outpost")


class Scripted(Trial):
    """Its turns take what a list says, by placement; the last number again when the list is over."""

    def __init__(self, **takes):
        self.takes, self.asked, self.loaded = {HERE: takes["here"], FAR: takes.get("far", [2])}, [], set()

    def load(self, agents=()):
        self.loaded |= set(agents)

    def turn(self, placement, question=""):
        before = self.asked.count(placement)
        self.asked.append(placement)
        return self.takes[placement][min(before, len(self.takes[placement]) - 1)]


def test_the_fastest_turn_of_each_counts_and_agents_are_loaded_before():
    trial = Scripted(here=[1.02, 1, 1.5], far=[3, 2.2, 2.15])
    assert trial.measure([HERE, FAR]) == {HERE: 1, FAR: 2.15}
    assert trial.loaded == {"outpost"}


def test_placements_take_turns_so_that_the_machine_is_the_same_for_all():
    trial = Scripted(here=[1])
    trial.measure([HERE, FAR], rounds=3)
    assert trial.asked == [HERE, FAR] * 3


def test_there_are_more_rounds_while_a_turn_gets_faster_by_a_twentieth():
    trial = Scripted(here=[8, 6, 4, 2, 1.95])
    assert trial.measure([HERE, FAR], rounds=2)[HERE] == 1.95
    assert trial.asked.count(HERE) == 5


def test_there_are_no_more_rounds_than_allowed():
    trial = Scripted(here=[2**-n for n in range(20)])
    assert trial.measure([HERE], rounds=2, most=4)[HERE] == 1 / 8
    assert len(trial.asked) == 4
