"""What `dk.restore` chooses, reports and refuses."""

import json
import sys

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from safetensors.torch import save_file

import driftkit as dk
from driftkit.errors import OptionError, RuleError, SourceError, UnknownNameError

NEAR = "relative_l2 mean[moved] <= 0.2"


def test_interpolation_at_both_ends_gives_the_two_tables(pair):
    assert dk.restore(pair, strength=0).table.sha256 == pair.original.sha256
    assert dk.restore(pair, strength=1).table.sha256 == pair.tuned.sha256
    assert len(dk.restore(pair, strength=1).patch) == 0


def test_rounding_alone_is_no_movement_and_goes_only_at_0(pair, tmp_path):
    """All rows of a float16 checkpoint differ from the original; a patch holds those that moved."""
    torch.save({"emb": torch.tensor(pair.after).half()}, tmp_path / "m.pt")
    half = dk.align(pair.original, dk.load(tmp_path / "m.pt", vocab=pair.words))
    assert half.changed.all()
    found = dk.restore(half, strength=0.5)
    assert found.patch.names == tuple(word for word in pair.words[::3])
    assert dk.restore(half, strength=0).table.sha256 == pair.original.sha256


def test_the_strongest_inside_the_budget_is_chosen(pair):
    found = dk.restore(pair, NEAR)
    inside = [point.strength for point in found.points if point.is_inside]
    assert found.point.strength == max(inside)
    assert 0 < found.point.strength < 1
    for point in found.points:
        table = dk.restore(pair, strength=point.strength).table
        (result,) = dk.check(dk.audit(dk.align(pair.original, table), []), [NEAR]).results
        told = point.results[0]
        assert (result.outcome, str(result.value)) == (told.outcome, str(told.value))
        assert point.is_inside == (result.outcome == "pass")


def test_what_the_gate_does_not_measure_is_not_inside(pair):
    """At 0 no row is left that moved, so nothing is known of those that did."""
    found = dk.restore(pair, "overlap@10 mean[moved] >= 1", candidates=300, strengths=[1, 0])
    assert not found
    assert found.points[1].results[0].outcome == "not measured"
    assert "at 1, which keeps 100% of the movement, overlap@10 mean[moved] is" in found.headline
    assert dk.restore(pair, "moved <= 0").point.strength == 0


@pytest.mark.parametrize("method", ["interpolate", "ball", "directions"])
def test_the_edge_of_the_budget_is_looked_for_between_the_strengths(pair, method):
    found = dk.restore(pair, NEAR, method=method)
    at = found.chosen
    outside, inside = found.points[at - 1 : at + 1]
    assert inside.is_inside
    assert not outside.is_inside
    assert outside.kept - inside.kept < 0.1 / 8 or method == "directions"
    given = dk.restore(pair, NEAR, method=method, strengths=[4, 1, 0][method != "directions" :])
    assert len(given.points) <= 3


def test_rows_that_moved_alike_have_radii_below_their_movement(space):
    words = [f"w{row}" for row in range(len(space))]
    pair = dk.align(dk.Embeddings(words, space), dk.Embeddings(words, space * 1.5))
    found = dk.restore(pair, "relative_l2 mean <= 0.11", method="ball")
    assert found.point.strength == pytest.approx(0.11, abs=0.005)


def test_how_often_words_were_seen_may_be_shares(pair):
    counts = {word: (1 + row) / 1e4 for row, word in enumerate(pair.words)}
    found = dk.restore(pair, "moved <= 40", method="rare", counts=counts)
    assert 30 <= dk.align(pair.original, found.table).moved.sum() <= 40


def test_what_is_kept_is_the_share_of_all_movement(pair):
    found = dk.restore(pair, NEAR)
    assert [point.kept for point in found.points] == pytest.approx(
        [point.strength for point in found.points], abs=1e-6
    )


def test_movement_that_is_added_counts_too(pair):
    found = dk.restore(pair, "moved >= 0", method="propagate", candidates=300)
    assert found.point.strength == 1
    assert found.point.kept > 1
    assert found.points[-1].kept == pytest.approx(1)
    assert found.points[-1].strength == 0


@pytest.mark.parametrize("method", ["propagate", "paid", "rare", "ball", "interpolate"])
@pytest.mark.parametrize("group", ["moved", "unmoved"])
def test_a_budget_on_moved_words_is_kept_by_those_that_tuning_moved(pair, method, group):
    """Words that join or leave the moved ones do not lift their mean, and the gate passes too."""
    budget, counts = f"overlap@10 mean[{group}] >= 0.72", dict.fromkeys(pair.words[::6], 3)
    found = dk.restore(pair, budget, method=method, counts=counts, candidates=300)
    tuning = pair.moved if group == "moved" else ~pair.moved
    for point in found.points:
        table = dk.restore(
            pair, strength=point.strength, method=method, counts=counts, candidates=300
        ).table
        back = dk.align(pair.original, table)
        mean = dk.neighbor_shifts(back, k=10).overlap[tuning].mean()
        gate = dk.check(dk.audit(back, []), [budget]).results[0].outcome
        assert point.is_inside == (mean >= 0.72 and gate == "pass")
    if method == "propagate" and group == "moved":
        first = found.points[0].results[0]
        assert first.value == pytest.approx(
            dk.neighbor_shifts(_restored(pair, method, 1), k=10).overlap[pair.moved].mean()
        )


def _restored(pair, method, strength):
    found = dk.restore(pair, strength=strength, method=method, candidates=300)
    return dk.align(pair.original, found.table)


def test_movement_that_joins_does_not_meet_a_budget():
    """Rows that hardly move join the moved ones, and only lift the mean over these."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(300, 12)).astype("f4")
    tuned = rows.copy()
    tuned[::10] += rng.normal(size=(30, 12)) * 1.5
    words = [f"w{row}" for row in range(300)]
    pair = dk.align(dk.Embeddings(words, rows), dk.Embeddings(words, tuned))
    budget = "overlap@10 mean[moved] >= 0.5"
    lifted = dk.audit(_restored(pair, "propagate", 1), [])
    assert dk.check(lifted, [budget]).state == "pass"
    assert not dk.restore(pair, budget, method="propagate", candidates=300)


def test_the_patch_makes_the_restored_table_and_back(pair):
    found = dk.restore(pair, NEAR)
    assert found.patch.apply(pair.tuned).sha256 == found.table.sha256
    assert found.patch.undo(found.table).sha256 == pair.tuned.sha256
    assert found.patch.hashes["original"] == pair.original.sha256
    assert len(found.patch) == pair.moved.sum()


def test_names_and_order_are_those_of_the_tuned_table(pair, space):
    """Also where rows were added, removed and shuffled."""
    order = np.random.default_rng(0).permutation(len(space))[:-10]
    words = [pair.words[row] for row in order]
    tuned = dk.Embeddings([*words, "new"], np.vstack([pair.after[order], np.ones(12)]))
    restored = dk.restore(dk.align(pair.original, tuned), strength=0).table
    assert restored.words == tuned.words
    assert_array_equal(restored.matrix[:-1], pair.before[order])
    assert_array_equal(restored["new"], np.ones(12))


def test_permuting_the_rows_of_both_tables_changes_nothing(pair):
    order = np.random.default_rng(4).permutation(len(pair))
    words = [pair.words[row] for row in order]
    other = dk.align(
        dk.Embeddings(words, pair.before[order]), dk.Embeddings(words, pair.after[order])
    )
    one, two = dk.restore(pair, NEAR), dk.restore(other, NEAR)
    assert one.point.strength == two.point.strength
    assert_array_equal(two.table.matrix, one.table.matrix[order])


@pytest.mark.parametrize("rule", ["cka >= 0.97", "displaced <= 0", "word[w0] self_cosine >= 0.999"])
def test_rules_on_the_space_on_counts_and_on_words(pair, rule):
    found = dk.restore(pair, rule, candidates=300)
    assert found
    table = dk.align(pair.original, found.table)
    audit = dk.audit(table, [], candidates=300)
    assert dk.check(audit, [rule]).state == "pass"
    assert not found.points[0].is_inside


def test_a_rule_on_a_question_is_answered(pair):
    found = dk.restore(pair, "link != broken", strengths=[1, 0.1], candidates=300)
    assert [point.is_inside for point in found.points] == [False, True]


def test_a_rule_that_warns_does_not_bind(pair):
    assert dk.restore(pair, ["warn moved <= 0", NEAR]).point.strength > 0


# Benchmarks: chosen on one half, reported on the other.


def test_one_half_of_the_items_chooses_and_the_other_reports(pair, liked):
    found = dk.restore(pair, "spearman[liked] >= -0.02", benchmarks=[liked], resamples=500)
    assert 0 <= found.point.strength < 1
    for point in found.points:
        (one,), (other,) = point.results, point.held_out
        assert one.n + other.n == len(liked)
        assert min(one.n, other.n) > len(liked) / 4
        assert point.is_inside == (one.outcome == "pass")
    assert found.points[0].results[0].value != found.points[0].held_out[0].value
    assert "on the half it was not chosen by" in found.headline


def test_halves_are_those_items_whatever_the_strength(pair, liked):
    changes = [
        dk.compare_scores(dk.align(pair.original, dk.restore(pair, strength=each).table), [liked])
        for each in (0.2, 1)
    ]
    from driftkit.evaluators.comparison.compare import halves_of

    (one, other), (again, _) = (halves_of(each, resamples=100) for each in changes)
    assert one[0].items.pairs == again[0].items.pairs
    assert not {pair[0] for pair in one[0].items.pairs} & {pair[0] for pair in other[0].items.pairs}
    assert sorted((*one[0].items.pairs, *other[0].items.pairs)) == sorted(liked.pairs)
    alone = dk.datasets.SimilarityBenchmark("liked", one[0].items.pairs, one[0].items.gold)
    (own,) = dk.compare_scores(pair, [alone])
    assert one[0].original == pytest.approx(own.original, abs=1e-12)


def test_halves_of_analogies_answer_as_they_did(pair):
    from driftkit.datasets import AnalogyBenchmark
    from driftkit.evaluators.comparison.compare import halves_of

    rng = np.random.default_rng(0)
    asked = tuple(tuple(f"w{row}" for row in rng.permutation(300)[:4]) for _ in range(60))
    benchmark = AnalogyBenchmark("asked", asked, ("a", "b") * 30)
    (whole,) = dk.compare_scores(pair, [benchmark])
    (one,), (other,) = halves_of([whole], resamples=100)
    frame = whole.items.to_frame()
    parts = [half.items.to_frame() for half in (one, other)]
    assert sum(map(len, parts)) == len(frame)
    keys = list(whole.items.columns)
    for part in parts:
        merged = part.merge(frame, on=[*keys, "category"], suffixes=("", "_whole"))
        assert len(merged) == len(part)
        assert (merged["tuned"] == merged["tuned_whole"]).all()


def test_an_undecided_strength_is_not_inside(pair, liked):
    """The estimate of a small fall is allowed, its interval is not."""
    found = dk.restore(pair, "spearman[liked] >= -0.02", benchmarks=[liked], resamples=500)
    undecided = [each for each in found.points if each.results[0].outcome == "inconclusive"]
    assert undecided
    assert not any(point.is_inside for point in undecided)


def test_a_budget_out_of_reach_gives_no_table_and_says_why(pair):
    found = dk.restore(pair, "moved <= 1", strengths=[1, 0.5])
    assert not found
    assert (found.table, found.patch, found.chosen) == (None, None, None)
    assert "no strength is surely inside the budget; at 0.5" in found.headline
    assert "moved is 100" in found.headline
    assert len(found.points) == 2


@pytest.mark.parametrize("strength", [7, "x", pytest.param(10**400, id="huge"), float("nan")])
def test_strengths_are_judged_though_no_map_helps(pair, strength):
    with pytest.raises(OptionError, match="it is the share of the way from the mapped"):
        dk.restore(pair, "moved <= 3", method="map", strengths=[strength])
    refused = dk.restore(pair, "moved <= 3", method="map")
    assert not refused
    assert repr(refused).startswith("Not restored: no map helps: of the moved rows")


def test_numbers_past_all_floats_are_refused(pair):
    with pytest.raises(OptionError, match="strength=1000"):
        dk.restore(pair, strength=10**400)
    with pytest.raises(OptionError, match="'w0' was seen 1000"):
        dk.restore(pair, strength=1, method="rare", counts={"w0": 10**400})


def test_where_nothing_moved_no_share_of_the_movement_is_told(pair):
    same = dk.align(pair.original, pair.original)
    for found in (dk.restore(same, "shared >= 999"), dk.restore(same, strength=0)):
        assert "no row moved" in found.headline
        assert "%" not in found.headline


def test_a_rule_on_unmoved_words_holds_where_all_moved(space):
    """As `docs/reference/restore.md` says: there is none that it could be about."""
    noise = np.random.default_rng(0).normal(size=space.shape)
    words = [f"w{row}" for row in range(len(space))]
    moved = dk.align(dk.Embeddings(words, space), dk.Embeddings(words, space + noise))
    found = dk.restore(moved, "overlap@10 mean[unmoved] >= 0.9")
    assert found.point.strength == 1
    assert found.point.results[0].value_text == "-"
    assert (
        dk.check(dk.audit(moved, benchmarks=[]), ["overlap@10 mean[unmoved] >= 0.9"]).state
        == "pass"
    )


@pytest.mark.parametrize("side", ["original", "tuned"])
def test_a_table_that_is_written_to_meanwhile_gives_no_result(pair, tmp_path, side):
    words = getattr(pair, side).words
    np.save(tmp_path / "table.npy", getattr(pair, side).matrix)
    mapped = dk.load(tmp_path / "table.npy", vocab=words)
    tables = {"original": pair.original, "tuned": pair.tuned, side: mapped}
    joined = dk.align(tables["original"], tables["tuned"])
    assert dk.audit(joined, benchmarks=[])

    def write(*_):
        np.lib.format.open_memmap(tmp_path / "table.npy", mode="r+")[5] += 1

    for asked in (
        lambda: dk.audit(joined, benchmarks=[], progress=write),
        lambda: dk.restore(joined, "moved <= 50", progress=write),
    ):
        with pytest.raises(SourceError, match=r"table\.npy: was changed while it was read"):
            asked()


def test_of_too_few_words_the_reason_of_the_gate_is_given(pair):
    few = [dk.Embeddings(pair.words[:60], rows[:60]) for rows in (pair.before, pair.after)]
    found = dk.restore(dk.align(*few), ["overlap@10 mean >= 0.9", "moved <= 5"])
    (gate, _) = found.points[-1].results
    assert gate.reason == "60 candidates for 10 neighbors agree by chance; a rule needs 10 for each"
    assert f"overlap@10 mean not measured ({gate.reason})" in found.headline
    shown = repr(found).split("\n")
    marks = {line.split()[1]: line.split()[0] for line in shown if line.strip()[:1] in ("x", "?")}
    assert marks["0"] == "?"
    assert marks["1"] == "x"
    assert dk.restore(dk.align(*few), "overlap@5 mean >= 0.9")


# Tasks.


def test_the_task_chooses_inside_the_budget(pair):
    def task(table):
        return -abs(float(table.matrix[0, 0]) - (0.7 * pair.before[0, 0] + 0.3 * pair.after[0, 0]))

    assert dk.restore(pair, task=task).point.strength == 0.3
    allowed = dk.restore(pair, "relative_l2 mean[moved] <= 0.05", task=task)
    assert allowed.point.strength < 0.3
    assert max(point.task for point in allowed.points) > allowed.point.task


def test_of_equal_tasks_the_most_movement_is_kept(pair):
    assert dk.restore(pair, task=lambda _: 1).point.strength == 1


SCRIPT = """
import sys, numpy as np, torch
path = sys.argv[1]
if path.endswith(".pt"):
    saved = torch.load(path)
    assert saved["epoch"] == 3
    rows = saved["emb.weight"].numpy()
else:
    rows = np.load(path)
print("evaluated")
print(round(float(np.abs(rows).sum()), 3))
"""


@pytest.mark.parametrize("kind", ["memory", "checkpoint"])
def test_a_command_is_given_the_table_in_the_format_it_came_in(pair, tmp_path, kind):
    (tmp_path / "task.py").write_text(SCRIPT)
    if kind == "checkpoint":
        torch.save({"epoch": 3, "emb.weight": torch.tensor(pair.after)}, tmp_path / "m.pt")
        tuned = dk.load(tmp_path / "m.pt", vocab=pair.words)
        pair = dk.align(pair.original, tuned)
    command = f"{sys.executable} {tmp_path / 'task.py'} {{table}}"
    found = dk.restore(pair, NEAR, task=command, strengths=[1, 0])
    sums = [float(np.abs(rows).sum()) for rows in (pair.after, pair.before)]
    assert [point.task for point in found.points] == pytest.approx(sums, rel=1e-5)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("true", "does not say where the table goes"),
        ("no-such-command {table}", "is not found"),
        ("'open {table}", "cannot be read"),
        (
            f"{sys.executable} -c 'raise SystemExit(\"no data\")' {{table}}",
            "failed with 1.*no data",
        ),
        (f"{sys.executable} -c 'print(\"good\")' {{table}}", "its last line must be a number"),
        (f"{sys.executable} -c 'print(\"nan\")' {{table}}", "its last line must be a number"),
        (3, "give a function of a table"),
        (lambda _: float("nan"), "must give a finite number"),
        (lambda _: None, "must give a finite number"),
        (lambda _: 1 / 0, "the task failed .ZeroDivisionError: division by zero"),
        (lambda _: sys.exit(3), "the task failed .SystemExit: 3"),
        (lambda _: "1", "the task gave '1'; it must give a finite number"),
        (lambda _: True, "the task gave True; it must give a finite number"),
        (lambda _: np.bool_(True), "it must give a finite number"),
        (lambda _: torch.tensor(True), "it must give a finite number"),
    ],
)
def test_a_task_that_gives_no_number_is_told_in_one_sentence(pair, task, said):
    with pytest.raises(OptionError, match=said):
        dk.restore(pair, task=task, strengths=[1])


def test_rows_that_were_not_read_stay_in_the_copy_for_the_task(pair, tmp_path):
    torch.save({"emb.weight": torch.tensor(pair.after)}, tmp_path / "m.pt")
    tuned = dk.load(tmp_path / "m.pt", vocab=pair.words, limit=100)
    read = "import sys, torch; print(torch.load(sys.argv[1])['emb.weight'].abs().sum().item())"
    (tmp_path / "task.py").write_text(read)
    command = f"{sys.executable} {tmp_path / 'task.py'} {{table}}"
    found = dk.restore(dk.align(pair.original, tuned), task=command, strengths=[0])
    expected = np.abs(np.vstack([pair.before[:100], pair.after[100:]])).sum()
    assert found.point.task == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("tied", "is tied: another tensor of the file has the same numbers"),
        ("old", "torch wrote before 1.6"),
        ("sharded", "is no file"),
        ("twice", "is stored twice, as emb.weight and as lm_head.weight"),
    ],
)
def test_a_checkpoint_that_has_no_copy_for_the_task_is_refused(pair, tmp_path, kind, said):
    """The command may ask more of its file than the table, so no table takes its place."""
    rows, path = torch.tensor(pair.after), tmp_path / "m.pt"
    if kind == "tied":
        torch.save({"emb.weight": rows, "lm_head.weight": rows}, path)
    elif kind == "old":
        torch.save({"emb.weight": rows}, path, _use_new_zipfile_serialization=False)
    elif kind == "twice":
        path = tmp_path / "m.safetensors"
        save_file({"emb.weight": rows, "lm_head.weight": rows.clone()}, path)
    else:
        path = tmp_path / "shards"
        path.mkdir()
        save_file({"emb.weight": rows}, path / "model-00001-of-00001.safetensors")
        index = {"weight_map": {"emb.weight": "model-00001-of-00001.safetensors"}}
        (path / "model.safetensors.index.json").write_text(json.dumps(index))
        (path / "config.json").write_text("{}")
    (tmp_path / "words.txt").write_text("\n".join(pair.words))
    tuned = dk.load(path, vocab=tmp_path / "words.txt")
    command = f"{sys.executable} -c 'print(1)' {{table}}"
    with pytest.raises(
        OptionError, match="a copy of your checkpoint, and none can be made"
    ) as told:
        dk.restore(dk.align(pair.original, tuned), task=command, strengths=[0.5])
    assert said in str(told.value)
    assert str(told.value).endswith("write it (driftkit convert) and restore that.")


# What is refused.


def test_what_cannot_be_asked_is_refused(pair, space):
    for asked, said in (
        ({}, "nothing says how far"),
        ({"budget": []}, "nothing says how far"),
        ({"budget": NEAR, "strength": 1}, "a strength says which table"),
        ({"strength": 1, "strengths": [1]}, "a strength says which table"),
        ({"method": "rare", "strength": 1}, "give counts by word"),
        ({"budget": "moved <= baseline"}, "compares with a baseline"),
        ({"strength": 1, "k": 0}, "k=0 was given"),
        ({"budget": NEAR, "strengths": []}, "give a list of numbers"),
        ({"budget": NEAR, "strengths": "1"}, "give a list of numbers"),
        ({"budget": NEAR, "strengths": 0.5}, "give a list of numbers"),
        ({"method": "rare", "strength": 1, "counts": ["w0"]}, "numbers by word"),
        ({"method": "rare", "strength": 1, "counts": {"w0": -1}}, "'w0' was seen -1 times"),
        ({"method": "rare", "strength": 1, "counts": {"w0": "2"}}, "'w0' was seen '2' times"),
    ):
        with pytest.raises(OptionError, match=said):
            dk.restore(pair, **asked)
    with pytest.raises(UnknownNameError, match="did you mean 'interpolate'"):
        dk.restore(pair, NEAR, method="interpolat")
    with pytest.raises(RuleError):
        dk.restore(pair, "moved")
    with pytest.raises(RuleError, match="was not measured"):
        dk.restore(pair, "pearson[ws353] >= 0")
    with pytest.raises(OptionError, match="takes a pair"):
        dk.restore(pair.tuned, NEAR)
    narrow = dk.align(pair.original, dk.Embeddings(pair.words, space[:, :5]))
    with pytest.raises(OptionError, match="differ in width"):
        dk.restore(narrow, NEAR)


# Views.


def test_the_curve_is_a_frame_a_document_and_a_text(pair, liked):
    asked = ["spearman[liked] >= -0.05", NEAR]
    found = dk.restore(pair, asked, benchmarks=[liked], resamples=200, strengths=[1, 0.3, 0.1])
    frame = found.to_frame()
    assert len(frame) == 3 * 2 * 2
    assert set(frame["half"]) == {"chosen", "held out"}
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["schema"] == "driftkit.restore/1"
    assert [each["strength"] for each in document["curve"]] == [1, 0.3, 0.1]
    assert document["patch"]["rows"] == len(found.patch)
    text = repr(found)
    assert text.startswith("Restored: ")
    assert "The other half of the items" in text
    assert "spearman[liked]" in text
    assert "<table" in found._repr_html_()
    assert len(dk.restore(pair, strength=0.5).to_frame()) == 1
