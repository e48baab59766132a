#!/bin/sh
# What a user's environment decides, in environments of their own: the tests of the fixture with the lowest versions that
# pyproject.toml allows, beside other people's packages; and with httpx alone, where a command runs the server.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset PYTHONPATH

sed -n '/^dependencies = \[/,/^\]/s/^    "\([^">]*\)>=\([^"]*\)".*/\1==\2/p' pyproject.toml > "$folder/lowest.txt"
"${PYTHON:-python3}" -m venv "$folder/lowest"
"$folder/lowest/bin/pip" install --quiet --only-binary :all: --requirement "$folder/lowest.txt" \
    'fastapi==0.115.12' 'pydantic<2.11' 'pytest==8.3.*' pytest-xdist httpx2 hypothesis requests
"$folder/lowest/bin/pip" install --quiet --no-deps --editable .
"$folder/lowest/bin/pip" check
"$folder/lowest/bin/python" -m pytest -q -p no:cacheprovider --basetemp="$folder/temp" --numprocesses 2 tests/examples \
    tests/recipes tests/testing/test_running.py tests/testing/test_transport.py tests/cli "$@"

"${PYTHON:-python3}" -m venv "$folder/client"
"$folder/client/bin/pip" install --quiet httpx pytest websockets
"$folder/client/bin/pip" install --quiet --no-deps .
cp -r tests/examples "$folder/examples"
rm "$folder/examples/test_unittest.py" # which needs a server in process
cd "$folder/examples"
"$folder/client/bin/python" -m pytest -q -p no:cacheprovider --import-mode=importlib \
    --fake-convai-command "$folder/lowest/bin/fake-convai"
