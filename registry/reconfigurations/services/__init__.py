"""The utility's verbs: preview a reconfiguration, carry it out, discard it; and what held when, as known when."""
