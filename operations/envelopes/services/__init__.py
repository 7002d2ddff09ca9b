"""The operator's verbs: have envelopes computed, publish, hold, edit, deactivate; the aggregator's: acknowledge."""
