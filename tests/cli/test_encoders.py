"""``--items`` and ``--encode``: a model's folder means what the model makes of texts."""

import json

import numpy as np
import pytest

import driftkit as dk

ITEMS = "id,text\na,green tea\nb,black coffee\nc,good tea\nd,bad coffee\n"


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    """A cache and a working folder of its own, and no network."""
    monkeypatch.setenv("DRIFTKIT_DATA_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DRIFTKIT_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def items(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text(ITEMS)
    return path


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Two folders of model2vec, the second with other vectors for two words."""
    library = pytest.importorskip("model2vec", reason="model2vec (extra encoders) is not installed")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    words = ["[UNK]", "green", "tea", "black", "coffee", "good", "bad"]
    tokenizer = Tokenizer(WordLevel(dict(zip(words, range(7), strict=True)), unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    folder = tmp_path_factory.mktemp("models")
    vectors = np.random.default_rng(0).normal(size=(7, 8)).astype(np.float32)
    library.StaticModel(vectors, tokenizer).save_pretrained(folder / "original")
    vectors[[1, 6]] *= -1
    library.StaticModel(vectors, tokenizer).save_pretrained(folder / "tuned")
    return folder / "original", folder / "tuned"


def test_an_audit_of_two_models(run, models, items):
    result = run("audit", *models, "--items", items, "-k", 2, "--resamples", 100, "--json", "-")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["sources"]["original"]["format"] == "encoder"
    assert (document["rows"]["shared"], document["rows"]["moved"]) == (4, 2)
    assert [each["name"] for each in document["benchmarks"]] == ["ws353", "simlex999"]
    assert "sick is left out" in result.stderr


def test_a_file_of_vectors_stands_beside_a_model(run, models, items, tmp_path):
    index = tmp_path / "index"
    dk.encode(models[0], items).save(index)
    result = run("audit", index, models[0], "--items", items, "-b", "ws353", "-k", 2, "--json", "-")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["rows"]["moved"] == 0


def test_shifts_and_rules_take_items_too(run, models, items):
    shifts = run("shifts", *models, "a", "--items", items, "-k", 2, "--json", "-")
    assert json.loads(shifts.stdout)["words"][0]["word"] == "a"
    rule = ("--rule", "moved <= 10%", "-b", "ws353", "-k", 2, "--resamples", 100)
    assert run("check", *models, "--items", items, *rule).exit_code == 1
    same = run("check", models[0], models[0], "--items", items, *rule)
    assert same.exit_code == 0, same.output


def test_scores_of_an_encoder_and_of_the_table_in_its_folder(run, models):
    encoded = run("score", models[0], "--encode", "-b", "ws353", "--json", "-")
    assert encoded.exit_code == 0, encoded.stderr
    assert json.loads(encoded.stdout)["results"][0]["oov"] == []
    table = run("score", models[0], "-b", "ws353", "--json", "-")
    assert json.loads(table.stdout)["results"][0]["oov"]


def test_outputs_are_kept_unless_that_is_off(run, models, items, tmp_path):
    command = ("audit", *models, "--items", items, "-b", "ws353", "-k", 2, "--resamples", 100)
    assert run(*command, "--no-cache").exit_code == 0
    assert not (tmp_path / "cache").exists()
    assert run(*command).exit_code == 0
    assert len(list((tmp_path / "cache" / "encoded").iterdir())) == 4  # items and words, of both


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--prompt", "query: "], "--prompt is for models that encode; it needs --items FILE"),
        (["--device", "cpu"], "--device is for models that encode; it needs --items FILE"),
        (["--items", "absent.csv"], "absent.csv: is not there. A list of items is"),
        (["--items", "items.csv", "--pooling", "cls"], "pooling='cls' was given for"),
        (["--items", "items.csv", "--compose", "mean"], "--items encodes whole texts"),
        (["--items", "items.csv", "--batch-size", "0"], "0 is not in the range"),
    ],
)
def test_what_does_not_fit_is_told(run, models, items, arguments, why):
    result = run("audit", *models, *arguments)
    assert result.exit_code == 2
    assert why in result.stderr
    assert "Traceback" not in result.stderr


def test_the_first_items_alone(run, models, items):
    command = ("audit", *models, "--items", items, "-b", "ws353", "-k", 1, "--resamples", 100)
    result = run(*command, "--limit", 2, "--json", "-")
    assert json.loads(result.stdout)["rows"]["shared"] == 2


def test_what_was_left_out_of_the_items_is_told(run, models, items):
    items.write_text(ITEMS + "a,again\n")
    result = run("shifts", *models, "a", "--items", items, "-k", 1)
    assert "duplicate at 4: 'a' again, with another text; the first is used" in result.stderr
