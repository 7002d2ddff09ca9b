# Two commands: `make up` runs the platform, `make test` checks it. The work is done by the package moc/up; see `make help`.

PYTHON ?= $(firstword $(foreach name,python3 python3.11 python3.12 python3.13 python3.14,$(shell $(name) -c 'import sys; sys.version_info < (3, 11) or print("$(name)")' 2>/dev/null)) python3)
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help up test whole lint bench lock manage stop clean install
export PORT BIND

help:  ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install:
	@$(PYTHON) moc/up/bootstrap.py

up: install  ## run the platform on this machine (PORT=8000, BIND=127.0.0.1); Ctrl-C stops it
	@.venv/bin/python -m moc.up up

test: install  ## lint, migrations, unit, contract, parity and browser tests (ARGS="-k word" for some)
	@.venv/bin/python -m moc.up test $(ARGS)

whole: install  ## the whole suite with everybody at every door and every value in every parameter; about twice as long
	@.venv/bin/python -m moc.up test --whole $(ARGS)

lint: install  ## only the lint steps of `make test`
	@.venv/bin/python -m moc.up lint

bench: install  ## the benchmarks of tests/scale, and kills at every stage of tests/resilience
	@.venv/bin/python -m moc.up bench $(ARGS)

manage: install  ## one of Django's commands on this checkout's database (ARGS="verify")
	@.venv/bin/python -m moc.up manage $(ARGS)

stop: install  ## stop a database that was started to stay, and what a killed run left behind
	@.venv/bin/python -m moc.up stop

lock: install  ## write requirements.lock, requirements-node.lock and package-lock.json again
	@.venv/bin/python -m moc.up lock

clean: install  ## remove what was installed and built; the database in var/ stays
	@.venv/bin/python -m moc.up stop
	rm -rf .venv node_modules var/static var/log var/run build .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
