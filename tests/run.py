"""Run every check and then every test, and end with one plain line. Run: python tests/run.py [--check-only] [pytest arguments]."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
CODE = ("bereik", "consumers", "dags", "tests")


def checks() -> list[tuple[str, list[str]]]:
    """Name and command of every static check, cheapest first."""
    code = [name for name in CODE if (ROOT / name).is_dir()]
    typed = [name for name in code if name != "tests"]
    return [
        ("ruff check", [str(BIN / "ruff"), "check", "--quiet", *code]),
        ("ruff format", [str(BIN / "ruff"), "format", "--check", "--quiet", *code]),
        ("lint-imports", [str(BIN / "lint-imports"), "--no-cache"]),
        ("bereik check", [str(BIN / "bereik"), "check"]),
        ("mypy --strict", [str(BIN / "mypy"), "--strict", "--no-error-summary", *typed]),
    ]


def run_checks() -> list[str]:
    """Run all checks, print the output of those that fail, and return their names."""
    failed = []
    for name, command in checks():
        began = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        verdict = "ok" if done.returncode == 0 else "FAILED"
        print(f"check {name:14} {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
        if done.returncode:
            print(done.stdout + done.stderr, flush=True)
            failed.append(name)
    return failed


def main(arguments: list[str]) -> int:
    """Checks first; tests also when a check failed, so that one run tells everything. Exit 0 only when all is well."""
    failed = run_checks()
    if arguments == ["--check-only"]:
        return 1 if failed else 0
    # conftest.py writes the closing line itself and reads from here how many checks it must count as failed.
    os.environ["BEREIK_FAILED_CHECKS"] = ",".join(failed)
    done = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False)
    return 1 if failed or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
