"""Receipts of one purpose, as far as a word about a signal needs them: which receipt, which partner, and what was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bereik.ports import ToldRow
from bereik.store import Tx, uuids


class TellingRows:
    """What partners were told on the receipts of one purpose."""

    def __init__(self, tx: Tx, purpose: str) -> None:
        self._tx, self._purpose = tx, purpose

    def tell(self, rows: Sequence[ToldRow], first: str) -> list[tuple[str, str, int, str, str | None, date]]:
        """Write words that are news: (partner, receipt, version, word, code, day). `first` is what every receipt said."""
        found = self._tx.rows(
            "WITH asked AS (SELECT r.receipt_id, r.partner, coalesce(l.version, 1) + 1 AS version, w.word, w.code, w.told_on"
            " FROM unnest(%(ids)s::uuid[], %(words)s::text[], %(codes)s::text[], %(days)s::date[])"
            "   AS w (signal_id, word, code, told_on)"
            # Each by itself: a join read every receipt while the table had no statistics (DECISIONS 35).
            " CROSS JOIN LATERAL (SELECT receipt_id, partner FROM intake.receipt r WHERE r.signal_id = w.signal_id"
            "   AND r.fate = 'accepted' AND r.action = 'report' OFFSET 0) r"
            " LEFT JOIN LATERAL (SELECT version, word, code FROM intake.told t WHERE t.receipt_id = r.receipt_id"
            "   ORDER BY version DESC LIMIT 1) l ON true"
            " WHERE (coalesce(l.word, %(first)s), l.code) IS DISTINCT FROM (w.word, w.code)),"
            " news AS (INSERT INTO intake.told (receipt_id, purpose, version, word, code, told_on)"
            "   SELECT receipt_id, %(purpose)s, version, word, code, told_on FROM asked)"
            " SELECT partner, receipt_id::text, version, word, code, told_on FROM asked",
            {
                "purpose": self._purpose,
                "first": first,
                "ids": uuids([row.signal_id for row in rows]),
                "words": [row.word for row in rows],
                "codes": [row.code for row in rows],
                "days": [row.on for row in rows],
            },
        )
        return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in found]
