"""The study of links: who reads which table, and what its page says."""

import re

import pytest

pytest.importorskip("torch")
pytest.importorskip("pandas")


def test_models_of_tasks_that_share_sentences_do_not_judge_each_other():
    from benchmarks.links.study import readers

    assert {task for task, _ in readers("trec")} == {"mr", "sst2"}
    assert {task for task, _ in readers("mr")} == {task for task, _ in readers("sst2")} == {"trec"}
    assert {model for _, model in readers("mr")} == {"mlp", "cnn", "lstm"}


def test_the_page_says_what_the_results_in_the_repository_say():
    """To a unit of the last digit, since another processor may round the other way."""
    import pandas as pd

    from benchmarks.links.report import PAGE, RESTORED, RESULTS, page_of, read

    number = re.compile(r"-?\d+(?:\.\d+)?")
    written = PAGE.read_text(encoding="utf-8")
    computed = page_of(read(RESULTS), pd.read_csv(RESTORED))
    assert number.sub("#", written) == number.sub("#", computed)
    for mine, theirs in zip(number.findall(written), number.findall(computed), strict=True):
        digits = len(mine.partition(".")[2])
        assert abs(float(mine) - float(theirs)) < 1.01 * 10.0**-digits


@pytest.mark.parametrize("seed", range(2))
def test_planted_tables_are_as_many_as_they_say(seed):
    import numpy as np

    from benchmarks.links.planted import SEEDS, planted

    rows = np.random.default_rng(seed).normal(size=(400, 4))
    made = list(planted(rows, np.random.default_rng(seed)))
    assert SEEDS * len(made) >= 100
    assert all(tuned.shape == rows.shape and (tuned != rows).any() for _, tuned in made)
