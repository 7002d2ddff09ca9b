"""Five questions about a feeder or a utility: who takes part, with what, able to what, where, doing what now, before, next. O1."""
