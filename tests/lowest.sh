#!/bin/sh
# The tests that a user's environment decides, with the lowest versions that pyproject.toml allows, in a new environment.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder"
lowest=$(sed -n '/^dependencies = \[/,/^\]/s/^    "\([A-Za-z0-9_-]*\)>=\([0-9.]*\).*/\1==\2/p' pyproject.toml)
# shellcheck disable=SC2086 # one requirement a word
"$folder/bin/pip" install --quiet $lowest "pytest==8.3.*" pytest-xdist httpx2 hypothesis requests
"$folder/bin/pip" install --quiet --no-deps --editable .
"$folder/bin/python" -m pytest -q -p no:cacheprovider --numprocesses 2 tests/examples tests/recipes \
    tests/testing/test_running.py tests/testing/test_transport.py tests/test_cli_control.py "$@"
