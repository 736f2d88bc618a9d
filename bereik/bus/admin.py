"""What is made and asked at the broker by its operator: topics, users, rights."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    OffsetSpec,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from kafka.errors import KafkaError

from bereik.bus.broker import Broker, BrokerUnavailable, refusals

# Kafka's own "no bound" for message.timestamp.before.max.ms.
_ANY_AGE = 2**63 - 1


class Admin:
    """Topics, users and rights."""

    def __init__(self, broker: Broker) -> None:
        with refusals():
            self._admin = KafkaAdminClient(**broker.settings())

    def require_authorizer(self) -> None:
        """Raises `NoAuthorizer` when the broker lets everybody do everything. For its super user."""
        anything = ACLFilter(
            principal=None,
            host=None,
            operation=ACLOperation.ANY,
            permission_type=ACLPermissionType.ANY,
            resource_pattern=ResourcePatternFilter(ResourceType.CLUSTER, None, ACLResourcePatternType.ANY),
        )
        with refusals():
            self._admin.describe_acls(anything)

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """The ids of existing topics. Raises `BrokerUnavailable` when one is not there yet."""
        found = {
            topic["name"]: topic["topic_id"]
            for topic in self._admin.describe_topics(list(topics))
            if not topic["error_code"]
        }
        missing = set(topics) - set(found)
        if missing:
            raise BrokerUnavailable(
                f"These topics do not exist: {', '.join(sorted(missing))}. Run `bereik rules activate`."
            )
        return {name: str(value) for name, value in found.items()}

    def await_groups(self, groups: Sequence[str]) -> None:
        """Wait until the broker can coordinate these groups.

        A new broker first has to make its offsets topic; consumers that come earlier only cause each other delay.
        """
        for _ in range(60):
            with contextlib.suppress(KafkaError):
                self._admin.describe_groups(list(groups))
                return
            time.sleep(0.5)
        raise BrokerUnavailable("The broker cannot coordinate consumer groups. See its log.")

    def is_member(self, group: str, member_id: str) -> bool:
        """Whether the broker knows this member of the group; True when it cannot be asked."""
        try:
            described = self._admin.describe_groups([group])[group]
        except (KafkaError, KeyError):
            return True
        return any(member["member_id"] == member_id for member in described["members"])

    def topics(self) -> set[str]:
        """Names of all topics this principal may see."""
        with refusals():
            return set(self._admin.list_topics())

    def ensure_topics(
        self, wanted: Mapping[str, tuple[int, Mapping[str, str]]], replication: int = 1
    ) -> list[str]:
        """Make the topics that are not there: name → (partitions, settings); the others get these settings.

        Returns what was made.
        """
        known = self.topics()
        missing = {
            name: {"num_partitions": partitions, "replication_factor": replication, "configs": dict(configs)}
            for name, (partitions, configs) in wanted.items()
            if name not in known
        }
        if missing:
            self._admin.create_topics(missing)
            self._admin.wait_for_topics(list(missing))
        self.configure({name: configs for name, (_, configs) in wanted.items() if name not in missing})
        return sorted(missing)

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Make or renew SCRAM-SHA-512 credentials. Raises `BrokerUnavailable` when the broker refuses one."""
        wanted = [
            UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password)
            for user, password in passwords.items()
        ]
        refused = (
            [user for user, error in self._admin.alter_user_scram_credentials(wanted).items() if error]
            if wanted
            else []
        )
        if refused:
            raise BrokerUnavailable(
                f"The broker refused a credential for {', '.join(sorted(refused))}. See its log."
            )

    def users(self) -> set[str]:
        """Users that have a SCRAM credential."""
        return set(self._admin.describe_user_scram_credentials())

    def allow(self, rights: Sequence[tuple[str, str, str, str, bool]]) -> None:
        """Grant (user, operation, "topic" | "group" | "cluster", name, is_prefix); what is there already stays."""
        self._admin.create_acls(
            [
                ACL(
                    principal=f"User:{user}",
                    host="*",
                    operation=ACLOperation[operation],
                    permission_type=ACLPermissionType.ALLOW,
                    resource_pattern=ResourcePattern(
                        ResourceType[kind.upper()],
                        name,
                        ACLResourcePatternType.PREFIXED if prefix else ACLResourcePatternType.LITERAL,
                    ),
                )
                for user, operation, kind, name, prefix in rights
            ]
        )

    def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], tuple[int, int]]:
        """First and end offset of every partition of these topics."""
        parts = [
            TopicPartition(topic["name"], part["partition_index"])
            for topic in self._admin.describe_topics(list(topics))
            for part in topic["partitions"]
        ]
        firsts = self._admin.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.EARLIEST))
        ends = self._admin.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.LATEST))
        return {(part.topic, part.partition): (firsts[part].offset, ends[part].offset) for part in parts}

    def settings(self, topics: Iterable[str]) -> dict[str, dict[str, str]]:
        """The settings in force: topic → setting → value."""
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
        found = self._admin.describe_configs(asked, config_filter="all")
        return {
            name: {key: one["value"] for key, one in settings.items()}
            for name, settings in found["topic"].items()
        }

    def configure(self, wanted: Mapping[str, Mapping[str, str]]) -> list[str]:
        """Bring the settings of existing topics to name → settings, where they differ; returns which did."""
        if not wanted:
            return []
        stands = self.settings(wanted)
        differing = sorted(
            name
            for name, settings in wanted.items()
            if any(stands[name].get(key) != value for key, value in settings.items())
        )
        if differing:
            self._admin.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, name, dict(wanted[name])) for name in differing]
            )
        return differing

    def set_retention(self, topics: Sequence[str], retention_ms: int) -> None:
        """Keep these doors' records so long after their own timestamp, and refuse what is older at once.

        -1 keeps and takes records of any age until it is set again.
        """
        self.configure(dict.fromkeys(topics, retention(retention_ms)))

    def delete_before(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Remove landed records below these offsets (kafka's delete_records)."""
        if offsets:
            self._admin.delete_records(
                {TopicPartition(topic, part): before for (topic, part), before in offsets.items()}
            )

    def close(self) -> None:
        """Close the connection."""
        self._admin.close()


def retention(milliseconds: int) -> dict[str, str]:
    """Settings of a partner's door: what is older than the door keeps is refused, and so is what is of the future.

    A record's timestamp is written by its sender, and becomes the moment of receipt from which terms run.
    """
    any_age = milliseconds == -1
    return {
        "retention.ms": str(milliseconds),
        "message.timestamp.before.max.ms": str(_ANY_AGE if any_age else milliseconds),
        # An hour, for clocks that are ahead or that took summer time for UTC.
        "message.timestamp.after.max.ms": str(3_600_000),
    }
