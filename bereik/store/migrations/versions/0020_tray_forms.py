"""A decision in the tray may be asked for by a form of the board, about somebody of a case that one's team has."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute(
        "ALTER POLICY own_name ON casework.errand WITH CHECK ("
        " asked_by = nullif(current_setting('bereik.user', true), '')"
        " AND CASE kind"
        " WHEN 'offer_answered' THEN EXISTS (SELECT 1 FROM vault.transfer t"
        "  WHERE t.transfer_id = errand.about AND t.purpose = errand.purpose AND t.decided_at IS NULL)"
        " WHEN 'consent' THEN EXISTS (SELECT 1 FROM bridge.announced a"
        "  WHERE a.case_id = errand.about AND a.purpose = errand.purpose AND a.person_id::text = errand.detail->>'person_id'"
        "  AND a.toward = errand.detail->>'toward' AND a.form = errand.detail->>'form' AND a.who = errand.detail->>'who')"
        # Of the vault the board may know that this person of a case of its team was asked about, and nothing of the answer.
        " WHEN 'repaired' THEN EXISTS (SELECT 1 FROM casework.case c JOIN vault.residency d USING (case_id)"
        "  WHERE c.case_id = errand.about AND c.purpose = errand.purpose AND c.stands"
        "  AND d.person_id::text = errand.detail->>'person_id')"
        " ELSE false END)"
    )
