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
PEAK_MB = 900
"""Of which importing torch and gensim takes the most; no single file may add much."""

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
    program = (
        f"import sys, runpy; sys.argv = ['corpus.py', {str(folder)!r}]\n"
        f"runpy.run_path({str(HERE / 'corpus.py')!r}, run_name='__main__')\n"
        "from pathlib import Path; status = Path('/proc/self/status')\n"
        "text = status.read_text() if status.exists() else 'VmHWM: 0 kB'\n"
        "print(next(line.split()[1] for line in text.splitlines() if line.startswith('VmHWM')))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    results, peak = done.stdout.splitlines()
    return json.loads(results), int(peak) >> 10


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    folder = outside / "inside"
    folder.mkdir()
    results, peak = run(folder)
    assert sorted(path.name for path in outside.rglob("*")) == ["inside"]  # nothing is left
    return results, peak


def test_there_are_enough_of_them(outcome):
    assert set(outcome[0]) == set(EXPECTED)
    assert len(EXPECTED) >= 280


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_sentence(outcome, name):
    result = outcome[0][name]
    assert tidy(result["outcome"]) == EXPECTED[name]
    assert not result["ran"]


def test_memory_stays_bounded(outcome):
    assert outcome[1] < PEAK_MB


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        found = {name: tidy(result["outcome"]) for name, result in run(place)[0].items()}
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    (HERE / "sentences.json").write_text(text, "utf-8")
