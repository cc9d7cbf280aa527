import math

import numpy as np
import pytest
import torch

from driftkit import Embeddings, align, neighbor_shifts, score
from driftkit.datasets import SimilarityBenchmark
from driftkit.errors import OptionError, UnknownNameError, VocabularyError
from driftkit.training.embedding import WordEmbedding
from driftkit.training.monitor import Budget, DriftMonitor

WORDS = tuple(f"w{i}" for i in range(60))
VALUES = {"moved": 0, "overlap@10": 1.0, "spearman[ws353]": 0.5}


def monitor_of(table, toy, **options):
    return DriftMonitor(
        table, WORDS, **{"every": 5, "benchmarks": [toy], "probes": 30, "k": 5} | options
    )


def train(table, monitor, optimizer, first, last):
    for step in range(first, last):
        rows = torch.tensor([step % 20, (3 * step) % 20, 7])
        optimizer.zero_grad()
        (table(rows) * torch.linspace(-1, 1, 8)).sum().backward()
        optimizer.step()
        if monitor.step(optimizer):
            return step
    return None


@pytest.mark.parametrize("sparse", [True, False])
def test_values_are_those_of_the_rooms(make_table, toy, sparse):
    table = make_table(sparse)
    monitor = monitor_of(table, toy)
    before = Embeddings(WORDS, table.weight.detach().numpy().copy())
    make = torch.optim.SparseAdam if sparse else torch.optim.Adam
    train(table, monitor, make(table.parameters(), lr=0.1), 0, 12)
    now = monitor.check()
    after = Embeddings(WORDS, table.weight.detach().numpy().copy())
    pair = align(before, after)
    assert now["moved"] == pair.moved.sum() == now["seen"] > 0
    probes = [WORDS[row] for row in monitor._values.probes.rows]
    assert now["overlap@5"] == neighbor_shifts(pair, probes, k=5).overlap.mean()
    assert now["spearman[toy]"] == pytest.approx(next(iter(score(after, [toy]))).value)
    assert [record["step"] for record in monitor.history] == [0, 5, 10, 12]
    frame = monitor.to_frame()
    assert frame.shape == (4, 1 + len(now))
    assert frame["spearman[toy]"].iloc[0] == next(iter(score(before, [toy]))).value
    assert frame["overlap@5"].iloc[0] == 1


def test_rows_moved_by_weight_decay_are_reported_as_unseen(make_table, toy):
    table = make_table(sparse=False)
    monitor = monitor_of(table, toy)
    train(table, monitor, torch.optim.Adam(table.parameters(), lr=0.1, weight_decay=0.1), 0, 5)
    assert (monitor.latest["moved"], monitor.latest["moved_unseen"]) == (
        60,
        60 - monitor.latest["seen"],
    )


def test_reading_without_training_is_not_seen(make_table, toy):
    table = make_table()
    monitor = monitor_of(table, toy)
    with torch.no_grad():
        table(torch.tensor([1]))
    table.weight.requires_grad_(False)
    table(torch.tensor([2]))
    assert monitor.check()["seen"] == 0
    table.weight.requires_grad_(True)
    table(torch.tensor([3]))
    assert monitor.check()["seen"] == 1
    monitor.close()
    table(torch.tensor([4]))
    assert monitor.check()["seen"] == 1


@pytest.mark.parametrize(
    ("now", "times"), [(0.5, 0), (0.6, 0), (0.481, 0), (0.479, 1), (0.455, 2), (math.nan, 0)]
)
def test_a_fall_counts_in_whole_budgets(now, times):
    budget = Budget("ws353", fall=0.02)
    assert budget.times_broken(VALUES, {**VALUES, "spearman[ws353]": now}) == times


def test_a_fall_of_zero_allows_none():
    assert Budget("overlap@10", fall=0).times_broken(VALUES, {"overlap@10": 0.999}) == 1
    assert Budget("overlap@10", fall=0).times_broken(VALUES, {"overlap@10": 1.0}) == 0


@pytest.mark.parametrize("measure", ["overlap@5[moved]", "moved", "strangers"])
def test_a_budget_that_could_never_fire_is_an_error_at_the_start(make_table, toy, measure):
    strangers = SimilarityBenchmark("strangers", (("no", "such"), ("word", "here")), [1.0, 2.0])
    with pytest.raises(OptionError, match="no value before training|rises"):
        monitor_of(
            make_table(), toy, benchmarks=[toy, strangers], budgets=[Budget(measure, fall=0.1)]
        )


def test_a_budget_whose_value_goes_away_is_told(make_table, toy):
    table = make_table()
    monitor = monitor_of(table, toy, budgets=[Budget("overlap@5[unmoved]", fall=0.1)])
    with torch.no_grad():
        table.weight += 1
    with pytest.warns(UserWarning, match=r"overlap@5\[unmoved\] has no value any more"):
        monitor.check()


def test_the_end_of_training_is_checked_once(make_table, toy):
    table = make_table()
    monitor = monitor_of(table, toy)
    optimizer = torch.optim.SparseAdam(table.parameters(), lr=0.1)
    monitor.end()
    train(table, monitor, optimizer, 0, 7)
    monitor.end()
    monitor.end()
    assert [record["step"] for record in monitor.history] == [0, 5, 7]


def test_a_cadence_that_never_came_is_told_and_checked_all_the_same(make_table, toy):
    table = make_table()
    monitor = monitor_of(table, toy, every=500, budgets=[Budget("overlap@5", 0)])
    train(table, monitor, torch.optim.SparseAdam(table.parameters(), lr=1.0), 0, 20)
    assert len(monitor.history) == 1
    with pytest.warns(UserWarning, match="after 20 steps and a check comes every 500"):
        monitor.end()
    assert "at step 20" in monitor.stop_reason


def test_a_budget_finds_its_value_by_name():
    assert Budget("ws353", 0.1).find(VALUES) == "spearman[ws353]"
    assert Budget("spearman[ws353]", 0.1).find(VALUES) == "spearman[ws353]"
    with pytest.raises(UnknownNameError, match="overlap@10"):
        Budget("overlap@1", 0.1).find(VALUES)
    with pytest.raises(OptionError, match="rises"):
        Budget("moved", 0.1).find(VALUES)


@pytest.mark.parametrize(
    "options",
    [
        {"fall": -1},
        {"fall": math.nan},
        {"fall": math.inf},
        {"fall": "0.1"},
        {"fall": 1, "factor": 1},
        {"fall": 1, "action": "x"},
    ],
)
def test_budgets_out_of_range(options):
    with pytest.raises(OptionError, match="a number from 0"):
        Budget("ws353", **options)


@pytest.mark.parametrize(
    ("measure", "fall", "said"),
    [
        ("overlap@5", 20, "'overlap@5' fall by 20; it starts at 1 and is never below 0"),
        ("overlap@5", 1.0, "could never fire"),
        ("self_cosine_p50", 2.0, "starts at 1 and is never below -1"),
        ("toy", 2.0, "never below -1"),
    ],
)
def test_a_fall_that_no_value_can_take_is_an_error(make_table, toy, measure, fall, said):
    with pytest.raises(OptionError, match=said):
        monitor_of(make_table(), toy, budgets=[Budget(measure, fall)])
    monitor_of(make_table(), toy, budgets=[Budget("overlap@5", 0.99)])


def test_a_resumed_run_has_the_budgets_it_was_saved_with(make_table, toy):
    saved = monitor_of(make_table(), toy, budgets=[Budget("toy", 0.1)]).state_dict()
    same = monitor_of(make_table(), toy, budgets=[Budget("spearman[toy]", 0.1)])
    same.load_state_dict(saved)
    for other in (Budget("toy", 0.2), Budget("overlap@5", 0.1), Budget("toy", 0.1, "cut")):
        with pytest.raises(OptionError, match=r"Its budgets were \[\['spearman\[toy\]', 0.1, 'st"):
            monitor_of(make_table(), toy, budgets=[other]).load_state_dict(saved)


def test_a_budget_stops_the_training(make_table, toy):
    free = make_table()
    monitor = monitor_of(free, toy)
    assert train(free, monitor, torch.optim.SparseAdam(free.parameters(), lr=0.1), 0, 100) is None
    allowed = 0.1
    falls = monitor.start["overlap@5"] - monitor.to_frame()["overlap@5"]
    first = int(monitor.to_frame()["step"][falls > allowed].iloc[0])

    table = make_table()
    monitor = monitor_of(table, toy, budgets=[Budget("overlap@5", allowed)])
    stopped = train(table, monitor, torch.optim.SparseAdam(table.parameters(), lr=0.1), 0, 100)
    assert stopped == first - 1
    assert "overlap@5 fell from 1" in monitor.stop_reason
    assert f"at step {first}" in monitor.stop_reason


def test_a_table_that_diverged_stops_the_training(make_table, toy):
    table = make_table()
    monitor = monitor_of(table, toy)
    with torch.no_grad():
        table(torch.tensor([3]))
        table.weight[3] = torch.inf
    monitor._seen[3] = True
    assert np.isnan(monitor.check()["overlap@5"])
    assert monitor.should_stop
    assert "infinity at step 0" in monitor.stop_reason


def test_a_resumed_run_gives_the_same_history(make_table, toy, tmp_path):
    def make():
        table = make_table()
        optimizer = torch.optim.SparseAdam(table.parameters(), lr=0.1)
        cut = Budget("overlap@5", 0.1, action="cut")
        return table, optimizer, monitor_of(table, toy, budgets=[cut])

    table, optimizer, whole = make()
    train(table, whole, optimizer, 0, 40)

    table, optimizer, half = make()
    train(table, half, optimizer, 0, 17)
    state = {
        "table": table.state_dict(),
        "optimizer": optimizer.state_dict(),
        "monitor": half.state_dict(),
    }
    torch.save(state, tmp_path / "run.pt")

    table, optimizer, resumed = make()
    state = torch.load(tmp_path / "run.pt", weights_only=True)
    table.load_state_dict(state["table"])
    optimizer.load_state_dict(state["optimizer"])
    resumed.load_state_dict(state["monitor"])
    train(table, resumed, optimizer, 17, 40)
    np.testing.assert_equal(resumed.history, whole.history)
    np.testing.assert_equal(resumed.state_dict()["cuts"], whole.state_dict()["cuts"])
    assert whole.state_dict()["cuts"][0] > 0
    assert whole.latest["rate_left"] < 1

    cut = Budget("overlap@5", 0.1, action="cut")
    late = monitor_of(table, toy, budgets=[cut])
    with pytest.raises(OptionError, match="another table"):
        late.load_state_dict(state["monitor"])
    given = monitor_of(table, toy, original=make_table().weight, budgets=[cut])
    given.load_state_dict(state["monitor"])
    np.testing.assert_equal(given.history, half.history)
    with pytest.raises(OptionError, match="other values"):
        monitor_of(make_table(), toy, k=4).load_state_dict(state["monitor"])


def test_writers_see_every_check(make_table, toy):
    seen = []
    table = make_table()
    monitor = monitor_of(table, toy, writers=[lambda step, values: seen.append((step, values))])
    train(table, monitor, torch.optim.SparseAdam(table.parameters(), lr=0.1), 0, 11)
    assert [step for step, _ in seen] == [5, 10]
    assert seen[-1][1] == monitor.latest


def test_a_word_embedding_knows_its_words(toy, make_table):
    layer = WordEmbedding(WORDS, make_table().weight.detach(), found=[True] * 60)
    assert DriftMonitor(layer, benchmarks=[toy], probes=["w3"]).words == WORDS
    with pytest.raises(VocabularyError):
        DriftMonitor(make_table())


def test_real_benchmarks_on_real_vectors(glove):
    layer = torch.nn.Embedding.from_pretrained(torch.tensor(glove.matrix[:20_000]))
    start = DriftMonitor(layer, glove.words[:20_000]).start
    table = Embeddings(glove.words[:20_000], glove.matrix[:20_000])
    for one in score(table, ["ws353", "simlex999"]):
        if one.measure == "spearman":
            assert start[f"spearman[{one.benchmark}]"] == pytest.approx(one.value, abs=1e-12)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"every": 0}, OptionError),
        ({"candidates": 0}, OptionError),
        ({"probes": 0}, OptionError),
        ({"original": torch.zeros(2, 2)}, OptionError),
        ({"budgets": [Budget("nothing", 0.1)]}, UnknownNameError),
        ({"benchmarks": ["nothing"]}, UnknownNameError),
    ],
)
def test_what_cannot_be(make_table, toy, options, error):
    with pytest.raises(error):
        monitor_of(make_table(), toy, **options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"every": 100 / 3}, "every=33.3333.* all are whole numbers from 1"),
        ({"every": True}, "every=True"),
        ({"k": 2.5}, "k=2.5"),
        ({"budgets": Budget("toy", 0.1)}, "budgets is a Budget; give a list"),
        ({"budgets": ["overlap@5"]}, "budgets holds 'overlap@5'; give one for each value"),
        ({"benchmarks": "ws353"}, r"benchmarks is 'ws353'; give a list of them: benchmarks=\["),
        ({"benchmarks": SimilarityBenchmark("one", (("w1", "w2"),), [1.0])}, "a Similarity"),
        ({"writers": print}, "writers is a .*; give a list"),
        ({"writers": [print, None]}, "writers holds None, which cannot be called"),
        ({"original": torch.nn.Embedding(60, 8)}, "original is a Embedding; give the table before"),
        ({"probes": "w1"}, "probes='w1' was given; give a number or a list of words"),
        ({"probes": 2.5}, "probes=2.5 was given"),
    ],
)
def test_an_option_of_another_kind_gets_a_sentence(make_table, toy, options, said):
    with pytest.raises(OptionError, match=said):
        monitor_of(make_table(), toy, **options)


@pytest.mark.parametrize("layer", ["0", torch.nn.Parameter(torch.ones(60, 8)), torch.ones(60, 8)])
def test_what_is_no_layer_gets_a_sentence(layer):
    with pytest.raises(OptionError, match=r"a (str|Parameter|Tensor) was given; give an nn.Embed"):
        DriftMonitor(layer, WORDS)


def test_a_step_that_the_scaler_skipped_does_not_count(make_table, toy):
    table = make_table(sparse=False)
    monitor = monitor_of(table, toy, every=2)
    optimizer = torch.optim.SGD(table.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    for skipped in (True, True, True, False, False, True, False):
        optimizer.zero_grad()
        factor = math.inf if skipped else 1
        scaler.scale(table(torch.tensor([3])).sum() * factor).backward()
        scaler.step(optimizer)
        scaler.update()
        monitor.step(optimizer)
    assert monitor.steps == 3


def test_accumulated_gradients_are_one_step(make_table, toy):
    accelerate = pytest.importorskip("accelerate", reason="extra transformers is not installed")
    accelerator = accelerate.Accelerator(gradient_accumulation_steps=4, cpu=True)
    table = make_table(sparse=False)
    monitor = monitor_of(table, toy, every=2)
    model, optimizer = accelerator.prepare(table, torch.optim.SGD(table.parameters(), lr=0.1))
    moved = []
    for at in range(16):
        with accelerator.accumulate(model):
            accelerator.backward(model(torch.tensor([at])).sum())
            optimizer.step()
            optimizer.zero_grad()
        monitor.step(optimizer)
        moved.append(monitor.latest["moved"])
    assert monitor.steps == 4
    assert [record["step"] for record in monitor.history] == [0, 2, 4]
    assert moved == [0] * 7 + [8] * 8 + [16]


def test_calls_before_the_first_step_that_was_seen_are_taken_back(make_table, toy):
    table = make_table(sparse=False)
    monitor = monitor_of(table, toy)
    optimizer = torch.optim.SGD(table.parameters(), lr=0.1)
    for at in range(8):
        table(torch.tensor([at])).sum().backward()
        if at % 4 == 3:
            optimizer.step()
        monitor.step()
    assert monitor.steps == 2


def test_without_an_optimizer_of_torch_every_call_is_a_step(make_table, toy):
    table = make_table()
    monitor = monitor_of(table, toy, every=2)
    for _ in range(4):
        table(torch.tensor([3])).sum().backward()
        with torch.no_grad():
            table.weight[3] += 1
        monitor.step()
    assert [record["step"] for record in monitor.history] == [0, 2, 4]


def test_steps_that_are_not_seen_any_more_are_told_and_calls_counted(make_table, toy):
    table = make_table(sparse=False)
    monitor = monitor_of(table, toy, every=2)
    optimizer = torch.optim.SGD(table.parameters(), lr=0.1)
    train(table, monitor, optimizer, 0, 2)
    for _ in range(999):
        monitor.step()
    assert monitor.steps == 2
    with pytest.warns(UserWarning, match="step was called 1,000 times in a row"):
        monitor.step()
    monitor.step()
    assert monitor.steps == 4
    train(table, monitor, optimizer, 4, 5)
    assert monitor.steps == 5
