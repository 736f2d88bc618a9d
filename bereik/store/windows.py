"""What landed in a window of time, in counts. As role `bereik_auditor`: no event id and no sealed value is read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bereik.store import Tx

# Earlier windows to compare with: four of a week or a day back are enough for a median, and cost one index-less scan.
EARLIER = 4

_COUNTS = """
SELECT door,
       count(*) AS received,
       count(*) FILTER (WHERE fate = 'accepted') AS accepted,
       count(*) FILTER (WHERE fate = 'duplicate') AS duplicate,
       count(*) FILTER (WHERE fate = 'refused') AS refused,
       count(*) FILTER (WHERE fate = 'parked') AS parked,
       count(*) FILTER (WHERE municipality IS NULL AND action IS DISTINCT FROM 'withdraw') AS placeless
FROM intake.receipt
WHERE partner = %s AND received_at >= %s AND received_at < %s
GROUP BY door ORDER BY door
"""

_USUAL = """
SELECT door, percentile_cont(0.5) WITHIN GROUP (ORDER BY received)
FROM (SELECT door, floor(extract(epoch FROM %(start)s - received_at) / %(seconds)s) AS back, count(*) AS received
      FROM intake.receipt
      WHERE partner = %(partner)s AND received_at < %(start)s
        AND received_at >= %(start)s - make_interval(secs => %(seconds)s * %(earlier)s)
      GROUP BY 1, 2) AS windows
GROUP BY door
"""


def landed(tx: Tx, partner: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """One row per door of a partner: counts, shares, and the volume against the median of earlier windows."""
    seconds = (end - start).total_seconds()
    with tx.role("bereik_auditor"):
        counted = tx.rows(_COUNTS, (partner, start, end))
        usual: dict[str, float] = {
            door: float(median)
            for door, median in tx.rows(
                _USUAL, {"partner": partner, "start": start, "seconds": seconds, "earlier": EARLIER}
            )
        }
    names = ("door", "received", "accepted", "duplicate", "refused", "parked", "placeless")
    rows = []
    for counts in counted:
        row: dict[str, Any] = dict(zip(names, counts, strict=True))
        for name in ("refused", "duplicate", "placeless"):
            row[f"{name}_share"] = row[name] / row["received"]
        # None: there is no earlier window, so no expectation of the volume.
        row["volume_ratio"] = row["received"] / usual[row["door"]] if row["door"] in usual else None
        rows.append(row)
    return rows


def partners(tx: Tx, start: datetime, end: datetime) -> list[str]:
    """Partners with anything landed in the window."""
    with tx.role("bereik_auditor"):
        found = tx.rows(
            "SELECT DISTINCT partner FROM intake.receipt WHERE received_at >= %s AND received_at < %s ORDER BY 1",
            (start, end),
        )
    return [partner for (partner,) in found]
