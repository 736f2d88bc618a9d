#!/bin/bash
# As the official image: root makes the folder and becomes postgres; a new cluster gets its password and asks everybody for one.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" && chown -R postgres:postgres "$PGDATA" && chmod 0700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # shellcheck disable=SC2086  # several arguments in one variable
  initdb -D "$PGDATA" --username=postgres --pwfile=<(cat "$POSTGRES_PASSWORD_FILE"; echo) ${POSTGRES_INITDB_ARGS:-} >/tmp/initdb.log 2>&1 \
    || { tail -n 3 /tmp/initdb.log >&2; exit 1; }
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
fi
exec "$@"
