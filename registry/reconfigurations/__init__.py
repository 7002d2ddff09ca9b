"""Reconfigurations: a utility moves service points to another feeder, transformer or node in one act, consequences first. R3, R4, ¶310."""
