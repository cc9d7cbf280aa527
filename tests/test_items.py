"""Tables of items that are no words: products by number, sentences, rows with ids."""

import json

import jsonschema
import numpy as np
import pytest

import driftkit as dk
from driftkit.provenance import Source
from driftkit.report.document import audit_schema
from driftkit.report.terminal import audit_view

N, D = 400, 16


def tables(names, *, moved=40, by=0.2, **settings):
    """Two tables of these names whose first rows differ."""
    before = np.random.default_rng(0).normal(size=(len(names), D))
    after = before.copy()
    after[:moved] += by * np.random.default_rng(1).normal(size=(moved, D))
    return [dk.Embeddings(names, matrix, **settings) for matrix in (before, after)]


@pytest.fixture(scope="module")
def products():
    return [f"B{number:04}" for number in range(N)]


@pytest.fixture(scope="module")
def by_itself(products):
    return dk.audit(dk.align(*tables(products)))


@pytest.fixture(scope="module")
def asked_for_none(products):
    return dk.audit(dk.align(*tables(products)), benchmarks=[])


def test_where_no_name_is_a_word_of_a_benchmark_none_is_asked(by_itself):
    assert len(by_itself.scores) == 0
    found = by_itself.finding("knowledge")
    assert (found.status, found.evidence["asked"]) == ("not tested", False)
    assert found.sentence == (
        "no name is a word of the default benchmarks (ws353, simlex999, google); rated pairs of "
        "your own would test it (-b FILE)"
    )


@pytest.mark.parametrize("audited", ["by_itself", "asked_for_none"])
def test_the_other_five_questions_decide(audited, request):
    found = request.getfixturevalue(audited)
    assert found.verdict == "ship with care"
    assert "knowledge was not tested: no " in found.headline
    assert found.headline.endswith("40 of 400 items moved.")


def test_harmless_moves_of_items_are_not_called_safe(products):
    found = dk.audit(dk.align(*tables(products, moved=N, by=1e-3)), benchmarks=[])
    statuses = {each.question: each.status for each in found.findings}
    assert statuses.pop("knowledge") == "not tested"
    assert set(statuses.values()) == {"kept"}
    assert found.verdict == "ship with care"


def test_one_name_that_is_a_word_is_enough_to_ask(products):
    """The tables may be the wrong ones, so what could not be measured stays undecided."""
    original, tuned = tables([*products[:-1], "tiger"])
    assert dk.audit(dk.align(original, tuned), resamples=100).verdict == "undecided"
    renamed = dk.Embeddings([*products[:-1], "Tiger"], tuned.matrix)  # in one table, folded
    assert len(dk.audit(dk.align(original, renamed), resamples=100).scores) == 3


def test_benchmarks_that_were_asked_for_and_could_not_be_measured_stay_undecided(products):
    found = dk.audit(dk.align(*tables(products)), benchmarks=["ws353"], resamples=100)
    assert found.verdict == "undecided"
    assert found.headline.startswith("Undecided: could not measure ws353; ")


@pytest.mark.parametrize("audited", ["by_itself", "asked_for_none"])
def test_no_view_has_anything_of_benchmarks_words_or_ranks(audited, request):
    found = request.getfixturevalue(audited)
    shown = repr(found)
    assert "What the benchmarks say" not in shown
    assert "What broke" not in shown
    assert "Moved items that kept the fewest neighbors" in shown
    for line in shown.splitlines():
        assert "rank" not in line
        assert " words" not in line
    assert "benchmark " not in found._repr_html_().replace("benchmark of knowledge", "")


def test_the_document_follows_its_schema(by_itself):
    document = json.loads(json.dumps(by_itself.to_dict(), allow_nan=False))
    jsonschema.Draft202012Validator(audit_schema()).validate(document)
    assert document["benchmarks"] == []
    assert document["verdict"] == "ship with care"


def test_the_order_of_items_is_no_rank_even_in_a_file_that_is_sorted_by_frequency(products):
    from driftkit.display import to_text

    text = Source("items.txt", format="glove-text")
    found = dk.audit(dk.align(*tables(products, source=text)), benchmarks=[])
    shown = to_text(audit_view(found, 3, bands=True, explain=True))
    assert "By row of the items" in shown
    assert "rank" not in shown
    assert "word" not in shown


@pytest.mark.parametrize("benchmarks", [None, []])
def test_identical_tables_are_unchanged(products, benchmarks):
    original, _ = tables(products)
    found = dk.audit(dk.align(original, original), benchmarks=benchmarks)
    assert found.verdict == "unchanged"


def test_twelve_items_are_too_few_for_ten_neighbors_and_say_so(products):
    found = dk.audit(dk.align(*tables(products[:12], moved=2)))
    assert found.verdict == "undecided"
    assert "12 candidates for 10 neighbors agree by chance; ask for fewer (-k)" in found.headline
    assert dk.audit(dk.align(*tables(products[:12], moved=2)), k=1).verdict != "undecided"


class TestGate:
    def test_rules_of_a_profile_on_benchmarks_decide_nothing_and_say_so(self, by_itself):
        verdict = dk.check(by_itself, profile="lenient")
        assert verdict.state == "pass"
        (moot,) = (each for each in verdict.results if each.subject == "change[*]")
        assert (moot.outcome, moot.action) == ("not measured", "pass")
        assert verdict.notes == (
            f"{by_itself.finding('knowledge').sentence}; so nothing was decided by "
            "change[*] >= -2 margin",
        )

    def test_no_count_of_lost_benchmarks_is_a_pass_where_there_are_none(self, by_itself):
        for profile in ("default", "strict"):
            results = dk.check(by_itself, profile=profile).results
            (lost,) = (each for each in results if each.rule == "lost == 0")
            assert (lost.outcome, lost.action) == ("not measured", "pass")

    def test_a_rule_that_somebody_wrote_is_not_passed_over(self, by_itself):
        with pytest.raises(dk.errors.RuleError, match="the audit has no benchmark"):
            dk.check(by_itself, ["change[*] >= -margin"])
        (lost,) = dk.check(by_itself, ["lost == 0"]).results
        assert (lost.outcome, lost.action) == ("inconclusive", "warn")
        assert lost.reason == "not tested: the audit has no benchmark"
        (known,) = dk.check(by_itself, ["knowledge == kept"]).results
        assert (known.outcome, known.action) == ("not measured", "fail")

    def test_a_baseline_of_items_compares_with_the_default_rules(self, by_itself):
        verdict = dk.check(by_itself, profile="default", baseline=by_itself)
        assert not verdict.acting("fail")
