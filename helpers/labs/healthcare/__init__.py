"""The lab of a hospital on two campuses: from the record to a referral, and a proof that no patient's identity left.

`ward` writes the invented records, `stand_ins` play models and documents, `peers` the other campus.
Checks are in `record_checks`, `round_checks` and `boundary_checks`. `model` is a scripted model, a program of a site.
"""
