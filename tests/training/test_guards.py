"""Situations of real training that no other file has, each with the real library.

The page docs/reference/guards.md lists all of them.
"""

import warnings

import pytest
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from two_processes import run

from driftkit.errors import OptionError
from driftkit.training import L2SP, Budget, DriftMonitor, MixoutEmbedding, mask_rows

WORDS = tuple(f"w{i}" for i in range(60))
ROWS = torch.tensor([3, 4, 7])


class Model(nn.Module):
    def __init__(self, sparse=False):
        super().__init__()
        self.table, self.head = nn.Embedding(60, 8, sparse=sparse), nn.Linear(8, 2)

    def forward(self, rows):
        return self.head(self.table(rows))


@pytest.fixture
def make_model():
    def make(sparse=False):
        torch.manual_seed(0)
        return Model(sparse)

    with torch.random.fork_rng():
        yield make


def monitor_of(layer, **options):
    return DriftMonitor(layer, WORDS, **{"every": 5, "benchmarks": (), "probes": 30} | options)


def take_steps(optimizer, forward, monitor=None, steps=5, rows=ROWS):
    for _ in range(steps):
        optimizer.zero_grad()
        forward(rows).square().sum().backward()
        optimizer.step()
        if monitor is not None:
            monitor.step(optimizer)


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


@pytest.fixture(scope="module")
def byte_pairs():
    """The tokens, by their row, of a byte-level vocabulary that tokenizers learned."""
    tokenizers = pytest.importorskip("tokenizers", reason="extra subwords is not installed")
    learned = tokenizers.Tokenizer(tokenizers.models.BPE())
    learned.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet()
    )
    text = "the king and the queen love a tiger and a cat, the cat loves computer and keyboard"
    learned.train_from_iterator([text] * 20, trainer)
    rows = learned.get_vocab()
    return sorted(rows, key=rows.get)


def test_a_benchmark_has_no_words_in_a_byte_pair_vocabulary(byte_pairs):
    table = nn.Embedding(len(byte_pairs), 8)
    with pytest.raises(OptionError, match=r"spearman\[ws353\].*no value before training"):
        DriftMonitor(table, byte_pairs, budgets=[Budget("ws353", fall=0.1)])
    monitor = DriftMonitor(table, byte_pairs, budgets=[Budget("overlap@10", fall=0.1)])
    assert monitor.start["overlap@10"] == 1


def test_tokens_that_begin_a_word_can_be_given_as_that_word(byte_pairs):
    words = [token[1:] if token.startswith("Ġ") else f"+{token}" for token in byte_pairs]
    assert {"king", "queen", "tiger", "cat"} < set(words)
    monitor = DriftMonitor(nn.Embedding(len(words), 8), words, benchmarks=["ws353"])
    assert -1 <= monitor.start["spearman[ws353]"] <= 1


@pytest.mark.parametrize("first", ["compile", "mask"])
@pytest.mark.parametrize("sparse", [False, True])
def test_a_mask_holds_whether_the_model_is_compiled_before_or_after(make_model, first, sparse):
    model = make_model(sparse)
    torch.compiler.reset()
    if first == "mask":
        mask_rows(model.table, torch.arange(60) == 4)
    compiled = torch.compile(model, backend="eager")
    compiled(ROWS)
    if first == "compile":
        mask_rows(model.table, torch.arange(60) == 4)
    before = model.table.weight.detach().clone()
    take_steps(sgd(model), compiled)
    assert (model.table.weight != before).any(dim=1).nonzero().flatten().tolist() == [4]


def pulled_and_masked_in_each(rank, out):
    """A penalty and a mask, made before the model is wrapped in one half and after in the other."""
    for first in ("made", "wrapped"):
        torch.manual_seed(0)
        model = Model()
        if first == "wrapped":
            wrapped = DistributedDataParallel(model, find_unused_parameters=True)
        penalty = L2SP(model.table, alpha=1.0)
        mask_rows(model.table, torch.arange(60) != 4)
        if first == "made":
            wrapped = DistributedDataParallel(model, find_unused_parameters=True)
        rows = (torch.tensor([3, 4]), torch.tensor([7]))[rank]
        start = model.table.weight.detach().clone()
        take_steps(sgd(model), lambda rows: wrapped(rows) + penalty(rows), rows=rows)  # noqa: B023
        assert (model.table.weight != start).any(dim=1).nonzero().flatten().tolist() == [3, 7]
        torch.save(model.state_dict(), out / f"{first} {rank}.pt")


DISTRIBUTED = pytest.mark.skipif(
    not distributed.is_available(), reason="torch was built without it"
)


@DISTRIBUTED
@pytest.mark.slow
def test_replicas_with_a_penalty_and_a_mask_stay_equal(tmp_path):
    run(pulled_and_masked_in_each, tmp_path)
    states = [torch.load(path) for path in sorted(tmp_path.glob("*.pt"))]
    assert len(states) == 4
    for state in states[1:]:
        assert all(torch.equal(state[name], states[0][name]) for name in state)


@pytest.mark.parametrize("clip", [nn.utils.clip_grad_norm_, nn.utils.clip_grad_value_])
def test_torch_cannot_clip_sparse_gradients(make_model, clip):
    model = make_model(sparse=True)
    model(ROWS).sum().backward()
    with pytest.raises(NotImplementedError, match="Sparse"):
        clip(model.parameters(), 1.0)


def test_sparse_gradients_are_clipped_by_the_norm_of_their_values(make_model):
    gradients = []
    for sparse in (False, True):
        model = make_model(sparse)
        model(torch.tensor([3, 3, 4])).sum().backward()  # row 3 twice: its gradients add up
        parameters = list(model.parameters())
        if sparse:
            model.table.weight.grad = model.table.weight.grad.coalesce()
            values = [p.grad.values() if p.grad.is_sparse else p.grad for p in parameters]
            norm = nn.utils.get_total_norm(values)
            nn.utils.clip_grads_with_norm_(parameters, 1.0, norm)
        else:
            norm = nn.utils.clip_grad_norm_(parameters, 1.0)
        gradients.append([norm, *(p.grad.to_dense() for p in parameters)])
    assert gradients[0][0] > 1
    for dense, sparse in zip(*gradients, strict=True):
        torch.testing.assert_close(dense, sparse)


@pytest.mark.slow
def test_lightning_cannot_clip_sparse_gradients_either(make_model):
    pytest.importorskip("lightning", reason="extra lightning is not installed")
    import lightning.pytorch as pl

    class Lit(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = make_model(sparse=True)

        def training_step(self, rows, _):
            return self.model(rows).square().sum()

        def configure_optimizers(self):
            return sgd(self)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice about workers
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        trainer = pl.Trainer(
            max_steps=1,
            accelerator="cpu",
            enable_model_summary=False,
            gradient_clip_val=1.0,
            **quiet,
        )
        with pytest.raises(NotImplementedError, match="Sparse"):
            trainer.fit(Lit(), torch.utils.data.DataLoader(torch.arange(4)))


class WithLoss(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, rows, labels):
        return {"loss": nn.functional.cross_entropy(self.model(rows), labels)}


@pytest.mark.slow
@pytest.mark.parametrize("max_grad_norm", [1.0, 0.0])
def test_the_trainer_needs_dense_gradients(make_model, tmp_path, monkeypatch, max_grad_norm):
    """It takes their norm, to log it, even where it clips none."""
    for name in ("transformers", "accelerate"):
        pytest.importorskip(name, reason="extra transformers is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import Trainer, TrainingArguments
    # Our folder tests/datasets is on the path and is taken for the library of that name.
    monkeypatch.setattr("transformers.trainer.is_datasets_available", lambda: False)

    def train(sparse):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice of transformers and accelerate
            arguments = TrainingArguments(
                output_dir=str(tmp_path),
                max_steps=2,
                optim="sgd",
                save_strategy="no",
                report_to=[],
                use_cpu=True,
                disable_tqdm=True,
                max_grad_norm=max_grad_norm,
            )
            data = [{"rows": row, "labels": row % 2} for row in range(16)]
            Trainer(WithLoss(make_model(sparse)), arguments, train_dataset=data).train()

    with pytest.raises(NotImplementedError, match="Sparse"):
        train(sparse=True)
    train(sparse=False)


def test_a_cut_holds_under_a_gradient_scaler(make_model):
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=10.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    monitor = monitor_of(model.table, every=1, budgets=[Budget("overlap@10", 0, "cut", factor=0)])
    moved = []
    for _ in range(3):
        before = model.table.weight.detach().clone()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(ROWS).square().sum()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        monitor.step(optimizer)
        moved.append(not torch.equal(model.table.weight, before))
    assert moved == [True, False, False]


def test_rows_trained_in_half_precision_by_autocast_are_those_of_the_batch(make_model):
    model = make_model()
    monitor, penalty = monitor_of(model.table), L2SP(model.table, alpha=1.0)

    def forward(rows):
        with torch.autocast("cpu", torch.bfloat16):
            return model(rows) + penalty(rows)

    take_steps(sgd(model), forward, monitor)
    assert model.table.weight.dtype == torch.float32
    assert (monitor.latest["moved"], monitor.latest["moved_unseen"]) == (3, 0)


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch's own, where its graph breaks
def test_mixout_of_a_compiled_model_is_that_of_the_plain_one(make_model):
    def mixed(compiled):
        layer = MixoutEmbedding(make_model().table, 0.5, seed=1)
        with torch.no_grad():
            layer.embedding.weight += 1
        return (torch.compile(layer, backend="eager") if compiled else layer)(ROWS).detach()

    torch.compiler.reset()
    torch.testing.assert_close(mixed(True), mixed(False))
