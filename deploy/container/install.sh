#!/bin/sh
# Installs what is pinned, and the console as a package, into an environment of Python.
# Usage: install.sh SOURCE TARGET. The Containerfile runs it.
set -eu
source=$1 target=$2
# Whoever installs it may keep files to themselves; the console has a user of its own.
umask 022

python3 -m venv "$target"
pip="$target/bin/python -m pip --quiet --disable-pip-version-check"
$pip install --require-hashes -r "$source/requirements.txt"
$pip install --no-deps "$source"
$pip check
