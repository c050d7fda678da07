"""The lab of a bank: a day of transactions in one jurisdiction, from the query to an audit trail that can be verified.

`day` writes the invented records, `rules` says what is unusual, `checks` judge, `stand_ins` play the analyst.
"""
