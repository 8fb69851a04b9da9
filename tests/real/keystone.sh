#!/usr/bin/env bash
# Starts a real OpenStack Keystone 30.0.0 on loopback: SQLite, Fernet tokens, user and project "admin" of the domain "Default".
# Settings: lib.sh. Leaves its address in env.sh of the set.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install keystone
PORT=$(port keystone "${REAL_KEYSTONE_PORT:-}")
STATE=$REAL_DIR/keystone
URL=http://127.0.0.1:$PORT/v3
mkdir -p "$STATE"

cat >"$STATE/keystone.conf" <<CONF
[DEFAULT]
log_file = $REAL_DIR/log/keystone.log
[database]
connection = sqlite:///$STATE/keystone.db
[token]
provider = fernet
expiration = $REAL_TOKEN_TTL
allow_expired_window = 0
[identity]
password_hash_rounds = 4
[fernet_tokens]
key_repository = $STATE/fernet-keys
[fernet_receipts]
key_repository = $STATE/receipt-keys
[credential]
key_repository = $STATE/credential-keys
CONF

manage() { "$TEST_VENVS/keystone/bin/keystone-manage" --config-file "$STATE/keystone.conf" "$@"; }
owner=(--keystone-user "$(id -un)" --keystone-group "$(id -gn)")
if [ ! -d "$STATE/credential-keys" ]; then
  manage db_sync
  manage fernet_setup "${owner[@]}"
  manage credential_setup "${owner[@]}"
fi
# Said again on every start: it also moves the catalog to a new port and takes a new password.
manage bootstrap --bootstrap-username admin --bootstrap-password "$REAL_PASSWORD" --bootstrap-project-name admin \
  --bootstrap-role-name admin --bootstrap-service-name keystone --bootstrap-region-id RegionOne \
  --bootstrap-public-url "$URL" --bootstrap-internal-url "$URL" --bootstrap-admin-url "$URL"

OS_KEYSTONE_CONFIG_DIR=$STATE OS_KEYSTONE_CONFIG_FILES=keystone.conf \
  start keystone "$TEST_VENVS/keystone/bin/python" "$REAL_HERE/serve_keystone.py" "$PORT"
answers keystone "$URL"
publish keystone "REAL_DIR='$REAL_DIR'" "REAL_AUTH_URL=$URL" "REAL_USERNAME=admin" "REAL_PASSWORD='$REAL_PASSWORD'" \
  "REAL_PROJECT=admin" "REAL_DOMAIN=Default"
say "keystone: $URL"
