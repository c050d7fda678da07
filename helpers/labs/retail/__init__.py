"""The lab of a chain of stores: stock behind a gateway, forecasts from aggregates, transfers that a manager approves.

`season` invents the receipts, `store` is the program of a store, `opening` sets up sites and gateway, `hosting` calls
an MCP server where it was made, `stand_ins` play along, and checks judge: those of a store and those of the Region.
"""
