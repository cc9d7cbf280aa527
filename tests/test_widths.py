"""Two tables of different dimensions: what is measured is right, and the rest is not measured.

Each value is compared with one that numpy makes of the two tables, each by itself.
"""

import dataclasses
import json
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group, skew, spearmanr

import driftkit as dk
from driftkit.cli import main
from driftkit.datasets import (
    AnalogyBenchmark,
    CategorizationBenchmark,
    ChoiceBenchmark,
    OutlierBenchmark,
    OutlierGroup,
    SimilarityBenchmark,
    WordSets,
)
from driftkit.display import to_text
from driftkit.drift.clipping import saturated
from driftkit.drift.displacement import displacement
from driftkit.drift.reading import readings
from driftkit.drift.space import space_drift
from driftkit.drift.words import word_drift
from driftkit.errors import AlignmentError, SourceError
from driftkit.evaluators import Analogy, Similarity
from driftkit.explain.explanation import explain
from driftkit.gate import baseline_of, check, read_baseline, write_baseline
from driftkit.measures import Measure
from driftkit.measures.registry import REGISTRY, register_measure, requested_measures
from driftkit.neighbors.export import write_shifts
from driftkit.neighbors.optional_measures import shifts_with_measures
from driftkit.neighbors.search.verify import verify
from driftkit.report.checkpoints import checkpoint_frame, checkpoint_view
from driftkit.report.document import audit_schema
from driftkit.report.terminal import audit_view

N, D, E, K = 240, 64, 96, 10
WHY = "64 against 96 dimensions"
WORDS = tuple(f"item-{row}" for row in range(N))

OURS = [each for each in REGISTRY.values() if each.kind in ("word", "space")]
"""What driftkit brings along, before any test registers more."""
ASKED = [each.at(K) if each.k else each for each in OURS]
NOT_MEASURED = {"self_cosine", "l2", "relative_l2", "displacement"}


def rows(seed=0):
    """Two tables that agree in part: both rest on the same 12 numbers, and add their own."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(N, 12))
    return tuple(
        (common @ rng.normal(size=(12, d)) + 1.5 * rng.normal(size=(N, d)) + 0.3).astype(np.float32)
        for d in (D, E)
    )


def pair_of(before, after):
    return dk.align(dk.Embeddings(WORDS, before), dk.Embeddings(WORDS, after))


BEFORE, AFTER = rows()
PAIR = pair_of(BEFORE, AFTER)
PAIRS = tuple((WORDS[i], WORDS[i + 100]) for i in range(100))


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def answered(x, a, b, c):
    """The row that ``b - a + c`` points at, of unit rows (n, d), by all cosines."""
    u = unit(x.astype(float))
    cosine = u @ (u[b] - u[a] + u[c])
    cosine[[a, b, c]] = -np.inf
    return int(cosine.argmax())


# People agree with the first table in part, and so do the answers.
GOLD = (unit(BEFORE)[:100] * unit(BEFORE)[100:200]).sum(axis=1)
GOLD = GOLD + 0.1 * np.random.default_rng(1).normal(size=100)
ASKED_ROWS = [tuple((7 * i + j) % N for j in range(3)) for i in range(150)]
QUADS = tuple(
    tuple(WORDS[row] for row in (*three, answered(BEFORE, *three) if at % 2 else (7 * at + 3) % N))
    for at, three in enumerate(ASKED_ROWS)
)
BENCHMARKS = [
    SimilarityBenchmark("ratings", PAIRS, GOLD),
    AnalogyBenchmark("questions", QUADS, ("",) * len(QUADS)),
]


@pytest.fixture(scope="module")
def audit():
    names = [str(each) for each in ASKED]
    return dk.audit(PAIR, BENCHMARKS, k=K, resamples=200, measures=names)


# What numpy says.


def neighbors(x):
    """The K nearest rows of each row, nearest first, by all cosines."""
    cosine = unit(x) @ unit(x).T
    np.fill_diagonal(cosine, -np.inf)
    return np.argsort(-cosine, axis=1)[:, :K]


def of_words():
    """Measures of words (n,) by name."""
    x, y = BEFORE.astype(float), AFTER.astype(float)
    a, b = neighbors(x), neighbors(y)
    p, depth = 0.9, np.arange(1, K + 1)
    both = np.array(
        [[len({*s[:d]} & {*t[:d]}) for d in depth] for s, t in zip(a, b, strict=True)]
    )  # (n, K): shared within the first d
    overlap, by_chance = both[:, -1] / K, K / (N - 1)

    def mutual(lists):
        return np.array([sum(row in lists[other] for other in lists[row]) for row in range(N)]) / K

    def local(row):
        others = sorted({*a[row], *b[row]})
        one, other = (unit(z)[others] @ unit(z)[row] for z in (x, y))
        return 1 - one @ other / np.linalg.norm(one) / np.linalg.norm(other)

    count = [np.bincount(lists.ravel(), minlength=N) for lists in (a, b)]
    return {
        "norm_ratio": np.linalg.norm(y, axis=1) / np.linalg.norm(x, axis=1),
        "overlap": overlap,
        "adjusted_overlap": (overlap - by_chance) / (1 - by_chance),
        "rbo": (1 - p) / p * (both / depth * p**depth).sum(axis=1) + overlap * p**K,
        "jaccard": both[:, -1] / (2 * K - both[:, -1]),
        "average_overlap": (both / depth).mean(axis=1),
        "local_neighborhood": np.array([local(row) for row in range(N)]),
        "mutual_change": mutual(b) - mutual(a),
        "k_occurrence_change": count[1] - count[0],
    }


def hsic(k, l):  # noqa: E741
    """The unbiased estimate of Song et al. 2012, from the n x n matrices."""
    k, l = k.copy(), l.copy()  # noqa: E741
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    n = len(k)
    total = np.trace(k @ l) + k.sum() * l.sum() / (n - 1) / (n - 2)
    return (total - 2 / (n - 2) * k.sum(axis=0) @ l.sum(axis=0)) / (n * (n - 3))


def of_space():
    """Measures of the space by name and table."""
    x, y = BEFORE.astype(float), AFTER.astype(float)
    xc, yc = x - x.mean(axis=0), y - y.mean(axis=0)
    off = ~np.eye(N, dtype=bool)
    cosines = [(unit(z) @ unit(z).T)[off] for z in (x, y)]
    nuclear = np.linalg.norm(xc.T @ yc, "nuc")
    u, v = (np.linalg.svd(z, full_matrices=False)[0] for z in (x, y))
    k, l = x @ x.T, y @ y.T  # noqa: E741
    s = np.linalg.matrix_power(k, 3) + np.linalg.matrix_power(l, 3)
    here = u @ u.T + v @ v.T - 2 * v @ v.T @ u @ u.T
    found = {
        ("cka", "pair"): np.linalg.norm(xc.T @ yc) ** 2
        / np.linalg.norm(xc.T @ xc)
        / np.linalg.norm(yc.T @ yc),
        ("debiased_cka", "pair"): hsic(k, l) / np.sqrt(hsic(k, k) * hsic(l, l)),
        # The narrower table filled with zeros: a rotation of 96 dimensions.
        ("procrustes", "pair"): np.sqrt((xc**2).sum() + (yc**2).sum() - 2 * nuclear),
        ("procrustes_angle", "pair"): np.arccos(nuclear / np.linalg.norm(xc) / np.linalg.norm(yc)),
        ("pip_loss", "pair"): np.linalg.norm(k - l) / np.linalg.norm(k),
        ("eigenspace_overlap", "pair"): np.linalg.norm(u.T @ v) ** 2 / E,
        ("eigenspace_instability", "pair"): np.trace(here @ s) / np.trace(s),
        ("rsa", "pair"): np.corrcoef(*cosines)[0, 1],
    }
    for of, z, zc, cosine in zip(("original", "tuned"), (x, y), (xc, yc), cosines, strict=True):
        lam = np.linalg.svd(zc, compute_uv=False) ** 2
        d = z.shape[1]
        share = np.sqrt(lam) / np.sqrt(lam).sum()
        defect = np.linalg.norm(np.sqrt(d) * lam / np.linalg.norm(lam) - 1)
        defect /= np.sqrt(2 * (d - np.sqrt(d)))
        axes = np.linalg.svd(z, full_matrices=False)[2]
        sums = np.exp(z @ np.vstack([axes, -axes]).T).sum(axis=0)
        hubs = np.bincount(neighbors(z).ravel(), minlength=N)
        found |= {
            ("mean_cosine", of): cosine.mean(),
            ("effective_rank", of): np.exp(-(share * np.log(share)).sum()),
            ("stable_rank", of): lam.sum() / lam.max(),
            ("participation_ratio", of): lam.sum() ** 2 / (lam**2).sum(),
            ("isoscore", of): ((d - defect**2 * (d - np.sqrt(d))) ** 2 - d) / (d * (d - 1)),
            ("partition_isotropy", of): sums.min() / sums.max(),
            ("hubness_skewness", of): skew(hubs),
            ("largest_hub", of): hubs.max(),
            ("antihub_share", of): (hubs == 0).mean(),
        }
    return found


def name_of(measure):
    return measure.split("@")[0].split("(")[0]


# The tables, joined.


def test_every_row_moved_and_the_pair_says_why_none_can_be_compared():
    assert PAIR.mismatch == WHY
    assert PAIR.moved.all()
    assert PAIR.changed.all()
    assert repr(PAIR) == f"<Pair of 240 shared words x {WHY}: 240 moved, 0 added, 0 removed>"
    assert pair_of(BEFORE, BEFORE).mismatch is None


def test_a_table_of_one_dimension_is_never_stretched():
    """NumPy would stretch one column over all others, and call it a comparison."""
    wide = np.repeat(BEFORE[:, :1], 3, axis=1)
    pair = pair_of(BEFORE[:, :1], wide)
    assert pair.moved.all()
    drift = word_drift(pair, requested_measures(["displacement"], K))
    assert all(np.isnan(drift.values[name]).all() for name in drift.reasons)
    assert {name_of(name) for name in drift.reasons} == NOT_MEASURED


def test_rounding_of_the_sources_forgives_no_width():
    source = dk.provenance.Source(rounding=dk.provenance.Rounding.of_decimals(1))
    pair = dk.align(
        dk.Embeddings("ab", np.zeros((2, 1)), source=source), dk.Embeddings("ab", np.zeros((2, 2)))
    )
    assert pair.moved.all()
    assert pair.tolerance == "another width, 1 against 2 dimensions"


# Every measure.


def test_every_measure_is_right_or_not_measured(audit):
    words, space = of_words(), of_space()
    names = {each.name for each in OURS}
    assert {*words, *NOT_MEASURED, *(name for name, _ in space)} == names
    taken = {name_of(name) for name in audit.values} | {name_of(s.measure) for s in audit.space}
    assert taken == names
    for name, values in audit.values.items():
        if name_of(name) in NOT_MEASURED:
            assert np.isnan(values).all(), name
        elif name.endswith(f"@{K}") or "@" not in name:
            np.testing.assert_allclose(values, words[name_of(name)], atol=1e-5, err_msg=name)
    for row in audit.summaries(bands=True):
        if row.group != "unmoved":
            assert row.reason == (WHY if name_of(row.measure) in NOT_MEASURED else None)
    for each in audit.space:
        if each.group == "unmoved":
            assert np.isnan(each.value)
            continue
        expected = space[name_of(each.measure), each.of]
        assert each.value == pytest.approx(expected, abs=1e-6, rel=1e-5), each
        assert each.reason is None


def test_scores_are_those_of_each_table(audit):
    ratings, questions = audit.scores
    a, b = (np.array([WORDS.index(pair[side]) for pair in PAIRS]) for side in (0, 1))
    for found, x in ((ratings.original, BEFORE), (ratings.tuned, AFTER)):
        cosine = (unit(x.astype(float))[a] * unit(x.astype(float))[b]).sum(axis=1)
        assert found == pytest.approx(spearmanr(cosine, GOLD).statistic, abs=1e-9)
    for found, x in ((questions.original, BEFORE), (questions.tuned, AFTER)):
        right = [
            WORDS[answered(x, *three)] == quad[3]
            for three, quad in zip(ASKED_ROWS, QUADS, strict=True)
        ]
        assert found == pytest.approx(np.mean(right))
    assert ratings.items_changeable == len(PAIRS)


def test_every_kind_of_benchmark_scores_each_table_by_itself():
    rng = np.random.default_rng(2)
    drawn = lambda m: tuple(WORDS[row] for row in rng.choice(N, m, replace=False))  # noqa: E731
    methods = ("3cosadd@1", "3cosadd@5", "3cosmul@1", "3cosavg@1", "pairdirection@1", "lrcos@1")
    whole = AnalogyBenchmark("whole", QUADS, ("section",) * len(QUADS))
    asked = [
        *(Similarity(BENCHMARKS[0], measure=each) for each in ("spearman", "pearson")),
        *(Analogy(whole, each) for each in methods),
        CategorizationBenchmark("groups", WORDS[:60], ("a", "b", "c") * 20),
        OutlierBenchmark(
            "outliers", tuple(OutlierGroup("group", drawn(5), drawn(3)) for _ in range(9))
        ),
        ChoiceBenchmark("choices", WORDS[:30], tuple(drawn(4) for _ in range(30)), (1,) * 30),
        WordSets("bias", tuple("xyab"), WORDS[:8], WORDS[8:16], WORDS[16:24], WORDS[24:32]),
    ]
    changes = dk.compare_scores(PAIR, asked, resamples=100)
    for side, table in (("original", PAIR.original), ("tuned", PAIR.tuned)):
        for evaluator, change in zip(asked, changes, strict=True):
            scores = {
                each.measure: each.value
                for each in dk.score(table, [evaluator])
                if each.category is None
            }
            assert getattr(change, side) == pytest.approx(scores[change.measure], abs=1e-9), change
            assert not np.isnan(getattr(change, side))


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean", "csls"])
def test_neighbors_by_every_metric_are_those_of_each_table(metric):
    shifts = dk.neighbor_shifts(PAIR, k=K, metric=metric)
    alone = [dk.neighbor_shifts(pair_of(x, x), k=K, metric=metric) for x in (BEFORE, AFTER)]
    np.testing.assert_array_equal(shifts.before, alone[0].before)
    np.testing.assert_array_equal(shifts.after, alone[1].after)


def test_added_rows_become_neighbors_in_the_wider_table():
    """And lists are right in float64, of some words among some candidates, with a zero row."""
    after = AFTER.copy()
    after[3] = 0
    tuned = dk.Embeddings((*WORDS[20:], "new"), np.vstack([after[20:], after[30:31]]))
    pair = dk.align(dk.Embeddings(WORDS, BEFORE), tuned)
    shifts = dk.neighbor_shifts(pair, WORDS[30:40], K, candidates=100)
    assert shifts["item-30"].added == ("new",)
    assert {each.cause for each in explain(pair, shifts)} == {"not measured"}
    assert verify(pair, shifts).wrong == ()


def test_a_measure_of_rows_that_was_registered_is_not_measured():
    """Its function may never have seen rows of two widths, and could stretch one in silence."""
    register_measure(
        Measure("one_minus", "word", 0, 9, higher_is_better=True, summary="A test.", source="test"),
        lambda pair: 1 / 0,
    )
    register_measure(
        Measure("gap", "space", 0, 9, higher_is_better=True, summary="A test.", source="test"),
        lambda before, after: 1 / 0,
    )
    try:
        asked = requested_measures(["one_minus", "gap"], K)
        drift = word_drift(PAIR, asked)
        assert np.isnan(drift.values["one_minus"]).all()
        assert drift.reasons["one_minus"] == WHY
        figure = space_drift(PAIR, measures=asked).find("gap")
        assert np.isnan(figure.value)
        assert figure.reason == WHY
    finally:
        del REGISTRY["one_minus"], REGISTRY["gap"]


# The six questions, the verdict and every view.


def test_the_six_questions(audit):
    told = {each.question: each for each in audit.findings}
    assert told["input"].status == "changed"
    assert told["input"].sentence == "the tables differ in width"
    assert told["input"].evidence["dimensions"] == {"original": D, "tuned": E}
    assert told["link"].status == "broken"
    assert told["link"].sentence == (
        f"{WHY}: an index of the old vectors must be rebuilt, or a map fitted"
    )
    assert told["link"].evidence["remedy"] is told["link"].evidence["displaced"] is None
    assert told["numbers"].status == "not tested"
    assert told["numbers"].sentence == (
        "clipped rows and lost dimensions are not told between widths"
    )
    assert told["numbers"].evidence["saturated"] is None
    assert told["numbers"].evidence["lost_dimensions"] is None
    assert told["numbers"].evidence["rank_left"] > 1
    assert told["vocabulary"].status == "kept"
    assert told["neighbors"].evidence["overlap_moved"] == pytest.approx(
        of_words()["adjusted_overlap"].mean(), abs=1e-6
    )
    assert "turned" not in told["neighbors"].sentence
    assert audit.verdict == "do not ship"
    assert "lost ratings" in audit.headline


def test_what_cannot_be_counted_is_no_zero(audit):
    for missing in ("displaced", "saturated"):
        with pytest.raises(AlignmentError, match=f"not measured: {WHY}"):
            getattr(audit, missing)
    for cannot in (saturated, displacement):
        with pytest.raises(AlignmentError, match=f"not measured: {WHY}"):
            cannot(PAIR)
    with pytest.raises(AlignmentError, match=f"{WHY}, so no row moved by a length"):
        dk.audit(PAIR, benchmarks=[], null=True)
    moved, frequent = readings(PAIR, np.arange(N))
    assert moved.reason == frequent.reason == WHY
    assert np.isnan([*moved.tuned.values(), *frequent.tuned.values()]).all()
    assert moved.original["cosine"] == 1


def test_the_document_says_null_and_why(audit):
    document = json.loads(json.dumps(audit.to_dict(explain=True), allow_nan=False))
    jsonschema.validate(document, audit_schema())
    assert document["rows"]["displaced"] is document["rows"]["saturated"] is None
    assert document["rows"]["reason"] == WHY
    for measure, groups in document["drift"].items():
        for group in ("all", "moved"):
            (*_, value) = (
                groups[group][key] for key in ("mean", "value", "tuned") if key in groups[group]
            )
            assert (value is None) == (name_of(measure) in NOT_MEASURED), measure
            assert (groups[group]["reason"] == WHY) == (value is None), measure
    told = document["explanation"]
    assert told["reason"] == WHY
    assert told["directions"] == told["clusters"] == []
    assert {each["cause"] for each in told["words"]} == {"not measured"}
    for each in document["words"]:
        assert each["measures"]["self_cosine"] is None


def test_the_view_says_once_what_was_not_measured(audit):
    shown = to_text(audit_view(audit, 6, bands=True))
    assert shown.count("ot measured") == 1
    assert shown.count(WHY) <= 4  # what moved means, the link, this
    flat = " ".join(shown.split())
    assert f"Not measured: {WHY} (self_cosine, l2, relative_l2" in flat
    assert f"Moved means another width, {WHY}." in flat
    assert "nan" not in shown
    explained = to_text(audit.explain(6))
    assert explained.count("ot measured") == 1
    assert "directions, is not measured: 64 against" in " ".join(explained.split())
    for part in (audit, audit.words, audit.space, audit.shifts, audit.scores):
        assert to_text(part)
    assert f"Not measured: {WHY}" in " ".join(to_text(audit.words).split())


def test_frames_and_checkpoints_side_by_side(audit):
    for part in ("findings", "words", "benchmarks", "split", "space", "summary"):
        assert len(audit.to_frame(part))
    assert audit.to_frame("words")["self_cosine"].isna().all()
    same = dk.audit(pair_of(BEFORE, BEFORE + 1), BENCHMARKS, k=K, resamples=200)
    assert checkpoint_frame([audit, same])["displaced"].isna().tolist() == [True, False]
    line = next(
        row for row in to_text(checkpoint_view([audit, same])).splitlines() if "displaced" in row
    )
    assert line.split() == ["displaced", "-", str(int(same.displaced.sum()))]


def test_the_gate_passes_what_is_measured_and_names_the_rest(audit, tmp_path):
    rules = ["overlap mean[moved] >= 0.01", "cka >= 0.01", "moved >= 1", "removed == 0"]
    assert check(audit, rules).state == "pass"
    verdict = check(
        audit,
        ["self_cosine p05[moved] >= 0.5", "saturated == 0", "displaced == 0", "l2 mean <= 1",
         "word[item-1] l2 <= 1", "link != broken"],
    )  # fmt: skip
    *unmeasured, link = verdict.results
    assert {each.outcome for each in unmeasured} == {"not measured"}
    assert {each.reason for each in unmeasured} == {WHY}
    assert link.outcome == "fail"
    assert WHY in to_text(verdict)
    baseline = tmp_path / "accepted.json"
    write_baseline(baseline_of(audit, ["item-1"]), baseline)
    figures = read_baseline(baseline).document["runs"][0]["figures"]
    assert figures["displaced"] is figures["self_cosine mean"] is None
    assert figures["word[item-1] self_cosine"] is None
    kept = ["overlap mean[moved] >= baseline - 0.01", "spearman[ratings] >= baseline - 0.01"]
    assert check(audit, kept, baseline=read_baseline(baseline)).state == "pass"


# Theorems.


def measured(before, after):
    """What an audit of one table against another measures of all words."""
    pair = pair_of(before, after)
    found = dk.audit(pair, BENCHMARKS, k=K, resamples=200, measures=["local_neighborhood"])
    means = {row.measure: row.mean for row in found.summaries() if row.group == "all"}
    space = {
        each.measure: each.value for each in found.space if (each.group, each.of) == ("all", "pair")
    }
    return SimpleNamespace(
        found=found, **{name_of(name): value for name, value in (means | space).items()}
    )


@pytest.mark.parametrize("wider", ["padded with zeros", "turned into more dimensions"])
@pytest.mark.parametrize("back", [False, True])
def test_the_same_geometry_in_more_dimensions_is_the_same(wider, back):
    after = np.pad(BEFORE, ((0, 0), (0, E - D)))
    if wider != "padded with zeros":
        after = (after.astype(float) @ ortho_group.rvs(E, random_state=0)).astype(np.float32)
    tables = (after, BEFORE) if back else (BEFORE, after)
    same = measured(*tables)
    for name in ("overlap", "rbo", "cka", "debiased_cka", "rsa", "norm_ratio"):
        assert getattr(same, name) == pytest.approx(1, abs=1e-5), name
    for name in ("local_neighborhood", "pip_loss", "eigenspace_instability"):
        assert getattr(same, name) == pytest.approx(0, abs=1e-4), name
    size = np.linalg.norm(BEFORE)
    assert same.procrustes / size == pytest.approx(0, abs=1e-5)
    assert same.procrustes_angle == pytest.approx(0, abs=2e-3)
    assert same.eigenspace_overlap == pytest.approx(D / E)  # by the dimensions of the wider one
    for change in same.found.scores:
        assert change.tuned == pytest.approx(change.original, abs=1e-6)
        assert change.status == "retained"
    for question in ("knowledge", "neighbors", "vocabulary"):
        assert same.found.finding(question).status == "kept", question
    assert same.found.verdict == "ship with care"
    assert same.found.headline.count("dimensions") == 1
    assert same.found.finding("numbers").status == "not tested"
    left = E / D if back else 1  # the same share of fewer dimensions would do
    assert same.found.finding("numbers").evidence["rank_left"] == pytest.approx(left, abs=1e-5)
    assert same.found.finding("link").status == "broken"


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_any_two_widths_give_numbers_in_range_or_none(d, e, seed):
    rng = np.random.default_rng(seed)
    words = [f"w{row}" for row in range(20)]
    draw = lambda d: rng.integers(-1, 2, (20, d)) if seed % 2 else rng.normal(size=(20, d))  # noqa: E731
    pair = dk.align(dk.Embeddings(words, draw(d)), dk.Embeddings(words, draw(e)))
    drift = word_drift(pair, ASKED)
    shifts, hubs = shifts_with_measures(pair, words, 3, requested_measures(["jaccard@2"], 3))
    for name, values in {**drift.values, **shifts.values}.items():
        known, measure = values[~np.isnan(values)], REGISTRY[name_of(name)]
        assert ((measure.low <= known) & (known <= measure.high)).all()
        assert d == e or name_of(name) not in NOT_MEASURED or not len(known)
    for each in (*space_drift(pair), *hubs):
        measure = REGISTRY[name_of(each.measure)]
        assert np.isnan(each.value) == (each.reason is not None)
        assert np.isnan(each.value) or measure.low <= each.value <= measure.high


def test_fewer_dimensions_are_no_lost_directions_unless_the_rows_collapse():
    rng = np.random.default_rng(3)
    full = rng.normal(size=(N, 64))
    assert dk.audit(pair_of(full, full[:, :16]), []).finding("numbers").status == "not tested"
    line = rng.normal(size=(N, 1)) @ rng.normal(size=(1, 16)) + 1e-3 * rng.normal(size=(N, 16))
    found = dk.audit(pair_of(full, line), []).finding("numbers")
    assert found.status == "broken"
    assert "of the share of all directions they used" in found.sentence


# Commands, and the first dimensions of a table.


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dk.Embeddings(WORDS, BEFORE).save("narrow")
    dk.Embeddings(WORDS, AFTER).save("wide")
    pairs = "".join(f"{a}\t{b}\t{gold}\n" for (a, b), gold in zip(PAIRS, GOLD, strict=True))
    (tmp_path / "ratings.tsv").write_text(pairs)
    return tmp_path


def run(*command):
    done = CliRunner().invoke(main, command, env={"COLUMNS": "100"})
    assert done.exit_code in (0, 1, 2), done.output
    return done


def test_commands_take_tables_of_different_widths(files):
    audited = run("audit", "narrow", "wide", "wide", "-b", "ratings.tsv", "--json", "audit.json")
    assert audited.exit_code == 0, audited.output
    first, second = json.loads((files / "audit.json").read_text())["audits"]
    assert first["sources"]["original"]["d"], first["sources"]["tuned"]["d"] == (D, E)
    assert first["findings"] == second["findings"]
    assert f"{WHY}: an index" in " ".join(audited.output.split())
    shown = run("shifts", "narrow", "wide", "item-1", "--verify")
    assert shown.exit_code == 0, shown.output
    assert "moved itself" not in shown.output
    written = run("shifts", "narrow", "wide", "--all", "-o", "shifts.jsonl")
    assert written.exit_code == 0, written.output
    checked = run("check", "narrow", "wide", "-b", "ratings.tsv", "--rule", "overlap mean >= 0")
    assert checked.exit_code == 0, checked.output
    default = run("check", "narrow", "wide", "-b", "ratings.tsv")
    assert default.exit_code == 1
    assert WHY in " ".join(default.output.split())
    refused = run("audit", "narrow", "wide", "-b", "ratings.tsv", "--null")
    assert refused.exit_code == 2
    assert f"narrow and wide have {WHY}, so no row moved by a length" in refused.output


def test_shifts_written_in_parts_are_those_of_one_search(files):
    write_shifts(PAIR, "shifts.jsonl", k=K, part=50)
    written = [json.loads(line) for line in (files / "shifts.jsonl").read_text().splitlines()]
    shifts = dk.neighbor_shifts(PAIR, k=K)
    assert [row["after"] for row in written] == [[n for n, _ in s.after] for s in shifts]


def test_the_first_dimensions_are_those_of_the_array(files):
    table = dk.load("wide", dimensions=32)
    np.testing.assert_array_equal(table.matrix, AFTER[:, :32])
    assert table.words == WORDS
    assert table.source.name == "wide (first 32 dimensions)"
    whole = dk.load("wide", dimensions=E)
    assert whole.source.name == "wide"
    with pytest.raises(SourceError, match="wide: has 96 dimensions, and the first 97 were asked"):
        dk.load("wide", dimensions=97)
    with pytest.raises(dk.errors.OptionError, match="dimensions=0 was given"):
        dk.load("wide", dimensions=0)


def test_cosines_do_not_depend_on_making_rows_of_unit_length_again(files):
    cut = dk.load("wide", dimensions=32)
    again = dk.Embeddings(WORDS, unit(cut.matrix.astype(float)))
    shifts = dk.neighbor_shifts(dk.align(cut, again), k=K)
    np.testing.assert_array_equal(shifts.before, shifts.after)


def test_commands_keep_the_first_dimensions(files):
    """Of both tables with --dimensions, and of the original alone beside a number of its own."""
    both = run("audit", "narrow", "wide", "-b", "ratings.tsv", "--dimensions", "32", "--json", "-")
    found = json.loads(both.stdout)["sources"]
    assert [found[side]["d"] for side in ("original", "tuned")] == [32, 32]
    full = ["--dimensions", "32", "--original-dimensions", "96"]
    for command in (["audit", "wide", "wide", "-b", "ratings.tsv", "--json", "-", *full],):
        document = json.loads(run(*command).stdout)
        assert [document["sources"][side]["d"] for side in ("original", "tuned")] == [96, 32]
        assert document["rows"]["reason"] == "96 against 32 dimensions"
        assert document["sources"]["tuned"]["name"] == "wide (first 32 dimensions)"
    shown = run("shifts", "wide", "wide", "item-1", *full)
    assert shown.exit_code == 0, shown.output
    assert run("score", "wide", "-b", "ratings.tsv", "--dimensions", "8").exit_code == 0
    assert run("convert", "wide", "cut.npy", "--dimensions", "8").exit_code == 0
    np.testing.assert_array_equal(dk.load("cut.npy").matrix, AFTER[:, :8])
    refused = run("audit", "narrow", "wide", "--dimensions", "96", "-b", "ratings.tsv")
    assert refused.exit_code == 2
    assert "narrow: has 64 dimensions, and the first 96 were asked for; ask for 64 or fewer." in (
        refused.output
    )


def test_a_summary_keeps_the_keys_it_had():
    (row,) = [
        each for each in word_drift(PAIR).summary() if (each.measure, each.group) == ("l2", "all")
    ]
    assert row.to_dict().keys() - {"reason"} == {
        field.name for field in dataclasses.fields(row) if field.name != "why"
    }
    assert row.to_dict()["reason"] == WHY
