# The project's habits: run, test, bench, format. Every target makes the environment it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One more than there are cores: many tests wait for brokers, browsers and doubts.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Compiled tests are kept, also where the environment says otherwise: each worker would take ten seconds for its own.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test format lock clean soak soak-tests scale spark bench orchestrators clients web

run: $(VENV)/installed  ## The main job: the example events into the local org.
	cd examples && ../$(BIN)/sfmap run events.ndjson
	@echo
	@echo "Next:"
	@echo "  (cd examples && ../$(BIN)/sfmap render --explain events.ndjson)   # which rule gave each value"
	@echo "  (cd examples && ../$(BIN)/sfmap org start)                        # the records, on a page"
	@echo "  $(BIN)/sfmap init acme                                            # a project of your own"

test: $(VENV)/installed-for-development  ## Lint, types and tests.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p sfmap.engine -m sfmap.cli -p sfmap.mappings -p sfmap.tests
	MYPYPATH=benchmarks $(BIN)/mypy benchmarks
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

soak-tests: $(VENV)/installed-for-development  ## What `make test` leaves out: the tests marked soak, and properties by many examples.
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m 'soak or hypothesis' --hypothesis-profile thorough

soak: soak-tests  ## These, then kills and faults for a quarter of an hour; its figures are in docs/reliability.md.
	$(BIN)/pytest -s tests/reliability/soak.py tests/serve/soak.py tests/exactness/soak.py

scale: $(VENV)/installed-for-development  ## Beyond one machine: each disturbance with what was lost, doubled or different.
	$(INSTALL) --editable '.[dev,spark]'
	$(BIN)/pytest -s tests/scale/soak.py tests/scale/kafka_workers.py tests/backfill/spark_cluster.py

spark: $(VENV)/installed-for-development  ## Back-fills on a Spark of two executors, which are killed meanwhile.
	$(INSTALL) --editable '.[dev,spark]'
	$(BIN)/pytest -s tests/backfill/spark_cluster.py

orchestrators: $(VENV)/installed-for-development  ## The examples for Airflow and Dagster, with their packages.
	$(BIN)/pytest -s tests/api/orchestrators.py

clients: $(VENV)/installed-for-development  ## Clients that others wrote, with the local org; writes their table in docs/orgs.md.
	$(BIN)/pytest -n 2 --dist loadfile -p sfmap.tests.conformance.client_table \
		$(wildcard tests/conformance/test_*.py tests/conformance/clients/[a-z]*.py)

bench: $(VENV)/installed-for-development  ## Speed, each measure beside its goal.
	$(BIN)/python benchmarks/run.py

web:  ## Bundles the workbench's editor again; needs Node.js and npm.
	cd web && npm ci --ignore-scripts --no-audit --no-fund && node build.js

format: $(VENV)/installed-for-development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(BIN)/python  ## Resolves the dependencies again into constraints.txt.
	$(INSTALL) pip-tools
	$(BIN)/pip-compile --quiet --upgrade --extra dev --strip-extras --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links --output-file constraints.txt pyproject.toml

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis examples/.sfmap

$(VENV)/installed: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) --editable .
	touch $@

$(VENV)/installed-for-development: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) --editable '.[dev]'
	mkdir -p $(VENV)/types && ln -sfn ../.. $(VENV)/types/sfmap
	touch $(VENV)/installed $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "sfmap needs Python 3.11 or later, as $(PYTHON) or as: make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
			&& apt-get update -qq && apt-get install -y -qq python3-venv; } \
		|| { echo "Python lacks its venv module. On Debian: sudo apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
