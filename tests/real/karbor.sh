#!/usr/bin/env bash
# Starts a real OpenStack Karbor 1.6.0 (the last one; CSBS grew from it) on loopback: API, protection and operation engine in one
# process over an in-memory message bus, SQLite, two providers: one that protects nothing and always succeeds, and one for servers
# and disks of a Nova and a Cinder, which fails since they aren't there. Needs keystone.sh, and a Python of at most 3.11: exit code 77
# where it can't be installed. Settings: lib.sh.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ -s "$REAL_DIR/env/keystone" ] || die "start tests/real/keystone.sh first"
# shellcheck disable=SC1091
. "$REAL_DIR/env/keystone"
# What is this old needs a Python of its own time: where there is none, nothing can be judged.
code=0
(install karbor) || code=$?
case $code in
  0) ;;
  "$SKIPPED") exit "$SKIPPED" ;;
  *) say "skipped: Karbor 1.6.0 can't be installed for $("$TEST_PYTHON" -V 2>&1) (see above; it takes 3.11 at most)"; exit "$SKIPPED" ;;
esac
VENV=$TEST_VENVS/karbor
PORT=$(port karbor "${REAL_KARBOR_PORT:-}")
STATE=$REAL_DIR/karbor
URL=http://127.0.0.1:$PORT
GOOD=b766f37c-d011-4026-8228-28730d734a3f
BROKEN=cf56bd3e-97a7-4078-b6d5-f36246333fd9
mkdir -p "$STATE"/{providers.d,state,bank-good,bank-broken}
# The trustee logs in without a scope, and the operation engine finds the API in the catalog.
rest default-project
# shellcheck disable=SC2016 # Keystone fills the project id in
rest catalog data-protect karbor "$URL"'/v1/$(project_id)s'

# provider FILE ID NAME DESCRIPTION PLUGIN...: the two providers are those that Karbor comes with, over folders instead of Swift.
provider() {
  local file=$1 id=$2 name=$3 description=$4
  shift 4
  cat >"$STATE/providers.d/$file.conf" <<CONF
[provider]
name = $name
description = $description
id = $id
$(printf 'plugin = %s\n' "$@")
bank = karbor-fs-bank-plugin
enabled = True
[file_system_bank_plugin]
file_system_bank_path = $STATE/bank-$file
bank_object_container = karbor
[cinder_backup_protection_plugin]
poll_interval = 1
[nova_backup_protection_plugin]
poll_interval = 1
CONF
}
provider good "$GOOD" "No-Op Provider" \
  "This provider does nothing for each protect and restore operation. Used for testing" karbor-noop-protection-plugin
provider broken "$BROKEN" "OS Infra Provider" "This provider uses OpenStack's own services (swift, cinder) as storage" \
  karbor-volume-protection-plugin karbor-image-protection-plugin karbor-server-protection-plugin \
  karbor-share-protection-plugin karbor-network-protection-plugin karbor-database-protection-plugin

# window and interval are far below Karbor's own so that a schedule fires within minutes; interval must be twice the window or more.
cat >"$STATE/karbor.conf" <<CONF
[DEFAULT]
log_file = $REAL_DIR/log/karbor.log
state_path = $STATE/state
api_paste_config = $VENV/etc/karbor/api-paste.ini
provider_config_dir = $STATE/providers.d
osapi_karbor_listen = 127.0.0.1
osapi_karbor_listen_port = $PORT
osapi_karbor_workers = 1
auth_strategy = keystone
transport_url = fake:/
host = localhost
min_interval = 60
min_window_time = 5
max_window_time = 30
[database]
connection = sqlite:///$STATE/karbor.db
[oslo_concurrency]
lock_path = $STATE/state
[keystone_authtoken]
auth_type = password
auth_url = $REAL_AUTH_URL
www_authenticate_uri = $REAL_AUTH_URL
username = $REAL_USERNAME
password = $REAL_PASSWORD
project_name = $REAL_PROJECT
user_domain_name = $REAL_DOMAIN
project_domain_name = $REAL_DOMAIN
token_cache_time = 300
[clients_keystone]
auth_uri = ${REAL_AUTH_URL%/v3}
[trustee]
auth_type = password
auth_url = $REAL_AUTH_URL
username = $REAL_USERNAME
password = $REAL_PASSWORD
user_domain_name = $REAL_DOMAIN
[karbor_client]
version = 1
service_name = karbor
service_type = data-protect
region_id = RegionOne
interface = public
[oslo_policy]
enforce_scope = false
CONF
"$VENV/bin/karbor-manage" --config-file "$STATE/karbor.conf" db sync >"$REAL_DIR/log/karbor-db.out" 2>&1 \
  || { tail -n 20 "$REAL_DIR/log/karbor-db.out" >&2; die "karbor: the database could not be made"; }
# Without a write-ahead log the three services lock each other out of the file.
"$VENV/bin/python" -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA journal_mode=WAL")' "$STATE/karbor.db"
start karbor "$VENV/bin/python" "$REAL_HERE/serve_karbor.py" --config-file "$STATE/karbor.conf"
answers karbor "$URL/"
publish karbor "REAL_KARBOR_URL=$URL" "REAL_KARBOR_GOOD=$GOOD" "REAL_KARBOR_BROKEN=$BROKEN"
say "karbor: $URL, providers $GOOD (succeeds) and $BROKEN (needs Nova and Cinder)"
