# shellcheck shell=bash
# Pinned Python packages for tests, each list in a virtual environment of its own. Source it.
#
# Settings (environment):
#   TEST_PYTHON   the Python to install with           (python3)
#   TEST_VENVS    folder of the virtual environments   (target/test-venvs)

set -euo pipefail
TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$TOOLS/../.." && pwd)
: "${TEST_PYTHON:=python3}"
: "${TEST_VENVS:=$ROOT/target/test-venvs}"
mkdir -p "$TEST_VENVS"
TEST_VENVS=$(cd "$TEST_VENVS" && pwd)
export TEST_PYTHON TEST_VENVS

# Exit code of a run that could not begin for want of PyPI.
readonly SKIPPED=77

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# python_env NAME LIST: makes the environment NAME hold what LIST pins; nothing to do when it was made from the same list.
python_env() {
  local venv=$TEST_VENVS/$1 list=$2 uv
  if cmp -s "$list" "$venv/installed.txt"; then return; fi
  "$TEST_PYTHON" "$TOOLS/pypi.py" || exit $SKIPPED
  rm -rf "$venv"
  "$TEST_PYTHON" -m venv "$venv" || die "can't make $venv: install Debian's python3-venv, or set TEST_PYTHON"
  if uv=$(find_uv); then
    "$uv" pip install --quiet --python "$venv/bin/python" ${PIP_INDEX_URL:+--default-index "$PIP_INDEX_URL"} -r "$list" \
      || die "installing $list with uv failed"
  else
    "$venv/bin/python" -m pip install --quiet -r "$list" || die "installing $list with pip failed"
  fi
  cp "$list" "$venv/installed.txt"
}

# find_uv: prints the path of uv (much quicker than pip), fetching it where it is missing; false where it can't be had.
find_uv() {
  local tools=$TEST_VENVS/tools
  command -v uv && return
  if [ ! -x "$tools/bin/uv" ]; then
    { "$TEST_PYTHON" -m venv "$tools" && "$tools/bin/python" -m pip install --quiet uv==0.13.8; } >&2 || return 1
  fi
  echo "$tools/bin/uv"
}
