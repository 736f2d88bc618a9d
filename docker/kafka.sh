#!/bin/bash
# Starts one Kafka node with SCRAM and ACLs, in the official image (apache/kafka) or any other with bash, java and
# /opt/kafka/libs. What it cannot start with is one line that says what to do, and nothing is half made.
set -euo pipefail
umask 077

data=/var/lib/kafka/data
password_file=/run/secrets/kafka_admin
# With less a broker starts, and stops for good in the middle of its work when a segment does not fit.
least_mb=256

stop() { echo "kafka: $*" >&2; exit 1; }

[ -s "$password_file" ] || stop "the secret kafka_admin is missing or empty. Make the secrets: docker compose run --rm secrets"
password=$(<"$password_file")
[[ $password =~ ^[A-Za-z0-9]+$ ]] || stop "the secret kafka_admin may hold letters and digits only. Remove it and make it again."
free_mb=$(df -Pm "$data" | awk 'NR == 2 { print $4 }')
[ "$free_mb" -ge "$least_mb" ] || stop "no disk space left: $free_mb MB free for $data, $least_mb are needed. Make room and start again."
[ -w "$data" ] || stop "this user ($(id -u)) cannot write the volume $data. Give the volume to it, or use a new one."

# What newer software wrote, older software does not read; it would stop with a page of Java.
ours=$(basename "$(ls /opt/kafka/libs/kafka_2.13-*.jar)" .jar)
ours=${ours#kafka_2.13-}
theirs=$(cat "$data/kafka.version" 2>/dev/null || echo "$ours")
[ "$(printf '%s\n%s\n' "$theirs" "$ours" | sort -V | tail -n 1)" = "$ours" ] \
  || stop "the volume $data was written by Kafka $theirs and this is $ours. Use image apache/kafka:$theirs, or an empty volume."

# /tmp is in memory: the password is never on a disk but in its secret.
properties=/tmp/server.properties
{
  cat /etc/bereik/broker.properties
  cat <<OWN
controller.quorum.bootstrap.servers=localhost:9093
listeners=CLIENT://0.0.0.0:9092,CONTROLLER://localhost:9093
advertised.listeners=CLIENT://${KAFKA_HOST:-kafka}:9092,CONTROLLER://localhost:9093
listener.name.controller.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="$password" user_admin="$password";
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="admin" password="$password";
log.dirs=$data/logs
OWN
} > "$properties"

common=(-XX:+UseSerialGC -Dlog4j2.configurationFile=/etc/bereik/broker.log4j2.xml -Djava.awt.headless=true)
classpath="/opt/kafka/libs/*"

# An argument file: on the command line every user of the host could read the password.
arguments() { printf '"%s"\n' "$@"; }

if [ ! -e "$data/logs/meta.properties" ]; then
  [ -z "$(ls -A "$data" | grep -v -x -e logs -e lost+found || true)" ] \
    || stop "the volume $data holds something that is not this broker's. Use an empty volume, or the one it had."
  # A folder without that file is what a start that was cut off left.
  rm -rf "${data:?}/logs"
  cluster=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')
  arguments -Xmx256m "${common[@]}" -cp "$classpath" kafka.tools.StorageTool format "--cluster-id=$cluster" \
    -c "$properties" --standalone --add-scram "SCRAM-SHA-512=[name=admin,password=$password]" > /tmp/format.args
  java @/tmp/format.args > /tmp/format.log 2>&1 \
    || stop "the volume could not be formatted: $(tail -n 1 /tmp/format.log)"
  rm /tmp/format.args
fi
echo "$ours" > "$data/kafka.version"

# shellcheck disable=SC2086  # several options in one variable
exec java -Xms256m ${KAFKA_HEAP:--Xmx512m} "${common[@]}" -XX:+ExitOnOutOfMemoryError -cp "$classpath" kafka.Kafka "$properties"
