from driftkit.datasets import REGISTRY
from driftkit.datasets.source import FOLDER_VARIABLE
from driftkit.display import to_text
from driftkit.report.datasets import datasets_document, datasets_view


def test_benchmarks_are_grouped_by_task(monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    lines = to_text(datasets_view(tuple(REGISTRY.values())), width=80).splitlines()
    tasks = ["similarity", "analogy", "categorization", "outliers"]
    assert [line for line in lines if line in tasks] == tasks
    rows = [line.split() for line in lines]
    names = [row[0] for row in rows if row[-2:-1] in (["yes"], ["no"])]
    assert sorted(names) == sorted(REGISTRY)


def test_nothing_is_said_of_absent_files_when_there_are_none(monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    text = to_text(datasets_view((REGISTRY["ws353"],)))
    assert "not here yet" not in text
    assert text.endswith(f"Files are kept in {tmp_path}.")


def test_the_document_holds_every_benchmark():
    document = datasets_document(tuple(REGISTRY.values()))
    assert [entry["task"] for entry in document["datasets"]] == [
        dataset.task for dataset in REGISTRY.values()
    ]
    assert all("licence" in entry for entry in document["datasets"])  # as it was shipped
