#!/usr/bin/env bash
# Measures keepwatch under a pseudo-terminal beside other programs, and then its inside; prints two Markdown tables.
# Exit code 77 where PyPI can't be reached.
#   tests/benches/run.sh [PART...]    (start idle small status big changes list slow sizes soak; all but the last without one,
#                                      and the inside; SOAK_SECONDS says how long the soak is: 600)
# KEEPWATCH_BIN names a built keepwatch (else the release build is made). Rivals are taken from PATH: htop and btop of
# Debian, btm, kdash, trip and gitui of crates.io; fzf and glances come from PyPI.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../tools/python.sh"
HERE=$ROOT/tests/benches

python_env bench "$HERE/requirements.txt"
python_env huawei "$ROOT/tests/judges/requirements/huawei.txt"
if [ -z "${KEEPWATCH_BIN:-}" ]; then
  (cd "$ROOT" && cargo build --quiet --release --locked --bin keepwatch)
  KEEPWATCH_BIN=${CARGO_TARGET_DIR:-$ROOT/target}/release/keepwatch
fi
[ -x "$KEEPWATCH_BIN" ] || die "KEEPWATCH_BIN=$KEEPWATCH_BIN is no program"
export KEEPWATCH_BIN PYTHONDONTWRITEBYTECODE=1
export VENDOR_PYTHON=$TEST_VENVS/huawei/bin/python PATH=$TEST_VENVS/bench/bin:$PATH

"$TEST_VENVS/bench/bin/python" "$HERE/outside/outside.py" "$@"
if [ $# -eq 0 ]; then
  echo
  (cd "$ROOT" && cargo bench --quiet --locked)
fi
