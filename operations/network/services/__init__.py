"""The utility's verbs: load a model of a feeder, approve what another person loaded, reject it; and the arrays that solvers read."""
