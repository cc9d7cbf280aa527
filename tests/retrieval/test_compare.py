"""The same queries with both models: search, paired differences, and the link to the old index."""

import numpy as np
import pytest
import scipy.stats

import driftkit as dk
from driftkit import Embeddings, align, compare_retrieval
from driftkit.errors import AlignmentError, BenchmarkError, OptionError, UnknownNameError
from driftkit.pair import Pair

SEARCHES = ("tuned", "mixed", "reversed")


def brute_force(queries, documents, k):
    """All cosines in float64, the largest first, equal ones in the order of rows."""
    q, d = (x.astype(np.float64) for x in (queries, documents))
    cosine = (q @ d.T) / np.linalg.norm(q, axis=1)[:, None] / np.linalg.norm(d, axis=1)
    return np.argsort(-cosine, axis=1, kind="stable")[:, :k]


# --- search ---------------------------------------------------------------------------------------


def test_search_is_that_of_brute_force(models):
    rng = np.random.default_rng(1)
    d, q = (x + rng.normal(0, 0.5, x.shape).astype(np.float32) for x in (models.d, models.q))
    found = compare_retrieval(*models.pairs(d, q), k=7)
    expected = {"tuned": (q, d), "mixed": (q, models.d), "reversed": (models.q, d)}
    for search in found:
        assert (search.before == brute_force(models.q, models.d, 7)).all()
        assert (search.after == brute_force(*expected[search.name], 7)).all()
        by_sets = [
            len({*before} & {*after}) / 7
            for before, after in zip(search.before.tolist(), search.after.tolist(), strict=True)
        ]
        assert search.overlap == pytest.approx(by_sets)
        assert search.same_first == (search.before[:, 0] == search.after[:, 0]).mean()


def test_equal_documents_come_in_the_order_of_rows():
    documents = Embeddings(["b", "a", "c"], [[1, 1], [2, 2], [1, 0]])
    queries = Embeddings(["q"], [[1, 1]])
    found = compare_retrieval(align(documents, documents), align(queries, queries), k=3)
    assert found["tuned"].before.tolist() == [[0, 1, 2]]


def test_a_query_may_be_a_row_of_the_index():
    """Unlike a word, which is not its own neighbor, a query finds the document that equals it."""
    table = Embeddings(["a", "b"], [[1, 0], [0, 1]])
    found = compare_retrieval(align(table, table), align(table, table), k=1)
    assert found["tuned"].before.tolist() == [[0], [1]]


def test_overlap_by_chance_is_corrected_to_zero(models):
    rng = np.random.default_rng(2)
    found = compare_retrieval(
        *models.pairs(*(rng.normal(size=x.shape) for x in (models.d, models.q)))
    )
    for search in found:
        assert search.mean_overlap == pytest.approx(10 / 400, abs=0.015)
        assert search.adjusted_overlap == pytest.approx(
            (search.mean_overlap - 10 / 400) / (1 - 10 / 400)
        )
        assert search.status == "broken"


# --- what changed ---------------------------------------------------------------------------------


def test_the_same_model_changes_nothing(models, judged):
    pairs = models.pairs(models.d, models.q)
    for found in (compare_retrieval(*pairs), compare_retrieval(*pairs, models.qrels)):
        for search in found:
            assert (search.status, search.sentence) == ("kept", "no vector changed")
            assert (search.overlap == 1).all()
            assert (search.mean_overlap, search.adjusted_overlap, search.same_first) == (1, 1, 1)
            assert search.least_kept() == []
            for change in search.measures:
                assert (change.status, change.delta) == ("retained", 0)
                assert (change.ci_low, change.ci_high) == (0, 0)
                assert change.broken() == change.fixed() == []
        assert found.link is found["mixed"]


def test_a_few_queries_of_the_same_model_are_retained_all_the_same(models, judged):
    models.qrels = {"q1": {"d1": 1}}
    found = compare_retrieval(*models.pairs(models.d, models.q), models.qrels)
    assert {change.status for search in found for change in search.measures} == {"retained"}


def test_a_broken_query_and_one_that_was_fixed_are_named(models, judged):
    queries = models.q.copy()
    queries[17] = -queries[17]
    models.q[42] = -models.q[42]
    found = compare_retrieval(*models.pairs(models.d, queries), models.qrels)
    for name in ("tuned", "mixed"):
        change = found[name]["nDCG@10"]
        (broken,), (fixed,) = change.broken(), change.fixed()
        assert broken == {"query": "q17", "before": 1, "after": 0}
        assert fixed == {"query": "q42", "before": 0, "after": 1}
        assert {each["query"] for each in found[name].least_kept(2)} == {"q17", "q42"}
    assert found["reversed"]["nDCG@10"].broken() == []
    shown = repr(found)
    assert "q17: 1.000 before, 0.000 now" in shown
    assert "q42: 0.000 before, 1.000 now" in shown


def test_without_judgments_the_query_that_kept_least_is_named(models):
    queries = models.q.copy()
    queries[17] = -queries[17]
    found = compare_retrieval(*models.pairs(models.d, queries), texts={"q17": "what is drift"})
    (worst,) = found["tuned"].least_kept()
    assert (worst["query"], worst["overlap"], worst["first_before"]) == ("q17", 0, "d17")
    assert "q17 'what is drift': 0% kept; first d17 before" in repr(found)
    assert found["tuned"].measures == ()
    assert found["tuned"].status == "kept"
    assert "only judgments would tell" in found["tuned"].sentence


def test_a_rotated_space_needs_a_new_index_and_searches_as_well(models, judged):
    """Everything embedded anew, results are the same; in the old index nothing is found."""
    turned = (models.d @ models.rotation, models.q @ models.rotation)
    for qrels in (None, models.qrels):
        found = compare_retrieval(*models.pairs(*turned), qrels)
        assert [found[name].status for name in SEARCHES] == ["kept", "broken", "broken"]
        assert found["tuned"].mean_overlap > 0.99
        assert found["mixed"].adjusted_overlap < 0.2
    assert {change.status for change in found.link.measures} == {"lost"}


def test_the_old_index_may_stay_where_the_space_stayed(models, judged):
    rng = np.random.default_rng(3)
    nearly = (x + rng.normal(0, 1e-4, x.shape) for x in (models.d, models.q))
    for pairs in (models.pairs(*nearly), models.pairs(models.d * 3, models.q * 5)):
        for qrels in (None, models.qrels):
            found = compare_retrieval(*pairs, qrels)
            assert [search.status for search in found] == ["kept"] * 3


def test_an_index_of_another_width_cannot_take_the_new_queries(models, judged):
    def of_two_widths(names, x):
        rows = np.arange(len(names))
        tables = Embeddings(names, x), Embeddings(names, np.hstack([x, x]))
        return Pair(*tables, tuple(names), rows, rows, (), ())

    documents = of_two_widths(models.documents, models.d)
    queries = of_two_widths(models.queries, models.q)
    found = compare_retrieval(documents, queries, models.qrels)
    assert found["tuned"].status == "kept"
    assert found.link.status == "broken"
    assert found.link.reason == "queries of 32 dimensions cannot search an index of 16"
    assert found.to_dict()["searches"][1]["overlap"] is None
    assert f"New queries, old index (broken): {found.link.reason}." in " ".join(repr(found).split())


# --- differences ----------------------------------------------------------------------------------


@pytest.fixture
def changed(models, judged):
    rng = np.random.default_rng(4)
    noisy = (x + rng.normal(0, 0.7, x.shape) for x in (models.d, models.q))
    return compare_retrieval(*models.pairs(*noisy), models.qrels, resamples=20_000)


def test_the_interval_is_that_of_scipy_s_paired_bootstrap(changed):
    """But for its tails, which are expanded for the number of queries (Hesterberg 2015)."""
    for change in changed["tuned"].measures:
        differences = change.after_values - change.before_values
        assert change.delta == pytest.approx(differences.mean())
        n = change.n
        tail = scipy.stats.norm.cdf(np.sqrt(n / (n - 1)) * scipy.stats.t.ppf(0.025, n - 1))
        drawn = scipy.stats.bootstrap(
            (differences,), np.mean, confidence_level=1 - 2 * tail, n_resamples=20_000,
            method="percentile", rng=np.random.default_rng(0),
        )  # fmt: skip
        low, high = drawn.confidence_interval
        assert (change.ci_low, change.ci_high) == pytest.approx((low, high), abs=0.003)


def test_p_values_are_adjusted_for_the_measures_of_a_search(changed):
    for search in changed:
        p = [change.p_value for change in search.measures]
        order = np.argsort(p)
        holm = np.maximum.accumulate(np.sort(p) * np.arange(len(p), 0, -1)).clip(max=1)
        assert [search.measures[at].p_holm for at in order] == pytest.approx(list(holm))


def test_seeds_and_margins(models, judged):
    rng = np.random.default_rng(4)
    pairs = models.pairs(models.d, models.q + rng.normal(0, 0.7, models.q.shape))
    one, same, other = (compare_retrieval(*pairs, models.qrels, seed=seed) for seed in (0, 0, 1))
    assert one.to_dict() == same.to_dict()
    assert one["tuned"][0].ci_low != other["tuned"][0].ci_low
    wide = compare_retrieval(*pairs, models.qrels, margins={"nDCG": 0.5, "RR@10": 0.4})
    assert [change.margin for change in wide["tuned"].measures] == [0.5, 0.01, 0.4]
    assert one["tuned"]["nDCG@10"].status == "lost"
    assert wide["tuned"]["nDCG@10"].status == "retained"


def test_too_few_queries_cannot_say_that_nothing_was_lost(models, judged):
    pairs = models.pairs(models.d * 2, models.q + np.float32(1e-4))
    few = {query: models.qrels[query] for query in models.queries[:9]}
    (change, *_) = compare_retrieval(*pairs, few)["tuned"].measures
    assert change.status == "not measured"
    assert change.reason.endswith("a verdict needs 10")
    some = {query: models.qrels[query] for query in models.queries[:50]}
    (change, *_) = compare_retrieval(*pairs, some)["tuned"].measures
    assert change.status == "inconclusive"
    assert "50 queries, of which a single one can outweigh the margin" in change.reason
    (change, *_) = compare_retrieval(*pairs, some, margins={"nDCG": 0.02})["tuned"].measures
    assert (change.status, change.reason) == ("retained", None)
    queries = -models.q
    (change, *_) = compare_retrieval(*models.pairs(models.d, queries), some)["tuned"].measures
    assert change.status == "lost"  # fifty can say that


def test_where_the_original_found_nothing_there_is_nothing_to_lose(models, judged):
    models.q = -models.q
    pairs = models.pairs(models.d, models.q * np.float32(1.5))
    found = compare_retrieval(*pairs, models.qrels)
    (change, *_) = found["tuned"].measures
    assert change.status == "not measured"
    assert change.reason.startswith("nothing to lose")
    assert found["tuned"].status == "not tested"
    gained = compare_retrieval(*models.pairs(models.d, -models.q), models.qrels)
    assert gained["tuned"][0].status == "gained"
    assert gained["tuned"].status == "changed"


def test_a_measure_of_high_relevance_is_over_the_queries_that_have_it(models, judged):
    for query in models.queries[:30]:
        models.qrels[query] = dict.fromkeys(models.qrels[query], 2)
    pairs = models.pairs(models.d, models.q)
    found = compare_retrieval(*pairs, models.qrels, measures=["R(rel=2)@10", "R(rel=3)@10", "RR"])
    assert [change.n for change in found["tuned"].measures] == [30, 0, 120]
    assert found["tuned"]["R(rel=3)@10"].status == "not measured"


def test_a_measure_without_a_cut_off_looks_at_a_thousand_results(judged):
    names = [f"d{i}" for i in range(1_200)]
    angle = np.linspace(0, 1, 1_200)
    documents = Embeddings(names, np.stack([np.cos(angle), np.sin(angle)], axis=1))
    queries = Embeddings(["q"], [[1, 0]])
    pairs = (align(documents, documents), align(queries, queries))
    for k in (10, 1_100):
        for last, value in (("d999", 1 / 1000), ("d1000", 0)):
            found = compare_retrieval(*pairs, {"q": {last: 1}}, k=k, measures=["RR", "R@1100"])
            assert found["tuned"]["RR"].before == pytest.approx(value)
            assert found["tuned"]["R@1100"].before == 1


# --- what is left out -----------------------------------------------------------------------------


def test_what_the_judgments_do_not_cover_is_counted_and_told(models, judged):
    qrels = {f"q{i}": {f"d{i}": 1} for i in range(100)}
    qrels["q0"] = {"d0": 0, "d1": -1}  # no relevant document
    qrels["q1"] = {"elsewhere": 1}  # none that is there
    qrels["q2"]["nowhere"] = 1
    qrels["stranger"] = {"d1": 1}
    found = compare_retrieval(*models.pairs(models.d, models.q), qrels)
    counts = found.coverage.judged
    assert (counts.queries, counts.unjudged, counts.irrelevant) == (98, 20, 2)
    assert (counts.unknown_queries, counts.unknown_documents, counts.lost_judgments) == (1, 2, 2)
    assert found["tuned"][0].n == 98
    assert found["tuned"]["R@100"].before == 1  # what is not there cannot be found
    assert found.notes[:3] == (
        "1 judged query is not in both tables of queries",
        "2 judged documents are not in both tables of documents, and 2 judgments are left out",
        "20 queries have no judgment and 2 queries have no relevant document; measures are over "
        "the other 98",
    )


def test_how_many_results_were_judged_is_told(models, judged):
    found = compare_retrieval(*models.pairs(models.d, -models.q), models.qrels)
    before, after = found["tuned"].judged
    by_hand = np.mean(
        [
            f"d{at}" in models.qrels[query]
            for query, listed in zip(models.queries, found["tuned"].before, strict=True)
            for at in listed
        ]
    )
    assert before == pytest.approx(by_hand)
    assert after < before
    assert "what nobody judged counts as not relevant" in found.notes[-1]


def test_rows_of_one_table_alone_and_zero_rows_are_told(models, judged):
    queries = models.q.copy()
    queries[5] = 0
    documents = models.d.copy()
    documents[399] = 0
    old = Embeddings([*models.documents, "gone"], np.vstack([models.d, models.d[:1]]))
    new = Embeddings(["new", *models.documents], np.vstack([models.d[:1], documents]))
    asked = align(Embeddings(models.queries, models.q), Embeddings(models.queries, queries))
    found = compare_retrieval(align(old, new), asked, models.qrels)
    assert found.notes[:3] == (
        "1 query has a zero row in the tuned table, and finds nothing",
        "1 document only in the original and 1 only in the tuned table are left out",
        "1 document has a zero row in the tuned table, and is never found",
    )
    assert found["tuned"][0].broken() == [{"query": "q5", "before": 1, "after": 0}]
    (worst,) = found["tuned"].least_kept(1)
    assert (worst["query"], worst["overlap"], worst["first_after"]) == ("q5", 0, None)
    assert "gone" not in found["tuned"].documents
    twice = models.d.copy()
    twice[8:10] = 0
    zeroed = Embeddings(models.documents, twice)
    notes = compare_retrieval(align(old, zeroed), asked, models.qrels).notes
    assert "2 documents have a zero row in the tuned table, and are never found" in notes
    # Where there were no results before, nothing can be kept.
    back = compare_retrieval(
        align(old, old), align(Embeddings(["q"], [queries[5]]), Embeddings(["q"], [models.q[5]]))
    )
    assert np.isnan(back["tuned"].mean_overlap)
    assert back["tuned"].status == "not tested"


def test_few_documents_agree_by_chance(models):
    models.documents, models.d = models.documents[:99], models.d[:99]
    found = compare_retrieval(*models.pairs(models.d * 2, models.q), k=10)
    assert found["tuned"].status == "not tested"
    assert "agree by chance; ask for fewer results" in found["tuned"].sentence
    assert "New queries, new index (not settled): 99 documents: lists of 10 agree" in repr(found)
    assert compare_retrieval(*models.pairs(models.d * 2, models.q), k=9)["tuned"].status == "kept"
    three = compare_retrieval(*models.pairs(models.d, models.q), k=500)
    assert np.isnan(three["tuned"].adjusted_overlap)


# --- mistakes -------------------------------------------------------------------------------------


def test_mistakes_get_the_call_that_works(models, judged):
    documents, queries = models.pairs(models.d, models.q)
    with pytest.raises(OptionError, match=r"dk.compare_retrieval takes a pair, and a path was"):
        compare_retrieval("original.npy", queries)
    with pytest.raises(OptionError, match=r"call dk.compare_retrieval\(pair, dk.align\(original_q"):
        compare_retrieval(documents, queries.original)
    narrow = Embeddings(models.queries, models.q[:, :8])
    with pytest.raises(AlignmentError, match="the original documents have 16 dimensions and the"):
        compare_retrieval(documents, align(narrow, narrow))
    with pytest.raises(OptionError, match="measures go by judgments; give qrels as well"):
        compare_retrieval(documents, queries, measures=["RR"])
    with pytest.raises(OptionError, match="one string"):
        compare_retrieval(documents, queries, models.qrels, measures="RR")
    with pytest.raises(OptionError, match="give a number above 0"):
        compare_retrieval(documents, queries, models.qrels, margins={"RR": 0})
    with pytest.raises(UnknownNameError, match="unknown measure of retrieval 'spearman'"):
        compare_retrieval(documents, queries, models.qrels, margins={"spearman": 0.1})
    for bad in ({"k": 0}, {"seed": -1}, {"resamples": 10}, {"device": "nowhere"}):
        with pytest.raises(OptionError):
            compare_retrieval(documents, queries, **bad)


def test_judgments_of_other_things_are_refused_with_both_names(models, judged):
    documents, queries = models.pairs(models.d, models.q)
    for qrels, why in (
        ({"1": {"d1": 1}}, "memory judges no query that both tables have ('1' against 'q0',"),
        ({"q1": {"1": 1}}, "memory judges no document that both tables have ('1' against 'd0',"),
        ({"q1": {"d1": 0}}, "memory finds no document relevant to a query of the tables"),
    ):
        with pytest.raises(BenchmarkError) as refused:
            compare_retrieval(documents, queries, qrels)
        assert why in str(refused.value)


def test_texts_are_those_of_a_list_of_items(models, tmp_path):
    file = tmp_path / "queries.jsonl"
    file.write_text('{"_id": "q1", "text": "what is drift", "metadata": {}}\n')
    pairs = models.pairs(models.d, -models.q)
    by_file, by_id = (
        compare_retrieval(*pairs, texts=texts) for texts in (file, {"q1": "what is drift"})
    )
    assert by_file.texts == by_id.texts == {"q1": "what is drift"}


def test_progress_is_told_to_the_end(models):
    told = []
    compare_retrieval(*models.pairs(-models.d, models.q), progress=lambda *done: told.append(done))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def test_it_is_public():
    assert dk.compare_retrieval is dk.retrieval.compare_retrieval
    assert dk.RetrievalChanges is dk.retrieval.RetrievalChanges
