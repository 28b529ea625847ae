#!/bin/sh
# All tests but the long ones: those that can side by side first, then those that must be alone.
# "scripts/test.sh .venv/bin/pytest [ARGUMENT ...]"; the arguments choose some, as for pytest itself.
set -u
NONE_FOUND=5
export PYTHONHASHSEED=0  # both workers must find the same tests in the same order

"$@" -m "not soak and beside" -n 2 --dist loadfile
beside=$?
"$@" -m "not soak and not beside"
alone=$?

[ "$beside" -eq "$NONE_FOUND" ] && [ "$alone" -eq "$NONE_FOUND" ] && exit "$NONE_FOUND"
[ "$beside" -eq "$NONE_FOUND" ] && beside=0
[ "$alone" -eq "$NONE_FOUND" ] && alone=0
[ "$beside" -eq 0 ] && [ "$alone" -eq 0 ]
