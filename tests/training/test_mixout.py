import pytest
import torch
from torch import nn

from driftkit.errors import OptionError
from driftkit.training.embedding import MixoutEmbedding, mixout


def test_the_expectation_of_mixout_is_the_weight():
    generator = torch.Generator().manual_seed(0)
    weight = torch.linspace(-2, 2, 6).reshape(2, 3)
    original = torch.linspace(1, 0, 6).reshape(2, 3)
    n = 40_000
    draws = mixout(weight.expand(n, 2, 3), original.expand(n, 2, 3), 0.7, generator)
    # One draw has variance p / (1 - p) (weight - original)^2.
    error = ((0.7 / 0.3) ** 0.5 * (weight - original).abs()) / n**0.5
    assert ((draws.mean(0) - weight).abs() <= 5 * error + 1e-4).all()
    torch.testing.assert_close(
        draws.var(0), 0.7 / 0.3 * (weight - original).square(), rtol=0.05, atol=1e-3
    )


def test_each_number_is_the_original_or_the_weight_before_correction():
    weight, original, p = torch.randn(200), torch.randn(200), 0.5
    mixed = mixout(weight, original, p, torch.Generator().manual_seed(1)) * (1 - p) + p * original
    is_weight = torch.isclose(mixed, weight, atol=1e-5)
    is_original = torch.isclose(mixed, original, atol=1e-5)
    assert (is_weight | is_original).all()
    assert 60 < int(is_weight.sum()) < 140
    assert torch.equal(mixout(weight, original, 0.0), weight)


def test_with_an_original_of_zero_it_is_dropout():
    weight = torch.ones(1000)
    values = set(mixout(weight, torch.zeros(1000), 0.75).tolist())
    assert values == {0.0, 4.0}


def test_the_layer_mixes_rows_of_the_batch_alike_and_only_in_training():
    table = nn.Embedding(9, 4, sparse=True)
    layer = MixoutEmbedding(table, 0.5, seed=3)
    start = table.weight.detach().clone()
    rows = torch.tensor([[2, 5], [2, 2]])
    assert torch.allclose(layer(rows), start[rows], atol=1e-6)  # nothing moved, nothing to swap
    with torch.no_grad():
        table.weight += 1
    mixed = layer(rows)
    assert mixed.shape == (2, 2, 4)
    assert torch.equal(mixed[0, 0], mixed[1, 0])
    assert not torch.equal(mixed[0, 0], table.weight[2])
    mixed.sum().backward()
    assert table.weight.grad.coalesce().indices().tolist() == [[2, 5]]
    assert torch.equal(layer.eval()(rows), table.weight[rows])
    assert list(layer.state_dict()) == ["original", "embedding.weight"]


def test_the_layer_is_seeded():
    def draw():
        table = nn.Embedding.from_pretrained(torch.ones(3, 4))
        layer = MixoutEmbedding(table, 0.5, seed=7)
        table.weight += 1
        return layer(torch.tensor([0, 1]))

    assert torch.equal(draw(), draw())


def test_a_probability_out_of_range():
    with pytest.raises(OptionError, match="below 1"):
        mixout(torch.ones(1), torch.ones(1), 1.0)
    with pytest.raises(OptionError, match="below 1"):
        MixoutEmbedding(nn.Embedding(1, 1), -0.1)


@pytest.mark.slow
def test_mixout_inside_a_model_of_transformers():
    """It is tied to the head as the table was, and saved; resized it is refused."""
    transformers = pytest.importorskip("transformers", reason="extra transformers is not installed")
    config = transformers.GPT2Config(
        vocab_size=60, n_embd=8, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
    )
    model = transformers.GPT2LMHeadModel(config)
    table = model.get_input_embeddings()
    model.set_input_embeddings(MixoutEmbedding(table, 0.5))
    model.tie_weights()
    assert model.lm_head.weight is model.get_input_embeddings().weight is table.weight
    rows = torch.tensor([[3, 4, 7]])
    model(input_ids=rows, labels=rows).loss.backward()
    assert table.weight.grad is not None
    with pytest.raises(TypeError, match="MixoutEmbedding"):
        model.resize_token_embeddings(64)


@pytest.mark.parametrize("p", ["0.5", None, float("nan")])
def test_a_probability_that_is_none(p):
    with pytest.raises(OptionError, match="at least 0 and below 1"):
        MixoutEmbedding(nn.Embedding(3, 2), p)
