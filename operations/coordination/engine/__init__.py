"""Transfer factors of a transmission network, and the linear program of what can be delivered; arrays only."""

NOTHING = 1e-5  # a transfer factor below this moves no line
