"""Submissions: the batch that is filed, checked, reviewed by utilities and decided. R1 at scale, N5, N11."""
