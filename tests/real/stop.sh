#!/usr/bin/env bash
# Ends the servers of a set and whatever they started (Freezer's agents and their tar); only processes that carry the set's mark.
# Settings: lib.sh.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The marked processes: those of the pid files first, then any that outlived its parent.
marked() {
  local file pid
  for file in "$REAL_DIR"/pid/*; do
    [ -s "$file" ] && ours "$(cat "$file")" && cat "$file"
  done
  for pid in /proc/[0-9]*; do
    pid=${pid#/proc/}
    if ours "$pid"; then echo "$pid"; fi
  done
}

# end SIGNAL: sends it to every marked process, and waits up to ten seconds until none is left.
end() {
  local pids deadline=$((SECONDS + 10))
  mapfile -t pids < <(marked | sort -u)
  [ ${#pids[@]} -gt 0 ] || return 0
  kill "-$1" "${pids[@]}" 2>/dev/null || true
  while [ $SECONDS -lt $deadline ]; do
    [ -n "$(marked)" ] || return 0
    sleep 0.1
  done
  return 1
}

end TERM || end KILL || die "still there: $(marked | sort -u | tr '\n' ' ')"
rm -f "$REAL_DIR"/pid/* "$REAL_DIR"/env/* "$REAL_DIR/env.sh"
