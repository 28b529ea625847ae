# Two commands do all the set-up: "make demo" and "make test". The rest is in "make help".

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?=
DEMO_ARGS ?=
BENCH_ARGS ?=
SIM_ARGS ?=
STACK_ARGS ?=
FUZZ_ARGS ?=
DASHBOARDS_ARGS ?=

BIN := $(VENV)/bin
# No host name of any registry gets into a lock: each machine asks the one it is set up for.
COMPILE = $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --no-header --extra demo \
	--unsafe-package vcmon --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	--upgrade

.DEFAULT_GOAL := help
.PHONY: help demo stack test check bench simulate fuzz soak soak-stack figures dashboards-check lock \
	wheel format install install-dev peers clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | \
		while IFS="$$(printf '\t')" read -r name what; do printf '  make %-16s %s\n' "$$name" "$$what"; done

demo: install ## a country of 38 provinces on this machine, on http://127.0.0.1:9838
	@$(BIN)/vcmon demo $(DEMO_ARGS)

stack: install peers ## the demo watched by three vcmon, Prometheus, two Alertmanagers (STACK_ARGS="--for 10m")
	@$(BIN)/python -m dashboards.stack $(STACK_ARGS)

test: install-dev peers ## all tests but the long ones (PYTEST_ARGS="tests/unit -x" for some)
	@scripts/test.sh $(BIN)/pytest $(PYTEST_ARGS)

check: install-dev ## style, types, architecture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict vcmon tests benchmarks scripts dashboards
	@$(BIN)/pytest -q tests/test_architecture.py

bench: install-dev peers ## measure against fping and others (BENCH_ARGS=--help)
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

simulate: install-dev ## the truth simulator: 200 months, a year, a year of meetings (SIM_ARGS=--help)
	@$(BIN)/python -m tests.simulator $(SIM_ARGS)

fuzz: install-dev ## a million hostile inputs for each parser (FUZZ_ARGS=--help)
	@$(BIN)/pip install --quiet 'atheris>=3' 2>/dev/null || echo "no atheris for this machine: seeded mutation instead"
	@$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)

soak: install-dev peers ## the long tests, hours rather than minutes
	@$(BIN)/pytest -m soak -s --timeout=0 $(PYTEST_ARGS)

soak-stack: install-dev peers ## cuts, uplink, loss, uptime on the whole chain (STACK_ARGS="cuts")
	@$(BIN)/python -m tests.stack.soak $(STACK_ARGS)

figures: install-dev ## write what the last tests measured into docs/figures.md
	@$(BIN)/python scripts/figures.py

dashboards-check: install-dev peers ## the dashboards in Grafana's own code (half a gigabyte of packages)
	@$(BIN)/python -m tests.dashboards $(DASHBOARDS_ARGS)

format: install-dev ## put the code into the one format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

wheel: install-dev ## build the package into dist/
	@$(BIN)/python -m hatchling build -t wheel -t sdist

lock: install-dev ## renew requirements.lock and requirements-dev.lock (with Python 3.11, the oldest)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "error: make lock PYTHON=python3.11")'
	@mkdir -p build
	@{ $(COMPILE) --build-deps-for editable -o requirements.lock pyproject.toml && \
		$(COMPILE) --extra dev -o requirements-dev.lock pyproject.toml requirements-dev.in; } \
		>build/lock.log 2>&1 || { cat build/lock.log >&2; exit 1; }
	@sed -i '/^# WARNING: The following packages/,$$d' requirements-dev.lock

install: # .venv with what runs
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is missing; run: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) scripts/install.py run $(VENV)

install-dev: # .venv with what develops, too
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is missing; run: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) scripts/install.py dev $(VENV)

peers: # the programs that the tests talk to
	@scripts/peers.sh

clean: ## remove everything that make made
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
