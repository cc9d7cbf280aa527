"""One audit for every chart, and what a chart says when it is drawn."""

from xml.etree import ElementTree

import numpy as np
import pytest

import driftkit as dk

pytest.importorskip("altair", reason="altair (extra report)")
vl_convert = pytest.importorskip("vl_convert", reason="vl-convert-python (extra report)")

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="session")
def audited(pair):
    return dk.audit(pair, ["ws353", "simlex999"], resamples=100, candidates=2_000, null=True)


@pytest.fixture(scope="session")
def hostile():
    """An audit of items whose names are anything, with texts beside some."""
    names = [
        "<script>alert(1)</script>", "</script>", "\"quoted' & <b>", "👩‍👩‍👧", "שלום עולם",
        "a\nb\x1b[31m", "x" * 10_000, "{{7*7}}", "__proto__", "datum.x", "漢字", "", "it's", "\\",
        "\u2028",
    ]  # fmt: skip
    names += [f"item {at}" for at in range(200 - len(names))]
    rng = np.random.default_rng(0)
    before = rng.normal(size=(200, 8))
    after = before.copy()
    after[:20] = 3 * rng.normal(size=(20, 8))
    pair = dk.align(dk.Embeddings(names, before), dk.Embeddings(names, after))
    return dk.audit(pair, [], texts={"item 3": "green <i>tea</i>", "it's": "a text"})


@pytest.fixture(scope="session")
def still(pair):
    """An audit of a table against itself."""
    return dk.audit(dk.align(pair.original, pair.original), ["ws353"], candidates=500)


@pytest.fixture(scope="session")
def wider(pair):
    """An audit of tables of two widths."""
    wide = np.hstack([pair.original.matrix, pair.original.matrix[:, :5]])
    words = pair.original.words
    return dk.audit(dk.align(pair.original, dk.Embeddings(words, wide)), ["ws353"], candidates=500)


@pytest.fixture(scope="session")
def drawn():
    """Draw a chart; return the root of its SVG, and everything that stands in it as text."""

    def draw(chart):
        root = ElementTree.fromstring(vl_convert.vegalite_to_svg(chart.to_dict()))
        parts = (each for tag in ("text", "tspan") for each in root.iter(f"{SVG}{tag}"))
        return root, [each.text or "" for each in parts]

    return draw


@pytest.fixture(scope="session")
def rows_of():
    """Return the rows of a chart's data that have all of some fields, of one data set or more."""

    def find(chart, *fields):
        found = [
            row
            for rows in chart.to_dict()["datasets"].values()
            for row in rows
            if row.keys() >= set(fields)
        ]
        assert found, f"no data has {fields}"
        return found

    return find
