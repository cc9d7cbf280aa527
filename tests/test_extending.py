"""A stranger's measure, format, benchmark and evaluator: one file each, used from the command line.

What a plugin registers is gone after each command, as in processes of their own. Those take ten
times as long; the page on extending runs in them, see ``test_docs.py``.
"""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner

import driftkit
from driftkit import plugins
from driftkit.cli import main
from driftkit.datasets import catalog
from driftkit.evaluators import registry as evaluators
from driftkit.loaders.formats import registry as formats
from driftkit.measures import registry as measures

REGISTRIES = (
    measures.REGISTRY, measures._COMPUTATIONS, catalog.REGISTRY, evaluators.EVALUATORS,
)  # fmt: skip
ROOT = Path(driftkit.__file__).parents[1]

MEASURE = """
import numpy as np
import driftkit as dk
from driftkit.measures import Measure

print("this is no result")

def largest_change(pair):
    print("nor is this")
    return np.abs(pair.after - pair.before).max(axis=1)

dk.register_measure(
    Measure("largest_change", "word", 0, np.inf, higher_is_better=False, identity=0,
            summary="Largest change of a coordinate.", source="this test"),
    largest_change,
)
"""

FORMAT = """
import json
import driftkit as dk

def tells(head):
    return head.startswith(b'{"jvec"')

def read(request):
    vectors = json.loads(request.path.read_bytes())["jvec"]
    return dk.Embeddings(list(vectors), list(vectors.values()))

dk.register_format("jvec", "JSON of vectors (.jvec)", tells, read, endings=[".jvec"])
"""

BENCHMARK = """
import numpy as np
import driftkit as dk
from driftkit.datasets import SimilarityBenchmark

PAIRS = {("good", "great"): 9, ("war", "peace"): 6, ("day", "night"): 7, ("man", "woman"): 8,
         ("year", "month"): 8, ("city", "town"): 9, ("good", "month"): 1, ("war", "night"): 2,
         ("town", "peace"): 1, ("man", "day"): 2}

def ten_pairs():
    return SimilarityBenchmark("ten_pairs", tuple(PAIRS), np.array([*PAIRS.values()], float))

dk.register_benchmark("ten_pairs", ten_pairs, citation="Ten pairs of words")
"""

EVALUATOR = """
from typing import NamedTuple
import numpy as np
import driftkit as dk
from driftkit.evaluators import Evaluation, PairedAnswers, Score, find_items
from driftkit.measures import Measure

class Triplets(NamedTuple):
    name: str
    words: tuple[tuple[str, str, str], ...]

class TripletChoice:
    measure = "triplet_choice"

    def __init__(self, benchmark):
        self.benchmark = benchmark

    def right(self, matrix, items):
        rows = matrix[items.rows[items.usable]]
        rows = rows / np.linalg.norm(rows, axis=2, keepdims=True)
        return (rows[:, 0] * (rows[:, 1] - rows[:, 2])).sum(axis=1) > 0

    def score(self, table):
        items = find_items(self.benchmark.words, table.index, table.norms == 0)
        share = float(self.right(table.matrix, items).mean())
        return Evaluation([Score.of(items, table, self, share)])

    def compare(self, pair):
        items = find_items(self.benchmark.words, pair.index, pair.zero)
        before, after = (self.right(side, items) for side in (pair.before, pair.after))
        return PairedAnswers(self.measure, pair, items, before, after)

def opposites():
    words = ("good", "great", "bad"), ("early", "soon", "late"), ("won", "beat", "lost")
    return Triplets("opposites", words)

dk.register_measure(
    Measure("triplet_choice", "triplets", 0, 1, higher_is_better=True, source="this test",
            summary="Share of words closer to one like it than to its opposite.")
)
dk.register_evaluator(Triplets, TripletChoice)
dk.register_benchmark("opposites", opposites)
"""


@pytest.fixture
def driftkit_in(saved, tmp_path, monkeypatch):
    """Run driftkit in a folder that holds the tables and the four files; return click's result."""
    for file in saved.iterdir():
        (tmp_path / file.name).symlink_to(file)
    for name, text in {
        "measure": MEASURE, "format": FORMAT, "benchmark": BENCHMARK, "evaluator": EVALUATOR,
    }.items():  # fmt: skip
        (tmp_path / f"my_{name}.py").write_text(text, encoding="utf-8")
    (tmp_path / "tiny.jvec").write_text('{"jvec": {"good": [1, 0.5], "bad": [-1, 0.5]}}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTKIT_PLUGINS", raising=False)

    def run(*args, code=0, **environment):
        with ExitStack() as kept:
            for registry in REGISTRIES:
                kept.enter_context(patch.dict(registry))
            kept.enter_context(patch.object(formats, "_REGISTERED", []))
            kept.enter_context(patch.object(plugins, "_loaded", set()))
            done = CliRunner().invoke(main, args, env=environment)
        assert done.exit_code == code, done.stderr
        return done

    return run


TABLES = ("original.npy", "tuned.pt::embedding.weight", "--resamples", "100")


def test_a_measure_in_audit_and_in_a_rule(driftkit_in):
    plugin = ("--plugin", "my_measure.py", "-b", "ws353")
    audited = driftkit_in("audit", *TABLES, *plugin, "-m", "largest_change", "--json", "-")
    drift = json.loads(audited.stdout)["drift"]["largest_change"]
    assert drift["moved"]["mean"] > 1
    assert drift["unmoved"]["mean"] == 0
    rule = "largest_change mean[moved] <= 0.5"
    checked = driftkit_in("check", *TABLES, *plugin, "-r", rule, code=1)
    assert "Failed: 1 of 1 check: largest_change mean[moved] is" in checked.stdout
    unknown = driftkit_in("check", *TABLES, "-r", rule, code=2)
    assert "unknown measure, count or question 'largest_change'" in unknown.stderr


def test_plugins_of_the_environment_are_there_in_python_too(driftkit_in, tmp_path):
    code = (
        "import driftkit as dk\n"
        "from driftkit.measures import parse_measure\n"
        "from driftkit.datasets import look_up\n"
        "print(parse_measure('largest_change'), look_up('ten_pairs').name, dk.load('tiny.jvec'))"
    )
    plugins = "my_measure.py,my_benchmark.py,my_format.py"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DRIFTKIT_PLUGINS": plugins},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("largest_change ten_pairs ")


def test_a_format_in_inspect_and_convert(driftkit_in, tmp_path):
    listed = driftkit_in("inspect", "tiny.jvec", "--plugin", "my_format.py", "--json", "-")
    assert "jvec" in listed.stdout
    driftkit_in("convert", "tiny.jvec", "tiny.txt", DRIFTKIT_PLUGINS="my_format.py")
    table = driftkit.load(tmp_path / "tiny.txt")
    assert (table.words, table.matrix.tolist()) == (("good", "bad"), [[1, 0.5], [-1, 0.5]])


def test_a_benchmark_in_the_list_in_score_and_in_a_rule(driftkit_in):
    plugin = ("--plugin", "my_benchmark.py")
    assert "ten_pairs" in driftkit_in("datasets", "list", *plugin).stdout
    scored = driftkit_in("score", "original.npy", *plugin, "-b", "ten_pairs", "--json", "-")
    assert {each["benchmark"] for each in json.loads(scored.stdout)["results"]} == {"ten_pairs"}
    rule = "spearman[ten_pairs] tuned >= -1"
    checked = driftkit_in("check", *TABLES, *plugin, "-r", rule, "--not-measured", "pass")
    assert "spearman[ten_pairs] tuned" in checked.stdout


def test_an_evaluator_in_score_audit_and_a_rule(driftkit_in):
    plugin = ("--plugin", "my_evaluator.py", "-b", "opposites")
    scored = driftkit_in("score", "original.npy", *plugin, "--json", "-")
    (result,) = json.loads(scored.stdout)["results"]
    assert (result["measure"], result["n_used"]) == ("triplet_choice", 3)
    audited = driftkit_in("audit", *TABLES, *plugin, "--json", "-")
    assert "triplet_choice" in audited.stdout
    rule = "triplet_choice[opposites] original >= 0"
    assert "triplet_choice[opposites]" in driftkit_in("check", *TABLES, *plugin, "-r", rule).stdout
