"""Every hostile file gets its exact sentence: no traceback, no hang, no code run, nothing written.

``sentences.json`` was read line by line when it was made. After a change of wording on purpose,
``python tests/hostile/test_corpus.py`` writes it anew; read the difference before committing it.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "sentences.json").read_text("utf-8"))
MOST_MB = 700
"""What opening one file of at most 50 MB may add to the process's peak, in MB: the libraries that the
first of a kind imports take about half of it."""

_LIBRARYS_WORDS = re.compile(
    r"(damaged or truncated [\w. ]+ (?:file|checkpoint|pickle|archive|pipeline)|(?<=truncated )pickle|broken row|valid JSON"
    r"|damaged driftkit folder) \(.*\)",
    re.DOTALL,
)


def tidy(outcome):
    """Leave out what other libraries say, and this machine's memory."""
    outcome = re.sub(r"[\d.,]+ [GM]B are free", "SO MANY are free", outcome)
    return _LIBRARYS_WORDS.sub(r"\1 (...)", outcome)


def run(folder):
    done = subprocess.run(
        [sys.executable, "-W", "error", HERE / "corpus.py", folder],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    folder = outside / "inside"
    folder.mkdir()
    results = run(folder)
    assert sorted(path.name for path in outside.rglob("*")) == ["inside"]  # nothing is left
    return results


def test_there_are_enough_of_them(outcome):
    assert set(outcome) == set(EXPECTED)
    assert len(EXPECTED) >= 280


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_sentence(outcome, name):
    result = outcome[name]
    assert tidy(result["outcome"]) == EXPECTED[name]
    assert not result["ran"]


def test_memory_stays_bounded(outcome):
    grew = {name: result["grew"] for name, result in outcome.items()}
    assert {name: grown for name, grown in grew.items() if grown > MOST_MB} == {}


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        found = {name: tidy(result["outcome"]) for name, result in run(place).items()}
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    (HERE / "sentences.json").write_text(text, "utf-8")
