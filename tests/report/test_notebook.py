import numpy as np

import driftkit as dk
from driftkit.report.notebook import audit_html


def test_words_and_names_are_escaped(pair):
    html = audit_html(dk.audit(pair, benchmarks=["ws353"], resamples=100))
    assert html.count("<table") == 3
    assert "0.02" not in html.split("<table")[0]


def test_nothing_measured_still_gives_a_view():
    table = dk.Embeddings(["<i>", "b", "c"], np.eye(3))
    html = audit_html(dk.audit(dk.align(table, table), benchmarks=["ws353"], resamples=100))
    assert "could not measure ws353" in html
    assert "<i>" not in html
