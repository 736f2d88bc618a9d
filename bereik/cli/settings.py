"""`bereik settings`: every setting, whether it is set and from where; never a secret's value."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from bereik import settings
from bereik.cli import show


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("settings", help="every setting, and which are set here")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.add_argument("--into", type=Path, help="renew the table in this page (docs/deploy.md)")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0; `NotConfigured` when a NAME_FILE cannot be read."""
    if arguments.into:
        page = arguments.into.read_text(encoding="utf-8")
        arguments.into.write_text(settings.into(page), encoding="utf-8")
        return 0
    found = settings.read(os.environ)
    rows = []
    for one in settings.SETTINGS:
        source = "file" if os.environ.get(f"{one.name}_FILE") else "set" if found.get(one.name) else "default"
        value = found.get(one.name) or one.default or ""
        rows.append(
            {"name": one.name, "from": source, "value": "…" if one.secret and found.get(one.name) else value}
        )
    if arguments.json:
        show(rows)
    else:
        for row in rows:
            print(f"  {row['name']:32} {row['from']:8} {row['value']}")
    return 0
