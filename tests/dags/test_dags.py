"""The DAG files: they load, they are light, and they are thin."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "dags").glob("*.py"))
IDS = {"collect", "quality", "clock", "train", "delivery", "rounds", "relink"}

LOAD = """
import json, sys, time
began = time.monotonic()
import airflow.sdk
ready = time.monotonic()
from airflow.dag_processing.dagbag import DagBag
bag_ready = time.monotonic()
bag = DagBag(dag_folder=sys.argv[1])
heavy = ("great_expectations", "pandas", "kafka", "psycopg", "openpyxl", "splink", "duckdb", "bereik")
print(json.dumps({
    "errors": bag.import_errors,
    "warnings": [str(one) for one in getattr(bag, "captured_warnings", {}).values()],
    "tasks": {name: sorted(dag.task_ids) for name, dag in bag.dags.items()},
    "paused": {name: dag.is_paused_upon_creation for name, dag in bag.dags.items()},
    "catchup": {name: dag.catchup for name, dag in bag.dags.items()},
    "at_once": {name: dag.max_active_runs for name, dag in bag.dags.items()},
    "heavy": [name for name in heavy if name in sys.modules],
    "seconds": time.monotonic() - bag_ready,
}))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """All DAG files loaded by Airflow itself, in a process and an Airflow home of their own."""
    home = tmp_path_factory.mktemp("airflow")
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "BEREIK"))}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(ROOT / "dags")],
        env={**kept, **settings},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def test_every_dag_loads(loaded: dict[str, object]) -> None:
    assert loaded["errors"] == {} and loaded["warnings"] == []
    assert loaded["tasks"] == {
        "collect": ["publish", "waiting"],
        "quality": ["landed", "partners", "tables"],
        "clock": ["checks", "files", "landed", "matched", "rates"],
        "train": ["propose"],
        "delivery": ["deliver"],
        "rounds": ["look"],
        "relink": ["place", "registers"],
    }


def test_loading_imports_nothing_heavy(loaded: dict[str, object]) -> None:
    """Every scheduler loop pays for what a DAG file imports; Great Expectations alone is 2.6 s and 200 MB."""
    assert loaded["heavy"] == []
    print(f"DAG files loaded in {loaded['seconds']:.2f} s")


def test_dags_run_one_at_a_time_and_start_unpaused_without_catching_up(loaded: dict[str, object]) -> None:
    assert loaded["paused"] == dict.fromkeys(IDS, False)
    assert loaded["catchup"] == dict.fromkeys(IDS, False)
    assert loaded["at_once"] == dict.fromkeys(IDS, 1)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dag_file_only_says_when(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {node.module or "" for node in top if isinstance(node, ast.ImportFrom)}
    assert modules <= {"__future__", "datetime", "airflow.sdk"} and not [
        n for n in top if isinstance(n, ast.Import)
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in top:
            assert node.module == "bereik.app", "a task asks the app, nothing deeper"
        assert not isinstance(node, ast.For | ast.While | ast.Try | ast.With), "logic belongs in the package"
        assert not (isinstance(node, ast.Attribute) and node.attr == "now"), (
            "a task works on a window, not on now"
        )
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        if any("task" in ast.dump(decorator) for decorator in function.decorator_list):
            assert ast.unparse(function.returns) in ("int", "list[str]"), "a count or ids, never a row"  # type: ignore[arg-type]
            assert len(function.body) <= 3
    assert len(path.read_text("utf-8").splitlines()) <= 70
