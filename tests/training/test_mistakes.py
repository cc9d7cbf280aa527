"""What people do by mistake works, or gets a sentence."""

import numpy as np
import pytest
import torch
from torch import nn

from driftkit import Embeddings
from driftkit.errors import OptionError, VocabularyError
from driftkit.training import (
    EWC,
    L2SP,
    AtEpoch,
    Ball,
    DriftMonitor,
    MixoutEmbedding,
    NeighborPreserving,
    Stage,
    Times,
    discriminative_rates,
    embedding_from,
    fisher_diagonal,
    freeze_then_unfreeze,
    gradual_stages,
    mask_rows,
)
from driftkit.training.embedding import words_of

MADE = {
    "L2SP": lambda table: L2SP(table, 1.0),
    "NeighborPreserving": lambda table: NeighborPreserving(table, 1.0, k=3),
    "Ball": lambda table: Ball(table, 0.1).project,
    "Mixout": lambda table: MixoutEmbedding(table, 0.5),
}
EACH = pytest.mark.parametrize("make", MADE.values(), ids=MADE)


@EACH
def test_int32_row_numbers(make, make_table):
    table = make_table()
    made = make(table)
    rows = torch.tensor([3, 5])
    now = made(rows)
    assert torch.equal(torch.as_tensor(made(rows.int())), torch.as_tensor(now))


@pytest.mark.parametrize(
    ("rows", "kind"),
    [([3, 5], "list"), (torch.ones(60, dtype=torch.bool), "bool"), (torch.ones(2), "float32")],
)
@pytest.mark.parametrize("name", ["L2SP", "NeighborPreserving", "Ball"])
def test_rows_that_are_no_row_numbers(name, rows, kind, make_table):
    made = MADE[name](make_table())
    with pytest.raises(OptionError, match=rf"rows were given as .*{kind}; give a tensor of row"):
        made(rows)


def test_a_mixout_layer_called_with_the_keyword_of_an_embedding(make_table):
    layer = MixoutEmbedding(make_table(), 0.5)
    assert layer(input=torch.tensor([3])).shape == (1, 8)


@EACH
def test_a_table_resized_after_a_penalty_was_made(make, make_table):
    made = make(table := make_table())
    table.weight = nn.Parameter(torch.zeros(64, 8))  # as resize_token_embeddings does
    with pytest.raises(OptionError, match="resize_token_embeddings"):
        made(torch.tensor([3]))


def test_a_table_resized_after_a_mask(make_table):
    table = make_table()
    mask_rows(table, torch.ones(60, dtype=torch.bool))
    table.weight.data = torch.zeros(64, 8)
    with pytest.raises(OptionError, match="resize_token_embeddings"):
        table(torch.tensor([3]))


def test_resize_token_embeddings_of_transformers():
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
    )
    model = transformers.BertModel(config)
    table = model.get_input_embeddings()
    penalty = L2SP(table, 1.0)
    mask_rows(table, torch.ones(20, dtype=torch.bool))
    model.resize_token_embeddings(24, mean_resizing=False)
    with pytest.raises(OptionError, match="resize_token_embeddings"):
        penalty()
    with pytest.raises(OptionError, match="resize_token_embeddings"):
        model(torch.tensor([[3]]))


def test_a_module_wrapped_after_its_penalty():
    peft = pytest.importorskip("peft")
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    penalty = L2SP(model, 1.0)
    peft.get_peft_model(model, peft.LoraConfig(target_modules=["0"]))
    with pytest.raises(OptionError, match=r"no longer has 0\.weight.*original="):
        penalty()


def test_the_fisher_information_of_what_is_frozen(make_table):
    table = make_table()
    table.weight.requires_grad_(False)
    with pytest.raises(OptionError, match="every parameter is frozen"):
        fisher_diagonal(table, lambda rows: table(rows).sum(), [torch.tensor([1])])


def test_fisher_information_that_does_not_fit():
    model = nn.ModuleDict({"table": nn.Embedding(6, 3), "head": nn.Linear(3, 6, bias=False)})
    model["head"].weight = model["table"].weight
    with pytest.raises(OptionError, match=r"go by their first name: table\.weight"):
        EWC(model, {"head.weight": torch.ones(6, 3)}, 1.0, proxy="none")
    with pytest.raises(OptionError, match=r"fisher\['table.weight'\] has shape \(6, 1\)"):
        EWC(model, {"table.weight": torch.ones(6, 1)}, 1.0, proxy="none")
    with pytest.raises(OptionError, match="names no parameter"):
        EWC(model, {}, 1.0, proxy="none")


def test_one_string_for_a_list_of_words():
    source = Embeddings(["a", "b"], torch.eye(2).numpy())
    layer = embedding_from(source)
    with pytest.raises(OptionError, match=r"words='ab' is one string; give a list: \['ab'\]"):
        embedding_from(source, "ab")
    with pytest.raises(OptionError, match="specials='<pad>' is one string"):
        embedding_from(source, specials="<pad>")
    with pytest.raises(OptionError, match="tokens='ab' is one string"):
        layer.rows("ab")
    with pytest.raises(OptionError, match="words='abcd' is one string"):
        words_of(layer, "abcd")


def test_a_vocabulary_that_says_the_row_of_each_word_is_read_by_rows():
    source = Embeddings(["a", "b", "c"], torch.eye(3).numpy())
    rows = {"b": 1, "a": 0, "c": 2}
    layer = embedding_from(source, rows, specials=())
    assert layer.words == ("a", "b", "c")
    assert torch.equal(layer.weight.detach(), torch.eye(3))
    assert words_of(layer, rows) == ("a", "b", "c")
    behind = embedding_from(source, {"a": 2, "<pad>": 0, "<unk>": 1})
    assert behind.words == ("<pad>", "<unk>", "a")
    with pytest.raises(OptionError, match=r"<pad>, <unk> in front, so rows would be others"):
        embedding_from(source, rows)


def test_the_vocabulary_of_a_tokenizer_goes_by_its_ids():
    tokenizers = pytest.importorskip("tokenizers", reason="extra transformers is not installed")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    trainer = tokenizers.trainers.WordLevelTrainer(show_progress=False)
    tokenizer.train_from_iterator(["the king and the queen and a cat and the king"], trainer)
    size = tokenizer.get_vocab_size()
    monitor = DriftMonitor(
        torch.nn.Embedding(size, 4), tokenizer.get_vocab(), benchmarks=(), probes=["king"], k=2
    )
    assert monitor.words == tuple(tokenizer.id_to_token(row) for row in range(size))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"a", "b"}, "words is a set, which has no order of rows"),
        ({"a": 1, "b": 2}, "whose values are not the rows 0 to 1, each once"),
        ({"a": 0, "b": 0}, "whose values are not the rows"),
        ({"a": [1.0], "b": [0.5]}, "whose values are not the rows"),
        (["a", b"b"], "words has b'b' for row 1, which is no word"),
        (["a", None], "words has None for row 1"),
    ],
)
def test_words_without_an_order_of_rows(words, said):
    source = Embeddings(["a", "b"], torch.eye(2).numpy())
    with pytest.raises(OptionError, match=said):
        embedding_from(source, words)
    with pytest.raises(OptionError, match=said):
        DriftMonitor(torch.nn.Embedding(2, 2), words, benchmarks=(), probes=1)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ("0", "a str was given as a layer"),
        (nn.Parameter(torch.ones(2)), "a Parameter was given as a layer"),
        (3, "a int was given as a layer"),
        (list(nn.Linear(2, 2).named_parameters()), "a tuple was given as a layer or in one"),
    ],
)
def test_what_is_no_layer(layer, said):
    with pytest.raises(OptionError, match=said):
        discriminative_rates([layer, nn.Linear(2, 2)], 0.1)


def test_one_word_for_two_rows():
    with pytest.raises(VocabularyError, match="rows 0 and 2 were both given the word 'a'"):
        DriftMonitor(torch.nn.Embedding(3, 2), ["a", "b", "a"], benchmarks=(), probes=1)


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        ({"lr": 1e-4}, "a dict"),
        ([1e-4], "a list"),
        ("1e-4", "'1e-4'"),
        (torch.tensor([1e-4]), "a Tensor"),
        (True, "True"),
        (-1.0, r"-1\.0"),
        (float("nan"), "nan"),
    ],
)
@pytest.mark.parametrize(
    "give",
    [
        lambda rate, table: Stage(table, AtEpoch(1), rate),
        lambda rate, table: freeze_then_unfreeze(
            torch.optim.SGD(table.parameters()), table, AtEpoch(1), rate=rate
        ),
        lambda rate, table: gradual_stages([table], rates=[rate]),
        lambda rate, table: discriminative_rates([table], rate),
        lambda rate, _: Times(rate),
    ],
    ids=["Stage", "freeze_then_unfreeze", "gradual_stages", "discriminative_rates", "Times"],
)
def test_a_rate_that_is_no_number(give, rate, said, make_table):
    with pytest.raises(OptionError, match=rf"^{said} was given as a rate; .* one number from 0"):
        give(rate, make_table())


@pytest.mark.parametrize("rates", [1e-4, "1", {"lr": 1e-4}, np.array([1e-4])])
def test_rates_that_are_no_list(rates, make_table):
    with pytest.raises(OptionError, match=r"give a list, with a rate for each layer"):
        gradual_stages([make_table()], rates=rates)


def test_the_parameter_groups_of_discriminative_rates_are_no_rates(make_table):
    layers = [make_table(), nn.Linear(8, 2)]
    groups = discriminative_rates(layers, 0.1)
    with pytest.raises(OptionError, match=r'Of a parameter group give group\["lr"\]'):
        gradual_stages(layers, rates=groups)
    assert len(gradual_stages(layers, rates=[group["lr"] for group in groups])) == 2


def test_a_factor_where_there_is_no_rate_yet(make_table):
    with pytest.raises(OptionError, match=r"rate=Times\(0.1\) .* no optimizer has one yet"):
        discriminative_rates([make_table()], Times(0.1))


@pytest.mark.parametrize(
    "make",
    [
        lambda table: L2SP(table, 1.0),
        lambda table: EWC(table, {}, 1.0, proxy="none"),
        lambda table: fisher_diagonal(table, torch.sum, []),
        lambda table: NeighborPreserving(table, 1.0),
        lambda table: MixoutEmbedding(table, 0.5),
        lambda table: mask_rows(table, torch.ones(60, dtype=torch.bool)),
        lambda table: Ball(table, 1.0),
    ],
    ids=["L2SP", "EWC", "fisher", "NeighborPreserving", "Mixout", "mask", "Ball"],
)
def test_what_is_no_table(make, make_table):
    for given in (make_table().weight, "table", None):
        with pytest.raises(OptionError, match=f"a {type(given).__name__} was given; give a"):
            make(given)


@pytest.mark.parametrize("make", [NeighborPreserving, MixoutEmbedding])
def test_a_bag_where_rows_are_looked_up(make):
    with pytest.raises(OptionError, match="a EmbeddingBag was given; give an nn.Embedding"):
        make(nn.EmbeddingBag(60, 8), 0.5)
