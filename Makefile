# Two commands: `make demo` to see it, `make test` to check it. Nothing else is needed
# than Python 3.11 or newer and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
TEST_VENV := .venv-test
PORT ?= 8000
export PORT
POSTGRES ?= postgres://postgres@127.0.0.1:5432/cupadmin

# Compiled tests are kept, also where the environment says otherwise: compiling them
# takes longer than importing them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo run test test-long test-servers test-all test-postgres fuzz lint format docs screenshots bench lock clean python

# REAL=1: a running mesh with hidden peer tables; it has data of its own.
ifdef REAL
export REAL
export CUPADMIN_DATA_DIR ?= var/real
endif

demo: $(VENV)/.installed
	@$(VENV)/bin/python manage.py demo

run: $(VENV)/.installed
	@$(VENV)/bin/python manage.py run

# AGAIN=1: only what failed in the run before, one after the other.
AGAIN_ONLY := --last-failed --last-failed-no-failures none
PYTEST = $(TEST_VENV)/bin/python -m pytest \
  $(if $(AGAIN),$(AGAIN_ONLY),--numprocesses $(PROCESSES) --dist loadfile)
PROCESSES := auto

# What is quick: all but the two steps below. COVERAGE=1 also measures which branches of
# what decides about a cluster (pyproject.toml) were taken, and fails below its goal.
# Half of their time they wait for a lab: on a small machine, two of them to a core.
test: PROCESSES = $(shell $(PYTHON) -c 'import os; n = os.cpu_count(); print(max(n, min(8, 2 * n)))')
test: $(TEST_VENV)/.installed
	$(PYTEST) -m "not long and not servers" $(if $(COVERAGE),--cov --cov-report=term-missing $(if $(AGAIN),--cov-append)) $(TESTS)

# Every page and operation, with odd and hostile content; secrets looked for in all of
# it; large meshes.
test-long: $(TEST_VENV)/.installed
	$(PYTEST) -m "long and not servers" $(TESTS)

# Brokers, directories, proxies, browsers, workers that are killed.
test-servers: $(TEST_VENV)/.installed
	$(PYTEST) -m servers $(TESTS)

test-all: $(TEST_VENV)/.installed
	$(PYTEST) $(TESTS)

# What the database decides must be decided alike by PostgreSQL: claims, leases, locks
# and the audit chain; unique rows and queries of the pages; workers that are killed.
test-postgres: $(TEST_VENV)/.installed
	CUPADMIN_DATABASE_URL=$(POSTGRES) $(TEST_VENV)/bin/python -m pytest -k "not embedded" \
	  --create-db $(if $(AGAIN),$(AGAIN_ONLY)) $$(cat tests/on_postgresql.txt)

# Odd requests to every operation of REST and to every page: 20,000 and more of each.
fuzz: $(TEST_VENV)/.installed
	CUPADMIN_FUZZ_EXAMPLES=40 $(TEST_VENV)/bin/python -m pytest -q --numprocesses auto tests/rest/test_fuzz.py tests/rest/test_fuzz_pages.py tests/rest/test_bodies.py

lint: $(TEST_VENV)/.installed
	$(TEST_VENV)/bin/ruff check .
	$(TEST_VENV)/bin/ruff format --check .
	$(TEST_VENV)/bin/mypy .
	$(TEST_VENV)/bin/mypy --config-file= --strict --explicit-package-bases --ignore-missing-imports clients/ansible
	$(TEST_VENV)/bin/lint-imports
	$(TEST_VENV)/bin/djlint --lint --quiet templates
	CUPADMIN_DATA_DIR=$$(mktemp -d) $(TEST_VENV)/bin/python manage.py makemigrations --check --dry-run
	CUPADMIN_DATA_DIR=$$(mktemp -d) CUPADMIN_HTTPS=1 $(TEST_VENV)/bin/python manage.py check --deploy --fail-level WARNING

format: $(TEST_VENV)/.installed
	$(TEST_VENV)/bin/ruff check --fix .
	$(TEST_VENV)/bin/ruff format .

# The docs as a site in site/, with the REST reference; fails on a broken link.
docs: $(TEST_VENV)/.installed
	NO_MKDOCS_2_WARNING=1 $(TEST_VENV)/bin/mkdocs build --strict --quiet

# Pictures of the pages with 0, 3 and 60 clusters into var/screenshots, from a fixed state:
# three widths, light and dark. DOCS=1: those that the docs show.
screenshots: $(TEST_VENV)/.installed
	$(TEST_VENV)/bin/python -m tests.screenshots $(if $(DOCS),--docs)

bench: $(TEST_VENV)/.installed
	$(TEST_VENV)/bin/python -m bench

# Pins every package with its hashes; needs uv.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 requirements.in -o requirements.txt
	uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 requirements-dev.in -o requirements-dev.txt
	uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 requirements-ldap.in -o requirements-ldap.txt
	uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 requirements-saml.in -o requirements-saml.txt
	uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 requirements-xmpp.in -o requirements-xmpp.txt
	uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 requirements-pages.in -o requirements-pages.txt

$(VENV)/.installed: requirements.txt | python
	@echo "Installing the console's packages into $(VENV), once; this takes a minute ..."
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(TEST_VENV)/.installed: requirements.txt requirements-dev.txt | python
	@echo "Installing the packages for tests into $(TEST_VENV), once; this takes a minute ..."
	@$(PYTHON) -m venv $(TEST_VENV)
	@$(TEST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-dev.txt
	@touch $@

python:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "cupadmin needs Python 3.11 or newer; none was found."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "This Python lacks its venv module; install it (Debian: python3-venv)."; exit 1; }

clean:
	rm -rf $(VENV) $(TEST_VENV)
