"""Contracts: one ODCS `schema[]` entry compiled to a row checker. The only row checker there is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, and what would be right; never the value."""

    field: str
    rule: str
    expected_nl: str
    expected_en: str


class Contract:
    """A compiled contract."""
