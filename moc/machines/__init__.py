"""Machine clients: programs of an organisation, OAuth 2.0 client credentials, their secrets and keys. N2."""
