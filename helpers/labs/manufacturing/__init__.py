"""The lab of two factories: quality control at the edge, correlation in the Region, and a stop that a person approves.

`plants` invents the telemetry, `rules` say what is right, `checks` judge; `driving` and `stand_ins` play along on the
learner's side, `peers` on the judge's. `program` is what runs at a factory: the learner's own cells.
"""
