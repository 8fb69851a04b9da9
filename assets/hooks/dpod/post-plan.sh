#!/bin/sh
# DPOD calls this after a plan has run, with the list of its tasks.
# It tells keepwatch and nothing else. It always ends with 0: DPOD takes anything else for "the script failed".
# Copy it to DPOD's folder for user scripts (/app/custom/scripts), and set the two lines below.

service="${KEEPWATCH_SERVICE:-gateways}"                    # the service's name in keepwatch's configuration
keepwatch="${KEEPWATCH_PROGRAM:-/usr/local/bin/keepwatch}"  # where the program lies

# Where events are kept, when not in the data directory of the user that DPOD runs as. The folder must be
# the same for the console.
#export KEEPWATCH_INBOX=/srv/keepwatch/inbox

trap 'exit 0' EXIT
trap 'exit 0' HUP INT TERM
if command -v timeout >/dev/null 2>&1; then
    timeout 10 "$keepwatch" record dpod --service "$service" -- "$@" </dev/null
else
    "$keepwatch" record dpod --service "$service" -- "$@" </dev/null
fi
exit 0
