# Two commands: `make demo` to see it, `make test` to check it. Nothing else is needed
# than Python 3.11 or newer and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
TEST_VENV := .venv-test
PORT ?= 8000
export PORT

.PHONY: demo run test fuzz lint format bench lock clean python

demo: $(VENV)/.installed
	@$(VENV)/bin/python manage.py demo

run: $(VENV)/.installed
	@$(VENV)/bin/python manage.py run

test: $(TEST_VENV)/.installed
	$(TEST_VENV)/bin/python -m pytest --numprocesses auto --dist loadfile $(TESTS)

# Odd requests to every operation of the REST interface: 20,000 and more.
fuzz: $(TEST_VENV)/.installed
	CUPADMIN_FUZZ_EXAMPLES=120 $(TEST_VENV)/bin/python -m pytest -q tests/rest/test_fuzz.py

lint: $(TEST_VENV)/.installed
	$(TEST_VENV)/bin/ruff check .
	$(TEST_VENV)/bin/ruff format --check .
	$(TEST_VENV)/bin/mypy .
	$(TEST_VENV)/bin/djlint --lint --quiet templates
	CUPADMIN_DATA_DIR=$$(mktemp -d) $(TEST_VENV)/bin/python manage.py makemigrations --check --dry-run
	CUPADMIN_DATA_DIR=$$(mktemp -d) CUPADMIN_HTTPS=1 $(TEST_VENV)/bin/python manage.py check --deploy --fail-level WARNING

format: $(TEST_VENV)/.installed
	$(TEST_VENV)/bin/ruff check --fix .
	$(TEST_VENV)/bin/ruff format .

bench: $(TEST_VENV)/.installed
	$(TEST_VENV)/bin/python -m bench

# Pins every package with its hashes; needs uv.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 requirements.in -o requirements.txt
	uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 requirements-dev.in -o requirements-dev.txt
	uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 requirements-ldap.in -o requirements-ldap.txt

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
