"""The demonstration state: New Jersey as Form EIA-861 saw it in 2018.

Totals by utility, sector and technology are real and exact; every individual record is generated from a fixed seed and describes
nobody. `newjersey` reads the published figures, `parties` names who takes part, `sites` lays the customers out on an invented grid,
`generate` writes the rows that the aggregators file. None of it touches the database. Source and licence: data/SOURCE.md.
"""
