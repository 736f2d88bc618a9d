"""The national delivery reads when a case was matched and which of its signals stand apart, and still not the decision itself.

Columns made of the decision, so that nothing is written twice. `make_date`, because a cast to `date` depends on settings
and PostgreSQL generates no column from one.
"""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE casework.case"
        # A decision of before 0009 says neither: everything was matched on receipt then, and a case had one state.
        " ADD COLUMN matched_on date GENERATED ALWAYS AS (coalesce(make_date("
        "  substr(decision ->> 'matched_on', 1, 4)::integer, substr(decision ->> 'matched_on', 6, 2)::integer,"
        "  substr(decision ->> 'matched_on', 9, 2)::integer),"
        "  (received_at AT TIME ZONE 'Europe/Amsterdam')::date)) STORED,"
        " ADD COLUMN passed jsonb GENERATED ALWAYS AS (coalesce(decision -> 'passed', '{}')) STORED"
    )
