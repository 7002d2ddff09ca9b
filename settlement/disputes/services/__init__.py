"""What is done in a dispute: open, plead, escalate, settle, determine; and its clocks."""
