"""What a monitor sees of ways to train that pass a layer by, and what it says where it is blind."""

import copy
import io
import weakref

import numpy as np
import pytest
import torch
from torch import nn
from torch._subclasses import FakeTensorMode

from driftkit.errors import OptionError
from driftkit.training.embedding import MixoutEmbedding
from driftkit.training.monitor import Budget, DriftMonitor
from driftkit.training.unfreezing import AtStep, freeze_then_unfreeze

WORDS = tuple(f"w{i}" for i in range(60))
ROWS = torch.tensor([3, 4, 7])


class Model(nn.Module):
    def __init__(self, table):
        super().__init__()
        self.table, self.head = table, nn.Linear(8, 2)

    def forward(self, rows):
        return self.head(self.table(rows))


@pytest.fixture
def model(make_table):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield Model(make_table(sparse=False))


def monitor_of(layer, **options):
    settings = {"every": 5, "benchmarks": (), "probes": 30, "k": 5}
    return DriftMonitor(layer, WORDS, **settings | options)


def train(model, monitor, optimizer, steps=5, forward=None):
    for _ in range(steps):
        optimizer.zero_grad()
        (model if forward is None else forward)(ROWS).square().sum().backward()
        optimizer.step()
        monitor.step(optimizer)
    return monitor.latest


def trainable(model):
    return torch.optim.SGD([each for each in model.parameters() if each.requires_grad], lr=0.1)


def test_a_functional_call_moves_rows_that_the_layer_never_looked_up(make_table):
    table = make_table()
    monitor = monitor_of(table)
    optimizer = torch.optim.SparseAdam(table.parameters(), lr=0.1)

    def forward(rows):
        return nn.functional.embedding(rows, table.weight, sparse=True)

    with pytest.warns(UserWarning, match="no batch went through the layer, though rows moved"):
        now = train(table, monitor, optimizer, forward=forward)
    assert (now["seen"], now["moved"], now["moved_unseen"]) == (0, 3, 3)


def test_weights_that_were_loaded_have_moved(make_table):
    table, other = make_table(), make_table()
    monitor = monitor_of(table)
    with torch.no_grad():
        other.weight[20:30] += 1
    table.load_state_dict(other.state_dict())
    assert monitor.check()["moved_unseen"] == 10


def test_a_tied_head_moves_every_row_of_a_sparse_table(make_table):
    table, head = make_table(), nn.Linear(8, 60, bias=False)
    head.weight = table.weight
    monitor = monitor_of(table)
    now = train(
        head,
        monitor,
        torch.optim.SGD(head.parameters(), lr=0.1),
        forward=lambda rows: head(table(rows).detach()),
    )
    assert (now["seen"], now["moved"]) == (3, 60)


def test_a_model_compiled_before_the_monitor_was_made_moves_rows(model):
    torch.compiler.reset()
    compiled = torch.compile(model, backend="eager")
    compiled(ROWS)
    monitor = monitor_of(model.table)
    with pytest.warns(UserWarning, match="If the model was compiled before"):
        now = train(model, monitor, trainable(model), forward=compiled)
    assert now["moved"] == 3


def test_a_model_compiled_after_the_monitor_was_made_is_seen_whole(model):
    monitor = monitor_of(model.table)
    torch.compiler.reset()
    compiled = torch.compile(model, backend="eager")
    now = train(model, monitor, trainable(model), forward=compiled)
    assert (now["seen"], now["moved"]) == (3, 3)


def test_half_precision_alone_moves_nothing(model):
    monitor = monitor_of(model.table)
    model.to(torch.bfloat16)
    assert monitor.check()["moved"] == 0
    with torch.no_grad():
        model.table.weight[5] *= 1.5
    assert monitor.check()["moved"] == 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_table_that_goes_to_another_device_is_followed(model):
    here = train(model, monitor_of(model.table), trainable(model))
    monitor = monitor_of(model.table)
    model.cuda()
    there = train(model, monitor, trainable(model), forward=lambda rows: model(rows.cuda()))
    assert there["moved"] == here["moved"] == there["seen"]
    model.cpu()
    assert monitor.check()["moved"] == 3


def test_a_layer_that_the_optimizer_does_not_have_is_told(model):
    monitor = monitor_of(model.table)
    with pytest.warns(UserWarning, match="no optimizer that took a step holds"):
        train(model, monitor, torch.optim.SGD(model.head.parameters(), lr=0.1))


def test_a_layer_that_was_replaced_is_told(model, make_table):
    monitor = monitor_of(model.table)
    model.table = make_table(sparse=False)
    with pytest.warns(UserWarning, match="no batch went through the layer"):
        train(model, monitor, trainable(model))


def test_a_layer_that_waits_for_its_thaw_is_no_blind_spot(model):
    monitor = monitor_of(model.table)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    freeze_then_unfreeze(optimizer, model.table, AtStep(100))
    assert train(model, monitor, optimizer)["moved"] == 0


def test_a_table_that_grew_is_followed_in_its_first_rows(model):
    monitor = monitor_of(model.table)
    more = torch.cat([model.table.weight.detach(), torch.zeros(4, 8)])
    model.table.weight, model.table.num_embeddings = nn.Parameter(more), 64
    with pytest.warns(UserWarning, match="grew from 60 to 64 rows"):
        now = train(
            model, monitor, trainable(model), forward=lambda r: model(torch.cat([r, r + 56]))
        )
    assert (now["seen"], now["moved"]) == (4, 4)  # rows 3, 4, 7 and 59


def test_a_table_that_shrank_is_an_error(model):
    monitor = monitor_of(model.table)
    model.table.weight = nn.Parameter(model.table.weight.detach()[:50])
    with pytest.raises(OptionError, match=r"was \(60, 8\) and is \(50, 8\) now"):
        monitor.check()


def test_resized_by_transformers(make_table):
    transformers = pytest.importorskip("transformers", reason="extra transformers is missing")
    config = transformers.GPT2Config(vocab_size=60, n_positions=8, n_embd=8, n_layer=1, n_head=1)
    model = transformers.GPT2LMHeadModel(config)
    monitor = monitor_of(model.get_input_embeddings())
    model.resize_token_embeddings(64, mean_resizing=False)
    optimizer = trainable(model)
    with pytest.warns(UserWarning, match="grew from 60 to 64 rows"):
        now = train(model, monitor, optimizer, forward=lambda rows: model(rows[None]).logits)
    assert now["moved"] == 60  # the head is tied


def test_a_layer_that_wraps_an_embedding_is_watched_through_it(make_table):
    mixed = MixoutEmbedding(make_table(sparse=False), p=0.5)
    monitor = monitor_of(mixed)
    now = train(mixed, monitor, trainable(mixed))
    assert (now["seen"], now["moved"]) == (3, 3)
    assert mixed.training
    with pytest.raises(OptionError, match="an nn.Embedding, or a layer that wraps one"):
        monitor_of(nn.Linear(8, 2))


@pytest.mark.parametrize(
    "look_up",
    [
        lambda table: table(ROWS.int()),
        lambda table: table(input=ROWS),
        lambda table: table(ROWS.reshape(1, 3, 1)),
    ],
    ids=["int32", "keyword", "any shape"],
)
def test_rows_are_seen_however_they_are_given(make_table, look_up):
    table = make_table()
    monitor = monitor_of(table)
    now = train(table, monitor, trainable(table), forward=lambda _: look_up(table))
    assert (now["seen"], now["moved_unseen"]) == (3, 0)


def test_an_adapter_that_is_given_its_rows_by_keyword(adapt):
    adapted = adapt(target_modules=["table"])
    table = adapted.base_model.model.table
    monitor = monitor_of(table)
    now = train(adapted, monitor, trainable(adapted), forward=lambda rows: table(x=rows))
    assert now["seen"] == 3


def test_a_trial_on_meta_or_with_fake_tensors_leaves_the_monitor_as_it_was(model):
    monitor = monitor_of(model.table)
    start = {name: each.detach().clone() for name, each in model.named_parameters()}
    model.to("meta")
    model(ROWS.to("meta")).sum().backward()
    with pytest.raises(OptionError, match="no numbers; load its weights first"):
        monitor.check()
    with FakeTensorMode() as mode:
        model.load_state_dict(
            {name: mode.from_tensor(each) for name, each in start.items()}, assign=True
        )
        model(torch.arange(5)).sum().backward()
        with pytest.raises(OptionError, match="no numbers; load its weights first"):
            monitor.check()
    model.load_state_dict(start, assign=True)
    model.table.weight.requires_grad_()
    now = train(model, monitor, trainable(model))
    assert (now["seen"], now["moved"]) == (3, 3)


def test_a_monitor_of_a_table_without_numbers_is_refused(model):
    with pytest.raises(OptionError, match="no numbers; load its weights first"):
        monitor_of(model.to("meta").table)


@pytest.fixture
def adapt(model):
    peft = pytest.importorskip("peft", reason="extra peft is not installed")

    def wrap(**options):
        options = {"target_modules": ["head"]} | options
        return peft.get_peft_model(model, peft.LoraConfig(lora_dropout=0.5, **options))

    return wrap


@pytest.mark.parametrize(
    ("options", "moved"),
    [
        ({"target_modules": ["table"]}, 3),
        ({"modules_to_save": ["table"]}, 3),
        ({"trainable_token_indices": {"table": [4, 20]}}, 1),
    ],
)
def test_peft_is_followed_where_the_monitor_is_made_of_its_layer(adapt, options, moved):
    adapted = adapt(**options)
    before = adapted.base_model.model.table
    monitor = monitor_of(before)
    train(adapted, monitor, trainable(adapted), steps=10)
    start, now = monitor.original, monitor._table()
    merged = adapted.merge_and_unload().table.weight
    torch.testing.assert_close(now, merged)
    assert monitor.latest["moved"] == int((now != start).any(1).sum()) == moved
    assert monitor.latest["seen"] == 3


def test_a_copy_that_peft_trains_in_its_place_is_followed(model, adapt):
    monitor = monitor_of(model.table, budgets=[Budget("overlap@5", 0, "cut")])
    adapted = adapt(modules_to_save=["table"])
    with pytest.warns(UserWarning, match="a copy of it is trained in its place"):
        now = train(adapted, monitor, trainable(adapted))
    assert (now["seen"], now["moved"], now["rate_left"]) == (3, 3, 0.1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"target_modules": ["table"]}, "no optimizer that took a step holds"),
        ({"trainable_token_indices": {"table": [4, 20]}}, "no batch went through the layer"),
    ],
)
def test_an_adapter_put_on_after_the_monitor_is_told(model, adapt, options, said):
    monitor = monitor_of(model.table)
    adapted = adapt(**options)
    with pytest.warns(UserWarning, match=said):
        train(adapted, monitor, trainable(adapted))


def test_a_cut_lowers_the_rate_of_both_halves_of_an_adapter(adapt):
    adapted = adapt(target_modules=["table"])
    table = adapted.base_model.model.table
    monitor = monitor_of(table, budgets=[Budget("overlap@5", 0, "cut", factor=0)])
    halves = [*table.lora_embedding_A.parameters(), *table.lora_embedding_B.parameters()]
    optimizer = torch.optim.SGD([{"params": [each]} for each in halves], lr=0.1)
    train(adapted, monitor, optimizer)
    assert monitor.latest["rate_left"] == 0
    before = monitor._table().clone()
    train(adapted, monitor, optimizer)
    assert torch.equal(monitor._table(), before)


def test_a_copy_beside_the_layer_changes_nothing_and_a_watched_model_can_be_saved(model):
    monitor = monitor_of(model.table)
    copy.deepcopy(model)(torch.tensor([50]))
    train(model, monitor, trainable(model))
    assert monitor.embedding is model.table
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    np.testing.assert_array_equal(loaded(ROWS).detach().numpy(), model(ROWS).detach().numpy())
    assert monitor.check()["seen"] == 3


@pytest.mark.parametrize("name", ["T5", "Bart"])
def test_a_table_that_encoder_and_decoder_share_is_seen_in_both(name):
    transformers = pytest.importorskip("transformers", reason="extra transformers is missing")
    sizes = {
        "T5": {"d_ff": 8, "d_kv": 4, "num_layers": 1, "num_heads": 2},
        "Bart": {
            "encoder_layers": 1,
            "decoder_layers": 1,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 8,
            "decoder_ffn_dim": 8,
        },
    }
    tokens = {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
    config = getattr(transformers, f"{name}Config")(
        vocab_size=60, d_model=8, **tokens, **sizes[name]
    )
    model = getattr(transformers, f"{name}ForConditionalGeneration")(config)
    monitor = monitor_of(model.get_input_embeddings(), every=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(input_ids=ROWS[None], labels=torch.tensor([[8, 9, 1]])).loss.backward()
    optimizer.step()
    monitor.step(optimizer)
    assert monitor._seen.nonzero().flatten().tolist() == [0, 3, 4, 7, 8, 9]
    assert monitor.latest["moved"] == 60  # by the head, which is tied
    monitor.close()
    assert not any(each._forward_hooks for each in model.modules())


def test_a_layer_does_not_keep_its_monitor(model):
    monitor = monitor_of(model.table)
    alive = weakref.ref(monitor)
    del monitor
    assert alive() is None
    model(ROWS)
    assert not model.table._forward_hooks
    model(ROWS)
