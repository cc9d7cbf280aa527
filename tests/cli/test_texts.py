"""``--texts``: what people read beside ids."""

import json

import numpy as np
import polars as pl
import pytest
from rich.cells import cell_len

IDS = range(1000, 1200)


@pytest.fixture
def numbered(tmp_path, monkeypatch):
    """Work in a folder with two tables of rows by number, and their texts in every form."""
    rng = np.random.default_rng(0)
    before = rng.normal(size=(len(IDS), 12))
    after = before.copy()
    after[:20] += rng.normal(size=(20, 12))
    for name, matrix in (("original", before), ("tuned", after)):
        frame = pl.DataFrame({"id": list(IDS), "vector": matrix.tolist()})
        frame.write_parquet(tmp_path / f"{name}.parquet")
    texts = pl.DataFrame({"id": list(IDS), "text": [f'tea no. "{number}"' for number in IDS]})
    texts.write_parquet(tmp_path / "texts.parquet")
    texts.write_csv(tmp_path / "texts.csv")
    texts.write_ndjson(tmp_path / "texts.jsonl")
    texts.write_csv(tmp_path / "texts.tsv", separator="\t", quote_style="never")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("ending", ["tsv", "csv", "jsonl", "parquet"])
@pytest.mark.usefixtures("numbered")
def test_texts_stand_beside_ids(run, ending):
    texts = ("--texts", f"texts.{ending}")
    for command in (
        ("audit", "original.parquet", "tuned.parquet", "--words", "1003", *texts),
        ("shifts", "original.parquet", "tuned.parquet", "1003", *texts),
    ):
        result = run(*command)
        assert result.exit_code == 0, result.output
        assert '1003 tea no. "1003"' in result.stdout
        assert max(map(cell_len, result.stdout.splitlines())) <= 80


@pytest.mark.usefixtures("numbered")
def test_texts_of_nobody_are_one_sentence(run, tmp_path):
    (tmp_path / "other.csv").write_text("id,text\nx1,green tea\n")
    (tmp_path / "lines.txt").write_text("green tea\ntea\n")
    for file, said in (
        ("other.csv", "texts has 1 id, such as 'x1', and none is a name of the tables, such as"),
        ("lines.txt", "--texts lines.txt has no column of ids; name it as FILE::ID:TEXT."),
        ("none.csv", "none.csv: is not there."),
    ):
        for command in ("audit", "shifts"):
            words = ("1003",) if command == "shifts" else ()
            result = run(command, "original.parquet", "tuned.parquet", *words, "--texts", file)
            assert (result.exit_code, result.stdout) == (2, "")
            assert said in result.stderr


@pytest.mark.usefixtures("numbered")
def test_none_asks_for_no_benchmark(run):
    result = run("audit", "original.parquet", "tuned.parquet", "-b", "none", "--json", "-")
    document = json.loads(result.stdout)
    assert document["benchmarks"] == []
    assert "knowledge was not tested: no benchmark of knowledge was asked" in document["headline"]
    lenient = ("--profile", "lenient", "-b", "none")
    assert run("check", "original.parquet", "tuned.parquet", *lenient).exit_code == 0
    refused = run("score", "original.parquet", "-b", "none")
    assert refused.exit_code == 2
    assert "no benchmark was named" in refused.stderr
