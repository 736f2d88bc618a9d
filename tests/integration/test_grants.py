"""Who may do what in the database: the whole table of rights, written by hand, against what PostgreSQL says."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from support import World, house, person

from bereik.store import Store
from bereik.store.vault import RegisterMissing, Registers

pytestmark = pytest.mark.stack

SCHEMAS = ("ops", "intake", "vault", "casework", "bridge", "audit")
PEOPLE = ("intake", "vault", "casework", "bridge", "audit")

# Role → table → letters of Select, Insert, Update, Delete (on the table or on some of its columns).
_EVERY = "ops.bundle:s ops.activation:s"
_CONSUMER = f"{_EVERY} ops.position:siu ops.outbox:i"
LOGINS = {
    "bereik_intake": f"{_CONSUMER} intake.landed:si intake.receipt:si intake.original:si",
    "bereik_casework": f"{_CONSUMER} ops.parked:i",
    "bereik_outreach": f"{_CONSUMER} ops.parked:i ops.endpoint:siud ops.silence:s",
    "bereik_bridge": f"{_CONSUMER} ops.parked:i bridge.trace:siud bridge.bridge:siud bridge.side:siud"
    " bridge.announced:siud audit.act:i",
    "bereik_checks": f"{_CONSUMER} ops.parked:i audit.act:i",
    "bereik_relay": f"{_EVERY} ops.outbox:sd",
    "bereik_web": f"{_EVERY} ops.outbox:i ops.account:s ops.member:s ops.reviewer:s ops.gate_count:s ops.flow_count:s"
    " casework.case:s casework.signal:s casework.fact:s casework.alert:s casework.errand:si bridge.side:s bridge.bridge:s"
    " bridge.announced:s vault.transfer:s vault.residency:s audit.act:i",
    "bereik_dags": f"{_EVERY} ops.position:s ops.outbox:i ops.gate_count:s ops.flow_count:s",
    "bereik_operator": "ops.bundle:si ops.activation:si ops.position:s ops.outbox:i ops.account:siud ops.member:siud"
    " ops.silence:siu ops.reviewer:siud ops.gate_count:s ops.flow_count:s audit.act:i",
    "bereik_linkage": f"{_EVERY} ops.outbox:i audit.act:i",
    "bereik_delivery": f"{_EVERY} audit.act:i",
}
PER_PURPOSE = {
    "vault": "vault.register:si vault.record:siu vault.key:si vault.link:si vault.review:si vault.verdict:s vault.crowd:si",
    "linking": "vault.register:s vault.record:su vault.key:sid vault.rekeying:siu vault.link:si"
    " vault.review:siu vault.verdict:siu vault.crowd:s",
    "casework": "casework.signal:siu casework.case:siu casework.fact:si casework.alert:siu"
    " casework.notice:siu casework.notice_try:si casework.matching:si",
    "telling": "intake.receipt:s intake.told:si",
    "bridging": "casework.case:s casework.fact:s casework.signal:s",
    "tracing": "vault.register:s vault.record:s",
    "delivering": "vault.register:s vault.record:s vault.residency:s casework.case:s casework.signal:s casework.fact:s",
    "keeping": "vault.rate:si vault.residency:sd vault.transfer:sd casework.case:s casework.errand:sd",
    "checking": "vault.register:s vault.record:s vault.residency:siu vault.transfer:siu casework.errand:su",
    "reviewing": "vault.register:s vault.record:su vault.key:i vault.link:i vault.review:su vault.verdict:si vault.crowd:s",
}
AUDITOR = (
    "audit.act bridge.announced bridge.bridge bridge.side bridge.trace casework.alert casework.case casework.errand casework.notice"
    " casework.notice_try casework.fact casework.matching casework.signal"
    " ops.endpoint ops.silence"
    " intake.landed intake.original intake.receipt intake.told ops.activation ops.bundle ops.member ops.outbox"
    " ops.parked ops.position ops.reviewer vault.crowd vault.key vault.link vault.rate vault.record vault.register vault.rekeying"
    " vault.residency vault.review vault.transfer vault.verdict"
)
# What a role per purpose may read of a table that others may read more of.
COLUMNS = {
    "tracing": {
        "vault.register": {"register_id", "purpose", "municipality", "sealed_key"},
        "vault.record": {"signal_id", "purpose", "sealed"},
    },
    # Whom a case is about and what was announced of consent; no amount, no partner, no kind of signal.
    "bridging": {
        "casework.signal": {
            "signal_id",
            "purpose",
            "subject",
            "case_id",
            "person_id",
            "status",
            "signal_date",
            "received_at",
            "consent",
        },
    },
    "keeping": {
        "vault.residency": {"case_id", "purpose"},
        "vault.transfer": {"purpose", "offered_at"},
        "casework.case": {"case_id", "purpose", "stands", "decided_at"},
        "casework.errand": {"purpose", "done_at"},
    },
    "telling": {
        "intake.receipt": {"receipt_id", "partner", "purpose", "signal_id", "fate", "action"},
    },
    "delivering": {
        "vault.register": {"register_id", "purpose", "municipality", "sealed_key"},
        "vault.record": {"signal_id", "purpose", "sealed"},
        "casework.case": {
            "case_id",
            "purpose",
            "municipality",
            "status",
            "result",
            "period",
            "matched_on",
            "passed",
        },
        "casework.signal": {
            "signal_id",
            "purpose",
            "signal_type",
            "signal_date",
            "status",
            "facts",
            "case_id",
            "person_id",
        },
        "casework.fact": {"fact_id", "purpose", "case_id", "kind", "detail", "stated_at"},
        "vault.residency": {"case_id", "person_id", "purpose", "answer", "choice", "bsn"},
    },
}
COLUMNS["checking"] = COLUMNS["tracing"]
# Login → the roles it may take, per purpose or by name.
MAY_TAKE = {
    "bereik_intake": {"vault"},
    "bereik_casework": {"casework"},
    "bereik_outreach": {"casework", "telling"},
    "bereik_bridge": {"bridging", "tracing"},
    "bereik_checks": {"casework", "checking"},
    "bereik_operator": {"casework", "bereik_auditor"},
    "bereik_web": {"reviewing"},
    "bereik_dags": {"casework", "keeping", "bereik_auditor"},
    "bereik_linkage": {"linking", "bereik_auditor"},
    "bereik_delivery": {"delivering"},
}
# What nobody but its own process may read of a table that others may read in part.
UNREADABLE = {
    "bereik_auditor": {
        "vault.record": {"sealed"},
        "vault.key": {"key"},
        "vault.residency": {"bsn", "bsn_hash", "found"},
        "vault.register": {"sealed_key"},
        "intake.original": {"sealed"},
        "intake.receipt": {"content"},
        "bridge.trace": {"hash"},
        "ops.outbox": {"messages"},
    }
}


@pytest.fixture(scope="module")
def owner(world: World) -> Iterator[psycopg.Connection]:
    """The owner of the tables."""
    with psycopg.connect(world.stack.settings.owner_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module", autouse=True)
def something_of_each_purpose(world: World) -> None:
    """Rows in every schema, so that seeing none means something."""
    for purpose in world.bundle.purposes:
        kind = next(one for one in world.bundle.signal_types.values() if one.purpose == purpose)
        for place in ("9901", "9902"):
            world.report(kind, place, {**person(), **house(world.bundle, place)})
    world.drain()


def purposes(world: World, prefix: str) -> set[str]:
    """The purposes that have a role with this beginning: every one, but the national delivery only its own."""
    return set(world.bundle.delivered if prefix == "delivering" else world.bundle.purposes)


def login(world: World, role: str) -> psycopg.Connection:
    """A connection under a login role."""
    return psycopg.connect(world.stack.settings.database_url(role), autocommit=True)


def expected(text: str) -> dict[str, str]:
    return dict(part.split(":") for part in text.split())


def rights(owner: psycopg.Connection, role: str) -> dict[str, str]:
    """Table → letters, for every table and view of ours on which the role may do anything at all."""
    found: dict[str, str] = {}
    for verb in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
        by = "has_any_column_privilege" if verb in ("SELECT", "INSERT", "UPDATE") else "has_table_privilege"
        rows = owner.execute(
            f"SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            f" WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname = ANY(%s) AND {by}(%s, c.oid, %s)",
            (list(SCHEMAS), role, verb),
        )
        for (table,) in rows:
            found[table] = found.get(table, "") + (
                verb[0].lower() if verb in ("SELECT", "INSERT", "UPDATE", "DELETE") else verb
            )
    return found


@pytest.mark.parametrize("role", LOGINS)
def test_what_each_login_may_do_by_itself(owner: psycopg.Connection, role: str) -> None:
    assert rights(owner, role) == expected(LOGINS[role])


@pytest.mark.parametrize("prefix", PER_PURPOSE)
def test_what_each_purpose_role_may_do(world: World, owner: psycopg.Connection, prefix: str) -> None:
    for purpose in purposes(world, prefix):
        assert rights(owner, f"{prefix}_{purpose}") == expected(PER_PURPOSE[prefix])


@pytest.mark.parametrize("prefix", COLUMNS)
def test_which_columns_a_purpose_role_may_read(world: World, owner: psycopg.Connection, prefix: str) -> None:
    for purpose in purposes(world, prefix):
        for table, columns in COLUMNS[prefix].items():
            rows = owner.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
                " AND has_column_privilege(%s, attrelid, attnum, 'SELECT')",
                (table, f"{prefix}_{purpose}"),
            )
            assert {row[0] for row in rows} == columns, table


def test_what_the_board_may_read_of_the_vault_says_nothing_about_anybody(owner: psycopg.Connection) -> None:
    """That a case is offered, and which kinds of events wait; never whom it is about, a number or what a register holds."""
    for table, columns in {
        "vault.transfer": {
            "transfer_id", "purpose", "case_id", "municipality", "toward", "team", "offered_at", "decided_at", "accepted",
        },
        "vault.residency": {"case_id", "person_id", "held"},
    }.items():  # fmt: skip
        rows = owner.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " AND has_column_privilege('bereik_web', attrelid, attnum, 'SELECT')",
            (table,),
        )
        assert {row[0] for row in rows} == columns, table


def test_the_bridge_opens_registers_and_never_makes_one(world: World) -> None:
    purpose = sorted(world.bundle.purposes)[0]
    store = Store(world.stack.settings.database_url("bereik_bridge"))
    try:
        registers = Registers(store, world.app.keyring, found_by="tracing")
        assert registers(purpose, "9901").municipality == "9901"
        with pytest.raises(RegisterMissing):
            registers(purpose, "0000")
    finally:
        store.close()


def test_the_auditor_only_reads_and_reads_nothing_sealed(owner: psycopg.Connection) -> None:
    found = rights(owner, "bereik_auditor")
    views = {table for table in found if table.endswith("_count")}
    assert {table: verbs for table, verbs in found.items() if table not in views} == dict.fromkeys(
        AUDITOR.split(), "s"
    )
    for table, columns in UNREADABLE["bereik_auditor"].items():
        for column in columns:
            answer = owner.execute(
                "SELECT has_column_privilege('bereik_auditor', %s, %s, 'SELECT')", (table, column)
            ).fetchone()
            assert answer == (False,), f"{table}.{column}"


def test_which_roles_a_login_may_take(world: World, owner: psycopg.Connection) -> None:
    for name in LOGINS:
        wanted = {
            role if role.startswith("bereik") else f"{role}_{purpose}"
            for role in MAY_TAKE.get(name, ())
            for purpose in purposes(world, role)
        }
        rows = owner.execute(
            "SELECT g.rolname, m.inherit_option FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid"
            " JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = %s",
            (name,),
        ).fetchall()
        assert {row[0] for row in rows} == wanted, name
        assert not any(inherited for _, inherited in rows), "rights come only with SET ROLE"


def test_no_login_is_more_than_a_login(owner: psycopg.Connection) -> None:
    rows = owner.execute(
        "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolinherit"
        " FROM pg_roles WHERE rolname = ANY(%s)",
        (list(LOGINS),),
    ).fetchall()
    assert dict(rows) == dict.fromkeys(LOGINS, False)
    own = owner.execute(
        "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    assert own == (False,)


def test_row_security_is_forced_on_every_table_about_people(owner: psycopg.Connection) -> None:
    rows = owner.execute(
        "SELECT n.nspname || '.' || c.relname, c.relrowsecurity AND c.relforcerowsecurity FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(%s)",
        (list(PEOPLE),),
    ).fetchall()
    assert len(rows) > 10
    assert [table for table, forced in rows if not forced] == []


def test_the_owner_of_the_tables_sees_nobody(owner: psycopg.Connection) -> None:
    tables = owner.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s)", (list(PEOPLE),)
    ).fetchall()
    for table in tables:
        seen = owner.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*table))).fetchone()
        assert seen == (0,), table


def test_nobody_else_may_use_our_schemas(owner: psycopg.Connection) -> None:
    for schema in SCHEMAS:
        assert owner.execute("SELECT has_schema_privilege('public', %s, 'USAGE')", (schema,)).fetchone() == (
            False,
        )


def test_casework_has_no_way_to_the_vault(world: World) -> None:
    for name in (
        "bereik_casework",
        "bereik_outreach",
        "bereik_web",
        "bereik_operator",
        "bereik_dags",
        "bereik_relay",
    ):
        with login(world, name) as connection:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT 1 FROM vault.record")
            for purpose in world.bundle.purposes:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"SET ROLE vault_{purpose}")


def test_no_role_delivers_a_purpose_that_the_national_delivery_does_not_tell_of(
    world: World, owner: psycopg.Connection
) -> None:
    apart = set(world.bundle.purposes) - world.bundle.delivered
    assert apart, "a purpose that is never delivered"
    for purpose in apart:
        assert (
            owner.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (f"delivering_{purpose}",)).fetchone()
            is None
        )


def test_a_purpose_role_sees_and_writes_its_own_purpose_only(world: World) -> None:
    one, other = sorted(world.bundle.purposes)[:2]
    with login(world, "bereik_casework") as connection:
        connection.execute(f"SET ROLE casework_{one}")
        for table in ("signal", "case", "alert"):
            seen = connection.execute(f"SELECT DISTINCT purpose FROM casework.{table}").fetchall()
            assert seen == [(one,)], table
        changed = connection.execute("UPDATE casework.case SET team = team WHERE purpose = %s", (other,))
        assert changed.rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO casework.fact (fact_id, purpose, case_id, kind, detail, stated_by, stated_at)"
                " VALUES (gen_random_uuid(), %s, gen_random_uuid(), 'x', '{}', 'x', now())",
                (other,),
            )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE casework.signal SET purpose = %s", (other,))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM casework.fact")
    with login(world, "bereik_bridge") as connection:
        connection.execute(f"SET ROLE tracing_{one}")
        for table in ("register", "record"):
            seen = connection.execute(f"SELECT DISTINCT purpose FROM vault.{table}").fetchall()
            assert seen == [(one,)], table
    with login(world, "bereik_intake") as connection:
        connection.execute(f"SET ROLE vault_{one}")
        for table in ("register", "record", "link", "key"):
            seen = connection.execute(f"SELECT DISTINCT purpose FROM vault.{table}").fetchall()
            assert seen == [(one,)], table


def test_without_its_own_role_a_consumer_sees_nothing_of_people(world: World) -> None:
    for name in ("bereik_casework", "bereik_outreach", "bereik_bridge", "bereik_intake"):
        with login(world, name) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT 1 FROM casework.case")


def test_the_board_sees_nothing_without_a_user(world: World) -> None:
    with login(world, "bereik_web") as connection:
        for user in (None, "", "nobody", "' OR true --"):
            if user is not None:
                connection.execute("SELECT set_config('bereik.user', %s, false)", (user,))
            for table in (
                "casework.case",
                "casework.signal",
                "casework.fact",
                "casework.alert",
                "bridge.side",
                "bridge.bridge",
                "bridge.announced",
            ):
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), (user, table)


def test_the_board_cannot_make_somebody_a_member(world: World) -> None:
    with login(world, "bereik_web") as connection:
        for statement in (
            "INSERT INTO ops.member VALUES ('x', 'schuldhulp', '9901', '9901-triage')",
            "UPDATE ops.member SET team = team",
            "SELECT 1 FROM audit.act",
            "SELECT 1 FROM intake.receipt",
            "SELECT 1 FROM bridge.trace",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_what_people_did_is_never_changed_or_removed(world: World, owner: psycopg.Connection) -> None:
    roles = [*LOGINS, *(f"{prefix}_{p}" for prefix in PER_PURPOSE for p in purposes(world, prefix))]
    for table in ("casework.fact", "audit.act", "intake.receipt", "intake.landed", "vault.link"):
        for verb in ("UPDATE", "DELETE", "TRUNCATE"):
            may = [
                role
                for role in roles
                if owner.execute("SELECT has_table_privilege(%s, %s, %s)", (role, table, verb)).fetchone()
                == (True,)
            ]
            assert may == [], (table, verb)


def test_the_database_samples_no_documents_and_no_sealed_values(world: World) -> None:
    with psycopg.connect(world.stack.settings.database_url("postgres"), autocommit=True) as owner:
        owner.execute("ANALYZE")
        found = owner.execute(
            "SELECT s.schemaname || '.' || s.tablename, s.attname FROM pg_stats s JOIN information_schema.columns c"
            " ON (c.table_schema, c.table_name, c.column_name) = (s.schemaname, s.tablename, s.attname)"
            " WHERE c.data_type IN ('jsonb', 'bytea') AND s.schemaname = ANY(%s)",
            (list(PEOPLE),),
        ).fetchall()
    # Looked up by: two keyed hashes, whether there is a consent or a difference, and the registers themselves.
    assert set(found) <= {
        ("bridge.trace", "hash"),
        ("casework.signal", "consent"),
        ("vault.register", "sealed_key"),
        ("vault.residency", "bsn_hash"),
        ("vault.residency", "held"),
    }
