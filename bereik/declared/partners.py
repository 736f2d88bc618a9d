"""Who may send, and what it agreed with whom: `schemas/partners/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bereik.declared.rows import day


@dataclass(frozen=True, slots=True)
class Agreement:
    """What one partner agreed with one municipality. `attested` are the steps the agreement itself vouches for.

    `consent_forms` are the versions of forms on which it may report that somebody agreed to a bridge.
    """

    municipality: str
    signal_types: frozenset[str]
    start: date
    end: date | None
    attestation: str  # "agreement" | "delivery" | "row": where the steps outside `attested` are vouched for
    attested: frozenset[str]
    feedback: tuple[str, ...]
    consent_forms: frozenset[str] = frozenset()

    def in_force(self, on: date) -> bool:
        """Whether the agreement holds on that day; both ends count."""
        return self.start <= on and (self.end is None or on <= self.end)


@dataclass(frozen=True, slots=True)
class RowKinds:
    """How rows of a file say that they take back or correct an earlier one: the column of the word, that of the reason.

    `actions` are "withdraw" and "correct", by the partner's word in small letters. Both columns may be left out of a file.
    """

    column: str
    reason: str
    actions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation that may send. `columns` maps a column of its file to a data field (a dot goes one deeper)."""

    id: str
    name: str
    sector: str
    source: str
    oin: str | None
    kvk: str | None
    door: str  # "kafka" | "file"
    contact_language: str  # "nl" | "en"
    agreements: tuple[Agreement, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    file_signal_type: str | None = None
    file_format: str | None = None  # "csv" | "xlsx"
    delimiter: str = ";"
    encoding: str = "utf-8"
    date_format: str = "%Y-%m-%d"
    yes_word: str = "ja"
    no_word: str = "nee"
    row_kinds: RowKinds | None = None

    @property
    def signal_types(self) -> frozenset[str]:
        """Every type this partner has, or had, an agreement for."""
        return frozenset(kind for agreement in self.agreements for kind in agreement.signal_types)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Partner:
        """The partner in a row of the document."""
        layout = row.get("file", {})
        return cls(
            id=row["id"],
            name=row["name"],
            sector=row["sector"],
            source=row["source"],
            oin=row.get("oin"),
            kvk=row.get("kvk"),
            door=row["door"],
            contact_language=row["contactLanguage"],
            agreements=tuple(
                Agreement(
                    municipality=item["municipality"],
                    signal_types=frozenset(item["signalTypes"]),
                    start=date.fromisoformat(item["start"]),
                    end=day(item.get("end")),
                    attestation=item["attestation"],
                    attested=frozenset(item["attested"]),
                    feedback=tuple(item["feedback"]),
                    consent_forms=frozenset(item.get("consentForms", ())),
                )
                for item in row["agreements"]
            ),
            columns=layout.get("columns", {}),
            file_signal_type=layout.get("signalType"),
            file_format=layout.get("format"),
            delimiter=layout.get("delimiter", ";"),
            encoding=layout.get("encoding", "utf-8"),
            date_format=layout.get("dateFormat", "%Y-%m-%d"),
            yes_word=layout.get("yes", "ja"),
            no_word=layout.get("no", "nee"),
            row_kinds=_row_kinds(layout["rows"]) if "rows" in layout else None,
        )


def _row_kinds(row: Mapping[str, Any]) -> RowKinds:
    actions = {row[action].casefold(): action for action in ("withdraw", "correct") if action in row}
    return RowKinds(row["column"], row["reason"], actions)
