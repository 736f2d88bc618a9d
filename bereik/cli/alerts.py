"""`bereik alerts`: what teams were told by mail and webhook, what waits, and which endpoints rest."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from bereik.app import App
from bereik.cli import show


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("alerts", help="what teams were told by mail and webhook, and what waits")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when all that was due was taken; 1 when an endpoint rests or a message was refused for good."""
    counts, rests, gathering = App.from_env().silences.counts()
    if arguments.json:
        show(
            {
                "notices": [asdict(one) for one in counts],
                "resting": [asdict(one) for one in rests],
                "gathering": gathering,
            }
        )
    else:
        for one in counts:
            print(f"{one.team:24} {one.outlet:8} {one.state:8} {one.notices:6}  {one.outcome or ''}")
        for team, waiting in gathering.items():
            print(f"{team:24} {'':8} gathers  {waiting:6}")
        for rest in rests:
            print(
                f"{rest.outlet} {rest.target} rests until {rest.until:%Y-%m-%d %H:%M:%S} UTC: {rest.outcome}"
            )
        if not counts and not gathering:
            print("Nothing was sent and nothing waits.")
    return 1 if rests or any(one.state == "parked" for one in counts) else 0
