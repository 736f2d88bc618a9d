"""Mutation testing of the pure core of `cases.decide`. Run: make mutants, or python tests/mutants.py [FUNCTION ...].

mutmut changes the code in small ways, one at a time, and runs the fast tests of the core (pyproject.toml: [tool.mutmut]). A change
that no test notices survived. The score is the share that was noticed; below `FLOOR` this exits with 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
FLOOR = 85.0
# What `decide` calls. Of residency that is one function; its others have tests of their own that are not among the fast ones here.
CORE = ("bereik.cases.*", "bereik.lifecycle.*", "bereik.routing.*", "bereik.residency.x_outcome*")
# Exit code of a mutant's tests, as mutmut keeps it: 0 nobody noticed, 33 no test reaches it; anything else was noticed.
_SURVIVED, _UNREACHED = 0, 33


def main(functions: list[str]) -> int:
    """Run the mutants of these functions (all of the core without any), and say what survived, by function."""
    wanted = [f"*{name}*" for name in functions] or list(CORE)
    # One at a time and behind everything else: it takes a quarter of an hour of one core.
    command = ["nice", "-n", "10", str(BIN / "mutmut"), "run", "--max-children", "1", *wanted]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        return 1
    survived: Counter[str] = Counter()
    judged = 0
    for file in sorted((ROOT / "mutants" / "bereik").glob("*.meta")):
        for name, code in json.loads(file.read_text("utf-8"))["exit_code_by_key"].items():
            if code is None:
                continue
            judged += 1
            if code in (_SURVIVED, _UNREACHED):
                survived[name.rpartition("__mutmut_")[0]] += 1
    for name, number in sorted(survived.items()):
        print(f"{number:4} survived in {name.replace('.x_', '.')}")
    score = 100 * (1 - survived.total() / judged) if judged else 0.0
    print(
        f"{judged - survived.total()} of {judged} mutants were noticed: {score:.1f} % (at least {FLOOR:.0f} %)"
    )
    print("What a survivor is: mutmut results, then mutmut show NAME")
    return 0 if score >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
