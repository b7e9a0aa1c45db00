# What a person or CI types. Nothing is needed but make and Python 3.11 or newer.

PORT ?= 8000
HOST ?= 127.0.0.1
VENV := .venv
PYTHON := $(VENV)/bin/python
# The first of these that is new enough makes the virtual environment.
PYTHONS := python3 python3.14 python3.13 python3.12 python3.11 python
# Paths of the checks; bench/ and tests/ are code like any other.
CODE := src tests bench tools
TEST_WORKERS ?= 2

export PYTHONPATH :=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test check lint bench messages requirements clean
.DEFAULT_GOAL := help

help:
	@echo "make demo          run PayorCRM with an invented business (PORT=$(PORT), HOST=$(HOST))"
	@echo "make test          run all tests, also those in a real browser"
	@echo "make check         run formatters, linters, type checker, import contracts and all tests"
	@echo "make bench         run the benchmarks"
	@echo "make messages      bring the translations up to date, and name what is missing"
	@echo "make requirements  pin the requirements anew (needs uv)"
	@echo "make clean         remove the virtual environment and all caches; the demo's data stay"

demo: $(VENV)/.runtime
	@exec $(VENV)/bin/payorcrm demo --host "$(HOST)" --port "$(PORT)"

test: $(VENV)/.development
	@TEST_WORKERS="$(TEST_WORKERS)" sh tests/run.sh

check: lint test

lint: $(VENV)/.development
	$(PYTHON) -m ruff check $(CODE)
	$(PYTHON) -m ruff format --check $(CODE)
	PYTHONPATH=src PAYORCRM_MODE=test PAYORCRM_VAR=var/test $(PYTHON) -m mypy
	$(VENV)/bin/djlint --lint --quiet src
	PYTHONPATH=src $(VENV)/bin/lint-imports

bench: $(VENV)/.development
	PYTHONPATH=src:. $(PYTHON) -m bench

messages: $(VENV)/.development
	PYTHONPATH=src:. $(PYTHON) -m tools.messages

requirements:
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-annotate --upgrade \
		pyproject.toml -o requirements.txt
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-annotate --upgrade \
		pyproject.toml --group dev --constraint requirements.txt -o requirements-dev.txt

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# One stamp for each set of requirements, so that nothing is installed twice. The development set contains the other.
$(VENV)/.runtime: requirements.txt | $(VENV)/bin/payorcrm
	@echo "Installing what PayorCRM needs (only this time)"
	@$(PYTHON) -m pip install --quiet --quiet --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.development: requirements-dev.txt | $(VENV)/bin/payorcrm
	@echo "Installing what the tests need (only this time)"
	@$(PYTHON) -m pip install --quiet --quiet --require-hashes -r requirements-dev.txt
	@touch $@

# The project is put on the path as it lies here: a build would fetch its build tools unpinned.
$(VENV)/bin/payorcrm:
	@found=; for name in $(PYTHONS); do \
		if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$name; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "PayorCRM needs Python 3.11 or newer, and none of $(PYTHONS) is one." >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$found --version)"; \
	$$found -m venv $(VENV) || { \
		echo "Python's venv module is incomplete here (Debian and Ubuntu: apt-get install python3-venv)." >&2; \
		rm -rf $(VENV); exit 1; \
	}
	@$(PYTHON) -c 'import pathlib, sysconfig; \
		pathlib.Path(sysconfig.get_path("purelib"), "payorcrm.pth").write_text(str(pathlib.Path("src").resolve()) + "\n")'
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m payorcrm "$$@"\n' > $@.new
	@chmod +x $@.new && mv $@.new $@
