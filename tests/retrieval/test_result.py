"""How what became of search is shown, framed and written."""

import json
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from driftkit import compare_retrieval
from driftkit.errors import UnknownNameError
from driftkit.escaping import to_json


def shown_in(found, columns):
    console = Console(width=columns, file=StringIO())
    console.print(found)
    return console.file.getvalue()


@pytest.fixture
def found(models, judged):
    queries = models.q.copy()
    queries[:40] = -queries[:40]
    texts = {"q3": "a query \x1b[31m that broke", "q200": "never asked"}
    return compare_retrieval(*models.pairs(models.d, queries), models.qrels, texts=texts)


def test_the_document_is_json_and_names_queries_with_their_texts(found):
    document = json.loads(to_json(found.to_dict()))
    assert document["schema"] == "driftkit.retrieval/1"
    assert document["link"] == {"status": "broken", "sentence": found["mixed"].sentence}
    assert document["notes"] == list(found.notes)
    tuned = document["searches"][0]
    assert [each["measure"] for each in tuned["measures"]] == ["nDCG@10", "R@100", "RR@10"]
    first = tuned["measures"][0]
    assert (first["status"], first["n_broken"], len(first["broken"])) == ("lost", 40, 20)
    assert first["broken"][3] == {
        "query": "q3", "text": "a query \x1b[31m that broke", "before": 1, "after": 0,
    }  # fmt: skip


def test_what_could_not_be_measured_is_null_with_a_reason(models, judged):
    few = compare_retrieval(*models.pairs(models.d, -models.q), {"q1": {"d1": 1}})
    entry = few.to_dict()["searches"][0]["measures"][0]
    assert entry["ci_low"] is None
    assert entry["reason"]
    assert entry["reason"] in repr(few).replace("\n", " ")
    to_json(few.to_dict())
    without = compare_retrieval(*models.pairs(models.d, -models.q)).to_dict()
    assert without["judged"] is None
    assert without["searches"][0]["judged"] == {"before": None, "after": None}


def test_frames(found):
    frame = found.to_frame()
    assert len(frame) == 3 * 120
    row = frame[(frame["search"] == "mixed") & (frame["query"] == "q3")].iloc[0]
    assert (row["nDCG@10 before"], row["nDCG@10 after"], row["overlap"]) == (1, 0, 0)
    assert row["text"].startswith("a query")
    measures = found.measure_frame()
    assert measures["search"].tolist() == ["tuned"] * 3 + ["mixed"] * 3 + ["reversed"] * 3
    assert measures["delta"].dtype == np.float64
    assert measures.loc[0, "delta"] == pytest.approx(found["tuned"]["nDCG@10"].delta)


def test_frames_without_judgments(models):
    found = compare_retrieval(*models.pairs(models.d, -models.q))
    assert list(found.to_frame()) == [
        "search", "query", "text", "overlap", "first_before", "first_after",
    ]  # fmt: skip
    assert found.measure_frame().empty


def test_views_say_the_verdict_of_each_search_and_are_harmless(found):
    shown = repr(found)
    assert "120 queries in 400 documents, 120 of them judged" in shown
    assert "New queries, old index (broken): lost nDCG@10 (1.000 to 0.667)" in shown
    assert "What broke (nDCG@10: 40 of 120 queries fell)" in shown
    assert "\x1b" not in shown
    assert "- lost" in repr(found["tuned"])
    assert "- lost" in repr(found["tuned"]["nDCG@10"])
    html = found._repr_html_()
    assert "<table" in html
    assert "\x1b" not in html


def test_eighty_columns_hold_every_number_whole(found):
    lines = [line.rstrip() for line in shown_in(found, 80).splitlines()]
    heading = "measure    n before after change    95 % interval verdict"
    assert sum(line.split() == heading.split() for line in lines) == 3
    assert "…" not in "".join(line for line in lines if "@" in line)
    assert any(line.split()[-2:] == ["-", "lost"] for line in lines)


def test_parts_are_found_by_name_or_place(found):
    assert found[1] is found["mixed"]
    assert found["tuned"][0] is found["tuned"]["nDCG@10"]
    assert len(found) == 3
    with pytest.raises(UnknownNameError, match="did you mean 'mixed'"):
        found["mixd"]
    with pytest.raises(UnknownNameError, match="did you mean 'nDCG@10'"):
        found["tuned"]["nDCG@1"]
