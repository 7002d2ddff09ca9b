"""Submissions: the batch that is filed, checked, reviewed by utilities and decided. R1 at scale, N11, N13."""
