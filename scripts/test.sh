#!/bin/sh
# All tests but the long ones, in the groups of tests/conftest.py: those that keep a processor busy
# two at a time, then those that wait for their peers two at a time with the country and the stack
# beside them, then those that must be alone.
# "scripts/test.sh .venv/bin/pytest [ARGUMENT ...]"; the arguments choose some, as for pytest itself.
set -u
NONE_FOUND=5
export PYTHONHASHSEED=0 # both workers must find the same tests in the same order

ended=$NONE_FOUND
judge() { # NAME EXIT_CODE
    [ "$2" -eq "$NONE_FOUND" ] && return
    if [ "$2" -ne 0 ]; then
        echo "error: tests of the group \"$1\" failed" >&2
        ended=1
    elif [ "$ended" -eq "$NONE_FOUND" ]; then
        ended=0
    fi
}

"$@" -m "not soak and busy" -n 2 --dist loadfile
judge busy $?

told=$(mktemp)
trap 'rm -f "$told"' EXIT
"$@" -m "not soak and beside" >"$told" 2>&1 &
beside=$!
"$@" -m "not soak and waiting" -n 2 --dist loadfile
judge waiting $?
wait "$beside"
code=$?
cat "$told"
judge beside "$code"

"$@" -m "not soak and alone"
judge alone $?
exit "$ended"
