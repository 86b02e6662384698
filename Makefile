# The one entry: `make run` for users, `make test` for developers and CI; `make help` lists the rest.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8501
# Processes that run tests: each needs up to 3 GB.
WORKERS ?= 2
# A working nvidia-smi means a GPU: faiss-gpu there, faiss-cpu elsewhere (the two cannot be installed together; Milvus Lite
# needs faiss-cpu, so its tests run without a GPU and say so where there is one).
comma  := ,
FAISS  := $(shell nvidia-smi >/dev/null 2>&1 && echo gpu || echo cpu)
DEV    := $(FAISS),dev$(if $(filter cpu,$(FAISS)),$(comma)milvus)
PIP    := $(BIN)/python -m pip --disable-pip-version-check install -c constraints.txt
SOURCES := quartzlens pipeline store analysis dashboard tests recipes benchmarks

.DEFAULT_GOAL := help
.PHONY: help install run test lint check fmt bench docs browser clean

help:    ## show this list
	@grep -hE '^[a-z]+: .*##|^[a-z]+:  *##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

install: $(VENV)/.installed-$(FAISS)  ## make .venv with the pinned set

$(VENV)/.installed-$(FAISS): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[$(FAISS)]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-$(FAISS)
	$(PIP) -e '.[$(DEV)]'
	touch $@

run: install  ## demo collection and dashboard; SOURCE=list.csv|folder|link and COLLECTION=dir for your own videos
ifdef SOURCE
	$(BIN)/quartzlens ingest "$(SOURCE)" -c "$(or $(COLLECTION),collection)" --evaluate
	$(BIN)/quartzlens dashboard -c "$(or $(COLLECTION),collection)" --port $(PORT)
else
	$(BIN)/quartzlens demo -c "$(or $(COLLECTION),demo-collection)" --serve --port $(PORT)
endif

test: $(VENV)/.installed-dev lint browser  ## linters, types, import contracts, all tests with coverage
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered
	@rm -f .coverage.*  # of processes that tests killed
	$(BIN)/python -m coverage report --include='store/*,analysis/*' --fail-under=100 --skip-covered
	$(BIN)/python -m coverage report --fail-under=90 --skip-covered >/dev/null

check: $(VENV)/.installed-dev lint  ## the fast part of test
	$(BIN)/python -m pytest -m 'not slow and not browser and not realdata' -q

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: $(VENV)/.installed-dev  ## format the code
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(VENV)/.installed-dev  ## measure, and write docs/benchmarks.md
ifeq ($(FAISS),cpu)
	$(PIP) -e '.[cpu,dev,bench]'  # other search engines; one of them brings faiss-cpu, which faiss-gpu cannot stand
endif
	$(BIN)/python -m benchmarks

docs: $(VENV)/.installed-dev  ## take the pictures of the documents anew, from the demo collection
	$(BIN)/python -m recipes.screenshots demo-collection docs/images

browser: $(VENV)/.installed-dev
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq chromium; } \
	|| $(BIN)/python -m playwright install chromium

clean:  ## remove what make made, collections excepted
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
