#!/bin/sh
# Runs all tests: first those of code and pages, then the journeys in a browser; each worker of these has a system of its own.
# Both run whatever the other one finds; the exit code is the worse of the two.
cd "$(dirname "$0")/.." || exit 2
python=.venv/bin/python
CHROMIUM=$($python -m tests.factories.chromium) || exit 1
TEST_RUN=$$
export CHROMIUM TEST_RUN
outcome=0
$python -m pytest tests --ignore=tests/journeys --numprocesses "${TEST_WORKERS:-2}" --dist worksteal "$@" || outcome=1
$python -m pytest tests/journeys --numprocesses "${TEST_WORKERS:-2}" --dist worksteal "$@" || outcome=1
exit $outcome
