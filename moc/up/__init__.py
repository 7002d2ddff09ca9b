"""The two commands: `make up` runs the whole platform on one machine, `make test` checks it. Nothing here is used in production."""
