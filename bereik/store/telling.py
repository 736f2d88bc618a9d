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
            "WITH news AS (INSERT INTO intake.told (receipt_id, purpose, version, word, code, told_on)"
            " SELECT r.receipt_id, %(purpose)s, coalesce(l.version, 1) + 1, w.word, w.code, w.told_on"
            " FROM unnest(%(ids)s::uuid[], %(words)s::text[], %(codes)s::text[], %(days)s::date[])"
            "   AS w (signal_id, word, code, told_on)"
            " JOIN intake.receipt r ON r.signal_id = w.signal_id AND r.fate = 'accepted' AND r.action = 'report'"
            " LEFT JOIN LATERAL (SELECT version, word, code FROM intake.told t WHERE t.receipt_id = r.receipt_id"
            "   ORDER BY version DESC LIMIT 1) l ON true"
            " WHERE (coalesce(l.word, %(first)s), l.code) IS DISTINCT FROM (w.word, w.code)"
            " RETURNING receipt_id, version, word, code, told_on)"
            " SELECT r.partner, n.receipt_id::text, n.version, n.word, n.code, n.told_on"
            " FROM news n JOIN intake.receipt r USING (receipt_id)",
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
