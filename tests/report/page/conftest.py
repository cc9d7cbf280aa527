"""Audits whose reports the tests of this room read."""

import numpy as np
import pytest
from strangers import HONEST, WORDS

import driftkit as dk
from driftkit.provenance import Source

CUT_SHORT = 10_000  # letters of a name
WIDE = {"width": 1300, "height": 900}


@pytest.fixture(scope="package")
def audits(nudged):
    """Three checkpoints of one run, each farther from the original, with two benchmarks."""
    original = dk.Embeddings(nudged.words, nudged.before, source=Source("original.npy"))
    step = nudged.after[2:] - nudged.before
    step[nudged.moved[:60]] += 6 * nudged.before[nudged.words.index("good")]  # one direction
    memo = {}
    found = []
    for name, share in (("early.pt", 0.05), ("middle.pt", 0.4), ("late.pt", 1.0)):
        matrix = nudged.before + np.float32(share) * step
        tuned = dk.Embeddings(nudged.words, matrix, source=Source(name))
        pair = dk.align(original, tuned)
        found.append(dk.audit(pair, ["ws353", "google"], resamples=200, memo=memo))
    return found


@pytest.fixture(scope="package")
def late(audits):
    return audits[-1]


@pytest.fixture(scope="package")
def strange_names():
    """Names that are markup, orders, blanks, of other scripts, or very long."""
    own = [
        "</script><script>document.title='taken'</script>",
        "<img src=x onerror=\"document.title='taken'\">",
        "\"'><svg/onload=document.title='taken'>",
        "{{ 7 * 7 }}",
        "{% raw %}",
        "${document.title='taken'}",
        "javascript:document.title='taken'",
        "a&checkpoint=2",
        "a#word=b",
        "100%",
        "👩‍💻",
        "שלום",
        "مرحبا",
        "𝕏" * CUT_SHORT,
    ]
    named = [name for name in dict.fromkeys([*own, *WORDS, *HONEST]) if name.strip()]
    return [name.encode(errors="backslashreplace").decode() for name in named]


@pytest.fixture(scope="package")
def strange(strange_names):
    """An audit of these names, and of enough others, as items with texts."""
    names = [*dict.fromkeys(strange_names), *(f"item {at}" for at in range(400))]
    before = np.random.default_rng(0).normal(size=(len(names), 12))
    after = before.copy()
    after[: len(names) // 2] += np.random.default_rng(1).normal(size=(len(names) // 2, 12))
    sources = [Source("<b>before</b>"), Source("after </title><script>x</script>\u202e")]
    tables = [
        dk.Embeddings(names, matrix, source=source)
        for matrix, source in zip((before, after), sources, strict=True)
    ]
    texts = {names[0]: "<i>a text</i> behind the id", "item 3": "a kettle " * 200}
    return dk.audit(dk.align(*tables), benchmarks=[], texts=texts)


@pytest.fixture
def visit(browser):
    """Open a file at an address in it; in the end nothing was complained of or asked elsewhere."""
    complaints, asked, contexts = [], [], []

    def visit(path, address="", **settings):
        context = browser.new_context(**{"viewport": WIDE, **settings}, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri() + address)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
