"""What a job computes, once: the part that envelopes, studies, screens, maps and deliverability have in common. O4."""
