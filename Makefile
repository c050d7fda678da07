# The workshop's commands. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
# Loopback only, token on, nothing looked up on the internet (setup.py switches Jupyter's news off).
JUPYTER := --ServerApp.ip=127.0.0.1 --LabApp.extension_manager=readonly \
	--LabApp.default_url=/lab/tree/notebooks/00-start-here.ipynb
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with tests/notebooks/sanitize.cfg --nbval-cell-timeout=300
# Three files at a time, as they wait much; what needs the model or a quiet machine comes by itself.
SIDE_BY_SIDE := -n 3 --dist loadfile -m "not model and not browser and not alone"
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url $(LOCK_OPTIONS)

ifeq ($(shell id -u),0)
JUPYTER += --allow-root
endif

.DEFAULT_GOAL := help
.PHONY: help setup models lab test test-fast tour bench doctor lint images lock canary clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make the environment, if it is not up to date
	@$(PYTHON) tools/setup.py

models: ## the same, and the weights of the models
	@$(PYTHON) tools/setup.py --models

lab: models ## set up, then open JupyterLab at the first notebook
	$(BIN)/jupyter lab $(JUPYTER) $(LAB)

test: models lint ## set up, then run everything: lint, types, tests, every notebook
	$(BIN)/python -m pytest tests labs $(SIDE_BY_SIDE) $(NBVAL) $(PYTEST)
	$(BIN)/python -m pytest tests -m "model or browser or alone" $(PYTEST)
	$(BIN)/python -m pytest notebooks $(NBVAL) $(PYTEST)

test-fast: setup ## the tests that need no model and no browser (some minutes)
	$(BIN)/python -m pytest tests $(SIDE_BY_SIDE) $(PYTEST)

tour: models ## run every notebook headless and print a table of cells, seconds and results
	$(BIN)/python tools/tour.py $(TOUR)

bench: models ## measure speed as ratios: the endpoint against llama.cpp, the knowledge base against Chroma, the Region against moto, its gateway against FastMCP's proxy, a question through it against a direct one, work that is traced against work that is not, the receiver against Phoenix, guardrails against their limits
	$(BIN)/python -m bench

doctor: setup ## what this machine has, and the remedy for what it lacks
	$(BIN)/python -m helpers.doctor

lint: setup ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

images: setup ## build the container images of infra/containers where docker, podman or buildah works; IMAGES='apps --tag 1' for some
	$(BIN)/python tools/images.py $(IMAGES)

lock: setup ## renew requirements.lock from requirements.txt, and the lock of the runtime's image
	$(COMPILE) requirements.txt -o requirements.lock
	cp requirements.lock infra/containers/runtime.lock
	$(COMPILE) infra/containers/runtime.txt -o infra/containers/runtime.lock

canary: setup ## try the newest versions of all dependencies, and tell what breaks through which
	$(BIN)/python tools/canary.py -- $(NBVAL) $(PYTEST)

clean: ## end the endpoint and the database and delete the environment; close JupyterLab first. Models stay in the cache folder
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m helpers.inference stop || true; $(BIN)/python -m helpers.knowledge stop || true; fi
	rm -rf .venv .venv-canary .venv-bench .venv-bench-fastmcp .venv-phoenix .venv-checkov .venv-runtime artefacts .pytest_cache .mypy_cache .ruff_cache *.egg-info
	find . -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf
