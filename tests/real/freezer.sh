#!/usr/bin/env bash
# Starts a real OpenStack Freezer 19.0.0 on loopback: the API (SQLite) and the scheduler, whose agent makes real tar backups of
# folders of this machine. Needs keystone.sh. Settings: lib.sh. Leaves its address in env.sh of the set.
#
# An abort in 19.0.0 is accepted and never carried out: the scheduler compares psutil's process.name, a method, with a text, and
# swallows the error. REAL_MEND_ABORT=1 replaces that one comparison in the running scheduler; the default shows the server as it is.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ -s "$REAL_DIR/env/keystone" ] || die "start tests/real/keystone.sh first"
# shellcheck disable=SC1091
. "$REAL_DIR/env/keystone"
install freezer
VENV=$TEST_VENVS/freezer
PORT=$(port freezer "${REAL_FREEZER_PORT:-}")
STATE=$REAL_DIR/freezer
URL=http://127.0.0.1:$PORT
mkdir -p "$STATE/jobs"
rest catalog backup freezer "$URL"

cat >"$STATE/api.conf" <<CONF
[DEFAULT]
log_file = $REAL_DIR/log/freezer-api.log
[paste_deploy]
config_file = $VENV/etc/freezer/freezer-paste.ini
[storage]
backend = sqlalchemy
driver = sqlalchemy
[database]
connection = sqlite:///$STATE/freezer.db
[keystone_authtoken]
auth_type = password
auth_url = $REAL_AUTH_URL
www_authenticate_uri = $REAL_AUTH_URL
username = $REAL_USERNAME
password = $REAL_PASSWORD
project_name = $REAL_PROJECT
user_domain_name = $REAL_DOMAIN
project_domain_name = $REAL_DOMAIN
# A token that died at Keystone dies here at once.
token_cache_time = -1
[oslo_policy]
enforce_scope = false
CONF
"$VENV/bin/freezer-manage" --config-file "$STATE/api.conf" db sync >"$REAL_DIR/log/freezer-db.out" 2>&1 \
  || { tail -n 20 "$REAL_DIR/log/freezer-db.out" >&2; die "freezer: the database could not be made"; }
start freezer-api "$VENV/bin/python" "$REAL_HERE/serve_freezer.py" "$PORT" "$STATE/api.conf"
answers freezer-api "$URL/"

cat >"$STATE/scheduler.conf" <<CONF
[DEFAULT]
log_file = $REAL_DIR/log/freezer-scheduler.log
[scheduler]
client_id = device-1
jobs_dir = $STATE/jobs
interval = $REAL_POLL
no_daemon = true
concurrent_jobs = 4
[service_auth]
username = $REAL_USERNAME
password = $REAL_PASSWORD
project_name = $REAL_PROJECT
user_domain_name = $REAL_DOMAIN
project_domain_name = $REAL_DOMAIN
auth_url = $REAL_AUTH_URL
backup_url = $URL
endpoint_type = public
CONF
# The scheduler finds the agent on PATH, and the agent reads the account from the environment. HOME keeps their own files in the set.
PATH=$VENV/bin:$PATH HOME=$STATE TMPDIR=$STATE \
OS_AUTH_URL=$REAL_AUTH_URL OS_USERNAME=$REAL_USERNAME OS_PASSWORD=$REAL_PASSWORD OS_PROJECT_NAME=$REAL_PROJECT \
OS_USER_DOMAIN_NAME=$REAL_DOMAIN OS_PROJECT_DOMAIN_NAME=$REAL_DOMAIN OS_IDENTITY_API_VERSION=3 OS_BACKUP_URL=$URL \
  start freezer-scheduler "$VENV/bin/python" "$REAL_HERE/serve_scheduler.py" --config-file "$STATE/scheduler.conf" start
publish freezer "REAL_FREEZER_URL=$URL" "REAL_PROJECT_ID=$(rest project-id)" "REAL_CLIENT_ID=device-1"
# The scheduler is there when its client is registered: no job is taken for a client that Freezer does not know.
"$TEST_PYTHON" "$REAL_HERE/jobs.py" await-client || { tail -n 20 "$REAL_DIR/log/"freezer-scheduler.* >&2; die "freezer: no scheduler"; }
say "freezer: $URL, project $(rest project-id), client device-1"
