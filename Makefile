# Two commands on a fresh machine: `make search` and `make test`.
# Works with GNU make 3.81 (macOS) and later.

PYTHON ?= python3
VENV ?= .venv
BUDGET ?= 600K-params
# Further options: make search ARGS="--trials 40", make test ARGS="-k price".
ARGS ?=
# cpu: the CPU build of torch that the project is tested with. any: what pip finds by itself,
# on Linux the CUDA build.
TORCH ?= cpu
# Emptied by the CI to install as a user does who has no checkout.
EDITABLE ?= -e
# Without this index, pip would bring the CUDA build to Linux, several GB.
CPU_INDEX ?= https://download.pytorch.org/whl/cpu

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# A stamp is newer than what it was made from as long as the installation is up to date.
INSTALLED := $(VENV)/installed.stamp
INSTALLED_DEV := $(VENV)/installed-dev.stamp

ifeq ($(TORCH),cpu)
CONSTRAINTS := constraints-cpu.txt
# torch alone, so that no other package can come from that index; where it can't be reached,
# pip says so and takes torch from the usual one.
FIRST_TORCH = $(PIP) install --no-deps --retries 1 --extra-index-url $(CPU_INDEX) \
	-c $(CONSTRAINTS) torch
else
CONSTRAINTS :=
FIRST_TORCH = @:
endif

.PHONY: help search test check install install-dev clean

help:
	@echo "make search       install, then search under $(BUDGET) (BUDGET=..., ARGS=...)"
	@echo "make test         install with the development tools, then run the tests (ARGS=...)"
	@echo "make check        lint, format, types and import contracts"
	@echo "make install      set up $(VENV) alone (PYTHON=..., TORCH=any for CUDA)"
	@echo "make install-dev  the same with the development tools"
	@echo "make clean        remove $(VENV) and the tools' caches"

search: $(INSTALLED)
	$(BIN)/nas search --budget $(BUDGET) $(ARGS)

test: $(INSTALLED_DEV)
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

check: $(INSTALLED_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: $(INSTALLED)

install-dev: $(INSTALLED_DEV)

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# pip is the last thing that venv writes: an interrupted set-up is made anew.
$(BIN)/pip:
	@command -v $(PYTHON) >/dev/null || { \
		echo "$(PYTHON) was not found; name a Python 3.11 or newer:" \
			"make $(firstword $(MAKECMDGOALS)) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, but $(PYTHON) is $$($(PYTHON) --version 2>&1);" \
			"name another: make $(firstword $(MAKECMDGOALS)) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) comes without its venv module;" \
			"install it (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml $(CONSTRAINTS) | $(BIN)/pip
	$(FIRST_TORCH)
	$(PIP) install $(addprefix -c ,$(CONSTRAINTS)) $(EDITABLE) .
	@touch $@

$(INSTALLED_DEV): pyproject.toml $(CONSTRAINTS) | $(BIN)/pip
	$(FIRST_TORCH)
	$(PIP) install $(addprefix -c ,$(CONSTRAINTS)) $(EDITABLE) '.[dev]'
	@touch $(INSTALLED) $@
