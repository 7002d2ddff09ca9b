"""PostgreSQL, told in each transaction whose eyes it sees with. N3."""
