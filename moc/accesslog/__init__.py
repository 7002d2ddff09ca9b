"""The access log: who looked at whose personal data, when, at which fields and what for. N12."""
