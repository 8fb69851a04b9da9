#!/usr/bin/env bash
# Keepwatch against a real Keystone, a real Freezer that backs up a real folder, and a real Karbor; and the embedded Karbor against
# the real one. Installs and starts them, judges, stops them.
# Exit code 77 where PyPI can't be reached, or where Karbor can't be installed (the others have been judged then).
#   tests/real/run.sh
# Settings: KEEPWATCH_BIN names a built keepwatch (else the debug build is made); lib.sh lists those of the servers.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
if [ -z "${KEEPWATCH_BIN:-}" ]; then
  (cd "$ROOT" && cargo build --quiet --locked --bin keepwatch)
  KEEPWATCH_BIN=${CARGO_TARGET_DIR:-$ROOT/target}/debug/keepwatch
fi
export KEEPWATCH_BIN
exec "$HERE/with.sh" bash -euc '
  python3 "$1/keepwatch.py"
  (cd "$2" && cargo test --locked --test real_console -- --ignored)
  "$1/karbor.sh"
  . "$REAL_DIR/env.sh"
  python3 "$1/compare_karbor.py"
  cd "$2" && cargo test --locked --test connector_karbor real:: -- --ignored
' - "$HERE" "$ROOT"
