"""The platform's own documentation, drawn from the code: data dictionary, rules, lifecycles, roles, API."""
