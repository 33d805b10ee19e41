# make all [SCALE=demo|mnist|paper] [CORES=all]    every table, figure and verdict, and the report
# make plan [SCALE=overnight]                      what each of them will cost
# make site                                       the pages of docs/, in site/
# make test | test-faults | test-slurm | lint | clean

PYTHON ?= python3
CORES ?= all
SCALE ?=
ROUNDS ?= 10

ENVIRONMENT := .venv
BIN := $(ENVIRONMENT)/bin
# The lock that the environment was made from; it is made again when requirements.lock is newer.
READY := $(ENVIRONMENT)/requirements.lock
# uv from the system, or from an environment of its own.
UV := $(or $(shell command -v uv),$(ENVIRONMENT)/uv/bin/uv)

# Every job starts Python anew: what it imports is compiled once, when it is first imported.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: all plan site test test-faults test-slurm lint clean
.DELETE_ON_ERROR:

all: $(READY)
	@$(BIN)/snakemake --cores $(CORES) all $(if $(SCALE),--config scale=$(SCALE))

plan: $(READY)
	@$(BIN)/advmip plan $(SCALE)

# Broken links are errors. The theme's note on other generators is left out.
site: $(READY)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

# As many workers as cores: each keeps to one.
test: lint
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

# Faults at random: kills, full disks and the like, ROUNDS of each.
test-faults: $(READY)
	@$(BIN)/pytest -m 'random_faults or not random_faults' --rounds $(ROUNDS) --kills $(ROUNDS) \
	  --durations=0 tests/faults tests/workflow/test_killing.py tests/workflow/test_faults.py

# The demo's slice through a Slurm of this machine: root, slurm-wlm and munge are needed.
test-slurm: $(READY)
	@$(BIN)/pytest -m slurm -rsP tests/workflow/test_slurm.py

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/snakefmt --check Snakefile workflow
	@$(BIN)/snakemake --lint

clean:
	rm -rf $(ENVIRONMENT) .snakemake .mypy_cache .pytest_cache .ruff_cache results/demo site

$(READY): requirements.lock
	@$(MAKE) --no-print-directory $(UV)
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) $(ENVIRONMENT)
	@$(UV) pip sync --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --python $(BIN)/python --no-deps --editable .
	@cp requirements.lock $@

$(ENVIRONMENT)/uv/bin/uv:
	$(PYTHON) -m venv $(ENVIRONMENT)/uv
	$(ENVIRONMENT)/uv/bin/pip install --quiet uv
