"""`bereik down`: stop the embedded stack; nothing of it is left running, its data stays."""

from __future__ import annotations

import argparse
from typing import Any

from bereik.runtime import Stack
from bereik.runtime.stack import home_from_env


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("down", help="stop everything")
    command.add_argument(
        "--remove-data", action="store_true", help="also remove the folder with all data, for good"
    )
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Stop everything."""
    stack = Stack(home_from_env())
    if arguments.remove_data:
        stack.destroy()
        print(f"Stopped, and {stack.home} is removed.")
    else:
        stack.down()
        print(f"Stopped. The data is still in {stack.home}")
    return 0
