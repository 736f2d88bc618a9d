"""What rows of several kinds hold alike: a day that may be open, and labels that have to match."""

from collections.abc import Mapping
from datetime import date


def day(text: str | None) -> date | None:
    """The day that a text names as yyyy-mm-dd; None for an end that is open."""
    return date.fromisoformat(text) if text else None


def match(row: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """The values that each label may have; no labels match everything."""
    return {label: tuple(values) for label, values in row.items()}
