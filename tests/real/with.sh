#!/usr/bin/env bash
# Starts Keystone and Freezer with their five jobs, runs a command with env.sh of the set in its environment, and stops everything,
# however the command ended. The exit code is the command's; 77 where the servers can't be installed because PyPI can't be reached.
#   tests/real/with.sh COMMAND [ARGUMENT...]
# Settings: lib.sh. Besides env.sh the command finds the ids of the jobs in $REAL_DIR/jobs.json.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# -gt 0 ] || die "usage: tests/real/with.sh COMMAND [ARGUMENT...]"

trap 'trap "" INT TERM HUP; "$REAL_HERE/stop.sh"' EXIT
trap 'interrupted 130' INT
trap 'interrupted 143' TERM HUP

# step COMMAND...: in a session of its own and waited for, so that an interrupt is obeyed at once and reaches all of it.
step() {
  setsid "$@" <&0 &
  CHILD=$!
  wait "$CHILD"
}
CHILD=
# shellcheck disable=SC2329 # called by the traps
interrupted() {
  [ -z "$CHILD" ] || kill -- "-$CHILD" 2>/dev/null || true
  exit "$1"
}

step "$REAL_HERE/keystone.sh"
step "$REAL_HERE/freezer.sh"
# shellcheck disable=SC1091
. "$REAL_DIR/env.sh"
step "$TEST_PYTHON" "$REAL_HERE/jobs.py" make >"$REAL_DIR/jobs.json"
export PYTHONPATH=$ROOT/tests/tools
code=0
step "$@" || code=$?
exit $code
