-- Which sealed tables have rows of a period.
-- Called by moc.seals.canon.with_rows.
{asked}
