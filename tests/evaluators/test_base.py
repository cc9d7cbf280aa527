"""An evaluator, a measure and a benchmark of a stranger, everywhere that a benchmark is taken."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from click.testing import CliRunner

import driftkit as dk
from driftkit.cli import main
from driftkit.errors import BenchmarkError, OptionError, UnknownNameError
from driftkit.evaluators import Evaluation, Evaluator, PairedAnswers, Score, Similarity, find_items
from driftkit.measures.measure import Measure
from driftkit.measures.registry import REGISTRY


@dataclass(frozen=True)
class Lengths:
    """Pairs of words, the first of which has the longer vector."""

    name: str
    pairs: tuple[tuple[str, str], ...]


class Longer:
    measure = "longer"

    def __init__(self, benchmark: Lengths) -> None:
        self.benchmark = benchmark

    def right(self, matrix, items):
        first, second = np.linalg.norm(matrix[items.rows[items.usable]], axis=2).T
        return first > second

    def score(self, table):
        items = find_items(self.benchmark.pairs, table.index, table.norms == 0)
        return Evaluation([Score.of(items, table, self, self.right(table.matrix, items).mean())])

    def compare(self, pair):
        items = find_items(self.benchmark.pairs, pair.index, pair.zero)
        before, after = (self.right(side, items) for side in (pair.before, pair.after))
        return PairedAnswers(self.measure, pair, items, before, after)


WORDS = [f"w{i}" for i in range(120)]
TOY = Lengths("lengths", tuple((f"w{i}", f"w{i + 60}") for i in range(60)))


@pytest.fixture
def pair() -> dk.Pair:
    before = np.ones((120, 3))
    before[:60] *= 2
    after = before.copy()
    after[:20] *= 0.1
    return dk.align(dk.Embeddings(WORDS, before), dk.Embeddings(WORDS, after))


@pytest.fixture
def registered() -> None:
    """The measure, the evaluator and the benchmark of the stranger."""
    measure = Measure("longer", "lengths", 0, 1, True, "Share of pairs.", "here", margin=0.02)
    REGISTRY["longer"] = measure
    dk.register_evaluator(Lengths, Longer)
    dk.register_benchmark("lengths", lambda: TOY, task="lengths")


def test_four_names_are_enough_to_score(pair: dk.Pair) -> None:
    assert isinstance(Longer(TOY), Evaluator)
    assert isinstance(Similarity("ws353"), Evaluator)
    (found,) = dk.score(pair.tuned, [Longer(TOY)])
    assert (found.benchmark, found.measure, found.value) == ("lengths", "longer", 2 / 3)
    with pytest.raises(OptionError, match="does not say which columns to plot"):
        Longer(TOY).score(pair.tuned).plot_frame()
    with pytest.raises(UnknownNameError, match="Register a measure of your own first"):
        dk.compare_scores(pair, [Longer(TOY)])


def test_two_tables_are_compared_and_judged(pair: dk.Pair, registered: None) -> None:
    change = dk.compare_scores(pair, [Longer(TOY)])[0]
    assert (change.original, change.tuned, change.status) == (1, 2 / 3, "lost")
    assert [part.n for part in change.split] == [40, 20, 0]
    assert len(change.items.broken(99)) == 20
    assert change.tests["mcnemar"].p_value < 0.001


def test_an_evaluator_under_a_name_of_its_own(pair: dk.Pair, registered: None) -> None:
    dk.register_benchmark("direct", lambda: Longer(Lengths("direct", TOY.pairs)))
    names = [change.name for change in dk.compare_scores(pair, ["lengths", "direct"])]
    assert names == ["lengths", "direct"]


def test_audit_and_gate(pair: dk.Pair, registered: None) -> None:
    audit = dk.audit(pair, benchmarks=["lengths"])
    assert audit.verdict == "do not ship"
    assert "lengths" in repr(audit)
    verdict = dk.check(audit, ["longer[lengths] >= -0.02", "longer[lengths] original = 1"])
    assert [result.outcome for result in verdict.results] == ["fail", "pass"]


def test_command_line(pair: dk.Pair, registered: None, tmp_path) -> None:
    sources = []
    for name, table in (("a.txt", pair.original), ("b.txt", pair.tuned)):
        path = tmp_path / name
        rows = zip(table.words, table.matrix.tolist(), strict=True)
        path.write_text("".join(f"{word} {' '.join(map(str, row))}\n" for word, row in rows))
        sources.append(str(path))

    def run(*arguments: str) -> str:
        return CliRunner().invoke(main, arguments).stdout

    scored = json.loads(run("score", *sources, "-b", "lengths", "--json", "-"))
    assert [entry["value"] for entry in scored["results"]] == [1, 2 / 3]
    audited = json.loads(run("audit", *sources, "-b", "lengths", "--json", "-"))
    assert audited["benchmarks"][0]["status"] == "lost"
    checked = CliRunner().invoke(main, ["check", *sources, "-r", "longer[lengths] >= -0.02"])
    assert checked.exit_code == 1
    assert "lengths" in run("datasets", "list")
    assert "weat6" in run("datasets", "list")
    assert run("datasets", "fetch", "--all", "--offline") is not None


def test_what_is_no_evaluator_is_told_what_it_lacks(pair: dk.Pair) -> None:
    with pytest.raises(BenchmarkError, match="this one lacks benchmark, measure, score, compare"):
        dk.score(pair.tuned, [TOY])
    with pytest.raises(BenchmarkError, match="nothing scores int"):
        dk.score(pair.tuned, [3])


def test_what_cannot_be_registered(registered: None) -> None:
    dk.register_evaluator(Lengths, Longer)  # the same again
    with pytest.raises(OptionError, match="Lengths has an evaluator already"):
        dk.register_evaluator(Lengths, Similarity)
    with pytest.raises(OptionError, match="SimilarityBenchmark has an evaluator already"):
        dk.register_evaluator(dk.datasets.SimilarityBenchmark, Longer)
