#!/bin/sh
# Runs all tests: the journeys in a browser, which often wait for a page, and beside them those of code and pages,
# which fill the waits. Each worker of the journeys has a system of its own; what they said is shown at the end.
# Both run whatever the other one finds; the exit code is the worse of the two.
cd "$(dirname "$0")/.." || exit 2
python=.venv/bin/python
CHROMIUM=$($python -m tests.factories.chromium) || exit 1
TEST_RUN=$$
export CHROMIUM TEST_RUN
outcome=0
journeys=$(mktemp) || exit 1
trap 'rm -f "$journeys"' EXIT
$python -m pytest tests/journeys --numprocesses "${TEST_WORKERS:-2}" --dist worksteal "$@" >"$journeys" 2>&1 &
# A person in a browser is waiting, so the others stand back.
nice -n 5 $python -m pytest tests --ignore=tests/journeys --numprocesses "${TEST_WORKERS:-2}" --dist worksteal "$@" ||
	outcome=1
wait $! || outcome=1
cat "$journeys"
exit $outcome
