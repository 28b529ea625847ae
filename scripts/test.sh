#!/bin/sh
# All tests but the long ones, in the three groups of tests/conftest.py: those that keep a processor
# busy and those that wait for their peers two at a time, then those that must be alone.
# "scripts/test.sh .venv/bin/pytest [ARGUMENT ...]"; the arguments choose some, as for pytest itself.
set -u
NONE_FOUND=5
export PYTHONHASHSEED=0 # both workers must find the same tests in the same order

ended=$NONE_FOUND
group() {
    name=$1
    shift
    "$@"
    code=$?
    [ "$code" -eq "$NONE_FOUND" ] && return
    if [ "$code" -ne 0 ]; then
        echo "error: tests of the group \"$name\" failed" >&2
        ended=1
    elif [ "$ended" -eq "$NONE_FOUND" ]; then
        ended=0
    fi
}

group busy "$@" -m "not soak and busy" -n 2 --dist loadfile
group waiting "$@" -m "not soak and waiting" -n 2 --dist loadfile
group alone "$@" -m "not soak and alone"
exit "$ended"
