"""Webhooks: events told to an organisation's own systems, signed, tried again, replayable. N10, N11."""
