import json
import shutil
import subprocess
import sys

import pytest
from file_server import Answer, serve
from shared_data import SHARED, needs_shared

from driftkit.datasets import REGISTRY, PinnedFolder, look_up, source


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """An empty cache folder, downloads allowed."""
    monkeypatch.setenv(source.FOLDER_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.delenv(source.OFFLINE_VARIABLE, raising=False)
    return tmp_path / "cache"


def test_list_fits_80_columns(run, fresh, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = run("datasets", "list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in result.stdout
    for name in REGISTRY:
        assert sum(line.split()[:1] == [name] for line in lines) == 1
    (men,) = (line for line in lines if line.startswith("men "))
    assert men.split() == ["men", "Bruni", "et", "al.", "2014", "not", "stated", "no", "3,000"]
    assert "35 are not here yet" in " ".join(result.stdout.split())


def test_importing_the_command_loads_nothing_heavy():
    code = "import sys, driftkit.cli.datasets; print({'numpy', 'pooch', 'rich'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def test_list_as_json(run, fresh):
    document = json.loads(run("datasets", "list", "--json", "-").stdout)
    assert document["schema"] == "driftkit.datasets/1"
    assert document["folder"] == str(fresh)
    assert [entry["name"] for entry in document["datasets"]] == list(REGISTRY)


def test_path_names_the_place_and_says_that_it_is_empty(run, fresh):
    result = run("datasets", "path", "men", "ws353")
    men, ws353 = result.stdout.splitlines()
    assert men == str(fresh / "similarity" / "EN-MEN-TR-3k.txt")
    assert ws353.endswith("wordsim353.tsv")
    assert result.stderr == "men is not there yet: run `driftkit datasets fetch men`.\n"
    assert result.exit_code == 0


def test_fetch_without_a_network_says_what_to_do(run, fresh):
    for result in (
        run("datasets", "fetch", "men", "--offline"),
        run("datasets", "fetch", "men", env={source.OFFLINE_VARIABLE: "1"}),
    ):
        assert result.exit_code == 2
        assert result.stdout == ""
        assert look_up("men").origin.url in result.stderr
        assert str(fresh / "similarity" / "EN-MEN-TR-3k.txt") in result.stderr
        assert "`driftkit datasets path men`" in result.stderr
    assert not source.is_offline()  # the option holds for its command only


def test_offline_gives_back_what_the_variable_was(run, fresh, monkeypatch):
    monkeypatch.setenv(source.OFFLINE_VARIABLE, "0")
    assert run("datasets", "fetch", "men", "--offline").exit_code == 2
    assert not source.is_offline()


def test_fetch_asks_for_names_it_knows(run, fresh):
    assert "--all" in run("datasets", "fetch").stderr
    result = run("datasets", "fetch", "menn")
    assert result.exit_code == 2
    assert "did you mean 'men'?" in result.stderr
    assert run("datasets", "fetch", "google").stdout.strip().endswith("questions-words.txt")


@needs_shared
def test_fetch_all_from_a_server_then_score_without_it(run, fresh, monkeypatch, saved):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve() as server:
        monkeypatch.setattr(source, "HOST", server.url)
        for dataset in REGISTRY.values():
            several = isinstance(dataset.origin, PinnedFolder)
            pinned = dataset.origin if several else [dataset.origin]
            for file in [] if dataset.is_here else pinned:
                path = dataset.path / file.file if several else dataset.path
                real = (SHARED / path.relative_to(source.folder())).read_bytes()
                server.answers[file.url.removeprefix(server.url)] = Answer(real)
        result = run("datasets", "fetch", "--all")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [str(dataset.path) for dataset in REGISTRY.values()]
    assert len(server.asked) == 18 + 12 + 40 + 4
    scored = run(
        "score", saved / "original.npy", "-b", "men", "-b", "rg65", "--json", "-", "--offline"
    )
    found = {entry["benchmark"] for entry in json.loads(scored.stdout)["results"]}
    assert found == {"men", "rg65"}


@needs_shared
def test_a_file_placed_by_hand_is_scored_by_name(run, fresh, saved):
    path = look_up("men").path
    path.parent.mkdir(parents=True)
    shutil.copyfile(SHARED / "similarity" / path.name, path)
    result = run("score", saved / "original.npy", "-b", "men", "--offline", "--json", "-")
    spearman = json.loads(result.stdout)["results"][0]
    assert (spearman["benchmark"], spearman["n_total"]) == ("men", 3000)
    assert spearman["value"] is not None


def test_a_file_of_categories_is_scored_too(run, saved, tmp_path):
    categories = tmp_path / "people.tsv"
    words = {
        "family": ("father", "mother", "son", "daughter"),
        "city": ("london", "paris", "tokyo"),
    }
    lines = [f"{word}\t{kind}" for kind, members in words.items() for word in members]
    categories.write_text("\n".join(lines), encoding="utf-8")
    result = run("score", saved / "original.npy", "-b", categories, "--json", "-")
    assert result.exit_code == 0
    purity = json.loads(result.stdout)["results"][0]
    assert (purity["benchmark"], purity["measure"], purity["value"]) == ("people", "purity", 1.0)
