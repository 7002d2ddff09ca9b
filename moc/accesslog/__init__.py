"""The access log: who looked at whose personal data, at which fields and what for; and who exported what, as filtered. N12."""
