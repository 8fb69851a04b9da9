#!/usr/bin/env bash
# Lets clients that we did not write judge the embedded services: keystoneauth1, otcextensions,
# and the vendors' huaweicloudsdksdrs, huaweicloudsdkcbr and alibabacloud-dbs20190306.
# One line a check; the last line is "N passed, N failed". Exit code 77 where PyPI can't be reached.
#   tests/judges/run.sh [JUDGE...]          (keystone, csbs, sdrs, cbr, dbs; all of them without one)
# Settings: KEEPWATCH_BIN names a built keepwatch (else the debug build is made); ../tools/python.sh lists more.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../tools/python.sh"
HERE=$ROOT/tests/judges
[ $# -gt 0 ] || set -- keystone csbs sdrs cbr dbs

# packages JUDGE: the environment that it needs; openstacksdk and the vendor's SDK would not share one.
packages() {
  case $1 in
    keystone | csbs) echo openstack ;;
    sdrs | cbr) echo huawei ;;
    dbs) echo alibaba ;;
    *) die "there is no judge $1: keystone, csbs, sdrs, cbr or dbs" ;;
  esac
}

for judge in "$@"; do
  list=$(packages "$judge")
  python_env "$list" "$HERE/requirements/$list.txt"
done
if [ -z "${KEEPWATCH_BIN:-}" ]; then
  (cd "$ROOT" && cargo build --quiet --bin keepwatch)
  KEEPWATCH_BIN=${CARGO_TARGET_DIR:-$ROOT/target}/debug/keepwatch
fi
[ -x "$KEEPWATCH_BIN" ] || die "KEEPWATCH_BIN=$KEEPWATCH_BIN is no program"
export KEEPWATCH_BIN PYTHONPATH=$TOOLS PYTHONDONTWRITEBYTECODE=1

# Every simulation is a child of its judge, and ends with it.
report=$(mktemp)
trap 'rm -f "$report"' EXIT
for judge in "$@"; do
  code=0
  "$TEST_VENVS/$(packages "$judge")/bin/python" "$HERE/judge_$judge.py" | tee -a "$report" || code=$?
  # A judge that died without a failed check must not pass.
  [ "$code" -eq 0 ] || grep -q "^FAIL" "$report" || echo "FAIL  $judge: ended with exit code $code" | tee -a "$report"
done
passed=$(grep -c '^ok ' "$report" || true)
failed=$(grep -c '^FAIL ' "$report" || true)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
