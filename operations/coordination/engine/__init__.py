"""Transfer factors of a transmission network, and the linear program of what can be delivered; arrays only."""
