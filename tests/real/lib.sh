# shellcheck shell=bash
# Settings of a set of real servers, and what its scripts share: installing, starting, stopping. Source it.
#
# Settings (environment), besides those of ../tools/python.sh:
#   REAL_DIR            folder of the set: configuration, databases, logs, pid files   (target/real)
#   REAL_PASSWORD       password of the user admin                                     (keepwatch-real)
#   REAL_KEYSTONE_PORT, REAL_FREEZER_PORT, REAL_KARBOR_PORT
#                       ports on 127.0.0.1; without one a free port is taken and kept for the set
#   REAL_TOKEN_TTL      seconds that a token lives                                     (3600)
#   REAL_POLL           seconds between two looks of Freezer's scheduler               (2)
#   REAL_MEND_ABORT     1: let Freezer's scheduler carry an abort out (see freezer.sh) (0)
#   REAL_LARGE_MIB      size of the folder that the long job backs up                  (96)

REAL_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$REAL_HERE/../tools/python.sh"

: "${REAL_DIR:=$ROOT/target/real}"
: "${REAL_PASSWORD:=keepwatch-real}"
: "${REAL_TOKEN_TTL:=3600}"
: "${REAL_POLL:=2}"
: "${REAL_MEND_ABORT:=0}"
: "${REAL_LARGE_MIB:=96}"
mkdir -p "$REAL_DIR"/{pid,port,log,env}
REAL_DIR=$(cd "$REAL_DIR" && pwd)
export REAL_DIR REAL_PASSWORD REAL_TOKEN_TTL REAL_POLL REAL_MEND_ABORT REAL_LARGE_MIB
# The old libraries warn on every start; none of it concerns us.
export PYTHONWARNINGS=ignore

rest() { "$TEST_PYTHON" "$REAL_HERE/rest.py" "$@"; }

# port NAME SETTING: the port of one server: as set, else as chosen before, else a free one.
port() {
  local kept=$REAL_DIR/port/$1
  if [ -n "$2" ]; then echo "$2" >"$kept"
  elif [ ! -s "$kept" ]; then rest free-port >"$kept"; fi
  cat "$kept"
}

# install NAME: the server's pinned packages, once.
install() { python_env "$1" "$REAL_HERE/requirements/$1.txt"; }

# start NAME COMMAND...: runs a server in a session of its own, marked as one of this set, and keeps its pid.
start() {
  local name=$1; shift
  if running "$name"; then die "$name runs already (pid $(cat "$REAL_DIR/pid/$name")); stop it with tests/real/stop.sh"; fi
  KEEPWATCH_REAL_SET=$REAL_DIR setsid "$@" >"$REAL_DIR/log/$name.out" 2>&1 </dev/null &
  echo $! >"$REAL_DIR/pid/$name"
  STARTED+=("$!")
  trap 'undo $?' EXIT
}

# undo CODE: a script that fails half-way takes back the servers that it started itself.
STARTED=()
undo() {
  local pid
  [ "$1" -ne 0 ] || return 0
  for pid in "${STARTED[@]}"; do kill -- "-$pid" 2>/dev/null || true; done
}

# ours PID: does this process carry the mark of this set? A pid file alone may be older than the process.
ours() { grep -zqxF "KEEPWATCH_REAL_SET=$REAL_DIR" "/proc/$1/environ" 2>/dev/null; }

running() { [ -s "$REAL_DIR/pid/$1" ] && ours "$(cat "$REAL_DIR/pid/$1")"; }

# answers NAME URL: waits until the server answers, or says why it did not.
answers() {
  rest wait "$2" "$(cat "$REAL_DIR/pid/$1")" || { tail -n 20 "$REAL_DIR/log/$1".* >&2; die "$1 did not answer at $2"; }
}

# publish NAME LINE...: the settings with which this script and others reach a server, as lines of env.sh.
publish() {
  local name=$1; shift
  printf 'export %s\n' "$@" >"$REAL_DIR/env/$name"
  cat "$REAL_DIR"/env/* >"$REAL_DIR/env.sh"
  # shellcheck disable=SC1090
  . "$REAL_DIR/env/$name"
}
