"""The vault: keys, cipher and blind index of personal data; it knows no record, only keys. N12."""
