#!/usr/bin/env bash
# Makes the pictures in this folder from the running program: the console runs on its embedded services
# in tmux, a real xterm on a virtual display shows it, and ImageMagick takes the picture.
#
#   usage: screenshots/make.sh [PROGRAM]        default: target/release/keepwatch
#
# Needs (Debian): xvfb xterm tmux imagemagick fonts-dejavu-core fonts-symbola x11-utils
set -euo pipefail
cd "$(dirname "$0")/.."
PROGRAM=$(realpath "${1:-target/release/keepwatch}")
OUT=$PWD/screenshots
WORK=$(mktemp -d)
SOCKET=$WORK/tmux
PIDS=()

finish() {
  tmux -S "$SOCKET" kill-server 2>/dev/null || true
  for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$WORK" 2>/dev/null || true
}
trap finish EXIT

for tool in Xvfb xterm tmux import xdpyinfo; do
  command -v "$tool" >/dev/null || { echo "missing: $tool (see the head of this script)" >&2; exit 1; }
done

# the display number is chosen by the server itself
exec 9>"$WORK/display"
Xvfb -displayfd 9 -screen 0 2200x1400x24 -nolisten tcp >/dev/null 2>&1 &
PIDS+=($!)
until [ -s "$WORK/display" ]; do :; done
export DISPLAY=":$(tr -d '\n' < "$WORK/display")"
until xdpyinfo >/dev/null 2>&1; do :; done

tm() { tmux -S "$SOCKET" -f /dev/null "$@"; }
# it stays between two pictures, when no session is left
tm start-server \; set-option -g exit-empty off

# waits until the screen shows a text (a regular expression), for at most two minutes
await() {
  local until=$((SECONDS + 120))
  until tm capture-pane -p -t "$1" 2>/dev/null | grep -Eq "$2"; do
    [ "$SECONDS" -lt "$until" ] || { echo "the screen never showed: $2" >&2; tm capture-pane -p -t "$1" >&2; exit 1; }
    read -rt 0.2 <> <(:) || true
  done
}

# shoot NAME COLUMNS ROWS KEYS… : starts the console, waits for the board, presses keys (each followed by
# a wait when written as  key=regular expression), takes the picture
shoot() {
  local name=$1 columns=$2 rows=$3
  shift 3
  local session="s-$name"
  tm new-session -d -s "$session" -x "$columns" -y "$rows" \
    "env -u NO_COLOR -u XDG_CONFIG_HOME HOME='$WORK' COLORTERM=truecolor '$PROGRAM' ${ARGUMENTS:-}"
  tm set-option -g status off
  tm set-option -g default-terminal tmux-256color
  tm set-option -ga terminal-overrides ',*:Tc'
  xterm -geometry "${columns}x${rows}+0+0" -fa 'DejaVu Sans Mono' -fs 10 -b 6 +sb \
    -bg '#16181d' -fg '#c8ccd4' -cr '#c8ccd4' \
    -xrm 'xterm*color0: #16181d' -xrm 'xterm*color1: #e06c75' -xrm 'xterm*color2: #8fbf7f' \
    -xrm 'xterm*color3: #e0b860' -xrm 'xterm*color4: #61a0e8' -xrm 'xterm*color5: #c585e0' \
    -xrm 'xterm*color6: #56b6c2' -xrm 'xterm*color7: #abb2bf' -xrm 'xterm*color8: #6b7280' \
    -xrm 'xterm*color9: #f07c85' -xrm 'xterm*color10: #a5d495' -xrm 'xterm*color11: #f0ca74' \
    -xrm 'xterm*color12: #7ab4f5' -xrm 'xterm*color13: #d69bef' -xrm 'xterm*color14: #6fd0dc' \
    -xrm 'xterm*color15: #eceff4' \
    -T "$name" -e tmux -S "$SOCKET" attach -t "$session" 9>&- &
  local terminal=$!
  PIDS+=("$terminal")
  await "$session" "${READY:-failed}"
  local step
  for step in "$@"; do
    case $step in
      wait=*) await "$session" "${step#wait=}" ;;
      *) tm send-keys -t "$session" "$step" ;;
    esac
  done
  local window
  until window=$(xwininfo -root -tree 2>/dev/null | awk -v n="\"$name\":" '$2 == n {print $1; exit}') && [ -n "$window" ]; do :; done
  # two pictures that are the same: the terminal has drawn everything
  local before='' now='x'
  until [ "$before" = "$now" ]; do
    before=$now
    # the window may not be on the display yet
    until import -window "$window" "$OUT/$name.png" 2>/dev/null; do :; done
    now=$(cksum < "$OUT/$name.png")
  done
  tm kill-session -t "$session"
  wait "$terminal" 2>/dev/null || true
  echo "$OUT/$name.png"
}

# the board at the three sizes, and the screens that answer "why" and "what now"
READY='[0-9][0-9]+ failed.*[0-9] running'
CODE=code:CSBS.6010
shoot board-80x24 80 24 4 / "$CODE" Enter 'wait=CSBS.6010'
shoot board-120x40 120 40 'wait=▶ .*%'
shoot board-200x60 200 60 'wait=▶ .*%'
shoot confirm-120x40 120 40 1 / 'kind:csbs ecs-app-02' Enter 'wait=/kind:csbs ecs-app-02' t 'wait=Name of the backup' Enter 'wait=send it'
shoot help-120x40 120 40 '?' 'wait=Keys and words'
