# Two commands, and a fresh machine needs no other:
#
#   make film   renders examples/lighthouse/script.md and says where the film is
#   make test   checks style, types and behaviour
#
# Whichever comes first makes .venv and installs there what requirements.lock pins; after that nothing is installed again
# until requirements.lock or pyproject.toml change. PYTHON=... names another Python to begin with.

PYTHON := $(or $(shell command -v python3.11),$(shell command -v python3),python3)
BIN := .venv/bin
FILM := out/lighthouse.mp4

.PHONY: film test

# Exit code 3 is a film that is done, but that a gate wants looked at.
film: .venv/installed
	@mkdir -p $(dir $(FILM))
	$(BIN)/storyboard render examples/lighthouse/script.md --takes 3 -o $(FILM) || [ $$? -eq 3 ]
	@echo "The film is $(abspath $(FILM))"

# One thread a test process: the processes share the cores among them.
test: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not gpu" -n logical --maxprocesses 4 --dist loadfile

# --no-deps: the lock is complete, and says why it departs from what the packages ask for.
.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "storyboard needs Python 3.11 or newer. On Debian: apt install python3.11 python3.11-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python cannot make environments. On Debian: apt install python3.11-venv" >&2; exit 1; }
	[ -x $(BIN)/pip ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --no-deps --requirement requirements.lock
	$(BIN)/python -m pip install --no-deps --no-build-isolation --editable .
	@touch $@
