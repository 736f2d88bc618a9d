#!/bin/bash
# Looks at what PostgreSQL starts with, then hands over to the image's own entry point (official image: postgres).
# What it cannot start with is one line that says what to do.
set -euo pipefail

root=/var/lib/postgresql
password_file=${POSTGRES_PASSWORD_FILE:-/run/secrets/postgres}
# A new cluster takes 50 MB, and a segment of the write-ahead log 16.
least_mb=128

stop() { echo "postgres: $*" >&2; exit 1; }

[ -s "$password_file" ] || stop "the secret postgres is missing or empty. Make the secrets: docker compose run --rm secrets"
free_mb=$(df -Pm "$root" | awk 'NR == 2 { print $4 }')
[ "$free_mb" -ge "$least_mb" ] || stop "no disk space left: $free_mb MB free for $root, $least_mb are needed. Make room and start again."
ours=$(postgres --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
# Beside a cluster of another version a new and empty one would be made.
while IFS= read -r -d '' file; do
  theirs=$(<"$file")
  [ "$theirs" = "$ours" ] \
    || stop "the volume $root holds data of PostgreSQL $theirs and this is $ours. Use image postgres:$theirs, or move the data: docs/deploy.md"
done < <(find "$root" -maxdepth 3 -name PG_VERSION -print0)

exec docker-entrypoint.sh "$@"
