"""Stored bundles and which one is active."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from bereik.store import Tx


def save(tx: Tx, sha256: str, document: dict[str, Any]) -> int:
    """Keep a bundle; its id, also when it was there."""
    tx.execute(
        "INSERT INTO ops.bundle (sha256, document) VALUES (%s, %s) ON CONFLICT (sha256) DO NOTHING",
        (sha256, Jsonb(document)),
    )
    return int(tx.rows("SELECT bundle_id FROM ops.bundle WHERE sha256 = %s", (sha256,))[0][0])


def activate(tx: Tx, bundle_id: int, by: str) -> bool:
    """Make a bundle the active one; False when it is already."""
    if active_id(tx) == bundle_id:
        return False
    tx.execute("INSERT INTO ops.activation (bundle_id, activated_by) VALUES (%s, %s)", (bundle_id, by))
    return True


def active_id(tx: Tx) -> int | None:
    """The id of the active bundle; None before the first activation."""
    found = tx.rows("SELECT bundle_id FROM ops.activation ORDER BY activation_id DESC LIMIT 1")
    return int(found[0][0]) if found else None


def document(tx: Tx, bundle_id: int) -> dict[str, Any]:
    """The document of a stored bundle."""
    found: dict[str, Any] = tx.rows("SELECT document FROM ops.bundle WHERE bundle_id = %s", (bundle_id,))[0][
        0
    ]
    return found


def history(tx: Tx) -> list[tuple[str, str, str]]:
    """Every activation, newest first: (sha256, when, by whom)."""
    found = tx.rows(
        "SELECT b.sha256, a.activated_at::text, a.activated_by FROM ops.activation a JOIN ops.bundle b USING (bundle_id)"
        " ORDER BY a.activation_id DESC"
    )
    return [(row[0], row[1], row[2]) for row in found]
