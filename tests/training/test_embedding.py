import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import nn

from driftkit import Embeddings, load
from driftkit.cli import main
from driftkit.errors import OptionError, UnknownNameError, VocabularyError
from driftkit.training.embedding import WordEmbedding, embedding_from, words_of


@pytest.fixture
def source():
    rng = np.random.default_rng(0)
    return Embeddings([f"w{i}" for i in range(500)], rng.normal(1, 2, (500, 20)))


def test_each_row_starts_from_its_word(source):
    layer = embedding_from(source, ["w7", "new", "w3", "w7"])
    assert layer.words == ("<pad>", "<unk>", "w7", "new", "w3")
    assert layer.missing == ("<unk>", "new")
    assert torch.equal(layer.weight[2], torch.tensor(source["w7"]))
    assert torch.equal(layer.weight[4], torch.tensor(source["w3"]))
    assert not layer.weight[0].any()
    assert layer.sparse
    assert layer.weight.requires_grad
    assert not embedding_from(source, ["w7"], freeze=True).weight.requires_grad
    source_row = source["w7"].copy()
    with torch.no_grad():
        layer.weight += 1
    np.testing.assert_array_equal(source["w7"], source_row)  # the source was copied


def test_the_whole_source_by_default_and_no_specials_on_request(source):
    layer = embedding_from(source, specials=())
    assert layer.words == tuple(source.words)
    assert layer.padding_idx is None
    np.testing.assert_array_equal(layer.weight.detach().numpy(), source.matrix)
    np.testing.assert_array_equal(layer.to_embeddings().matrix, source.matrix)


def test_the_start_of_words_without_a_vector(source):
    strange = [f"strange{i}" for i in range(400)]
    random = embedding_from(source, strange, seed=1).weight.detach()[2:]
    norms = random.norm(dim=1)
    wanted = np.sqrt(np.square(source.norms).mean())
    assert norms.square().mean().sqrt().item() == pytest.approx(wanted, rel=0.03)
    assert torch.equal(random, embedding_from(source, strange, seed=1).weight.detach()[2:])
    assert not torch.equal(random, embedding_from(source, strange, seed=2).weight.detach()[2:])
    mean = embedding_from(source, ["strange"], oov="mean").weight.detach()
    np.testing.assert_allclose(mean[1], source.matrix.mean(axis=0), rtol=1e-4)
    assert torch.equal(mean[1], mean[2])
    assert not embedding_from(source, ["strange"], oov="zeros").weight[2].any()


def test_the_padding_row_is_never_trained(source):
    layer = embedding_from(source, ["w1"])
    optimizer = torch.optim.SparseAdam(layer.parameters(), lr=0.1)
    layer(torch.tensor([0, 2])).sum().backward()
    optimizer.step()
    assert not layer.weight[0].any()
    assert not torch.equal(layer.weight[2], torch.tensor(source["w1"]))


def test_rows_of_tokens(source):
    layer = embedding_from(source, ["w1", "w2"])
    assert layer.rows(["w2", "what", "<pad>"]).tolist() == [3, 1, 0]
    with pytest.raises(UnknownNameError, match="no <unk>"):
        embedding_from(source, ["w1"], specials=()).rows(["w1", "w2"])


class Model(nn.Module):
    def __init__(self, source):
        super().__init__()
        self.emb = embedding_from(source, [f"w{i}" for i in range(300)])
        self.head = nn.Linear(20, 2)


def test_a_checkpoint_carries_its_words_so_audit_needs_no_vocabulary(source, tmp_path):
    model = Model(source)
    with torch.no_grad():
        model.emb.weight[10] += 3
    torch.save(model.state_dict(), tmp_path / "tuned.pt")
    torch.save({"epoch": 1, "model": model.state_dict()}, tmp_path / "nested.pt")
    save_file(model.state_dict(), tmp_path / "tuned.safetensors")
    for name in ("tuned.pt", "nested.pt", "tuned.safetensors"):
        table = load(tmp_path / name)
        assert tuple(table.words) == model.emb.words
        np.testing.assert_array_equal(table.matrix, model.emb.weight.detach().numpy())
    np.save(tmp_path / "original.npy", source.matrix)
    (tmp_path / "original.vocab.txt").write_text("\n".join(source.words))
    toy = tmp_path / "toy.tsv"
    toy.write_text("".join(f"w{i}\tw{i + 1}\t{i % 7}\n" for i in range(100)))
    tables = [str(tmp_path / name) for name in ("original.npy", "tuned.pt")]
    done = CliRunner().invoke(main, ["audit", *tables, "--json", "-", "--benchmark", str(toy)])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["rows"]
    assert (rows["shared"], rows["moved"]) == (300, 1)


def test_loading_a_checkpoint(source, tmp_path):
    model = Model(source)
    torch.save(model.state_dict(), tmp_path / "m.pt")
    other = Model(source)
    with torch.no_grad():
        other.emb.weight += 1
    other.load_state_dict(torch.load(tmp_path / "m.pt", weights_only=True))
    assert torch.equal(other.emb.weight, model.emb.weight)
    shuffled = embedding_from(source, [f"w{299 - i}" for i in range(300)])
    with pytest.raises(VocabularyError, match="row 2 is 'w0' there and 'w299' here"):
        shuffled.load_state_dict(model.emb.state_dict())
    with pytest.raises(VocabularyError, match="302 words there and 301 here"):
        embedding_from(source, model.emb.words[2:-1]).set_extra_state(model.emb.get_extra_state())


def test_it_reads_what_load_reads(source, tmp_path):
    path = tmp_path / "tiny.txt"
    path.write_text("good 1.0 0.5\nbad -1.0 0.5\n")
    layer = embedding_from(path, ["bad"])
    assert layer(layer.rows(["bad"])).tolist() == [[-1.0, 0.5]]
    assert layer.source == str(path)


def test_what_cannot_be(source):
    with pytest.raises(OptionError, match="random, mean, zeros"):
        embedding_from(source, oov="ones")
    with pytest.raises(OptionError, match="one string"):
        embedding_from(source, "w1")


def test_words_of_a_layer():
    table = nn.Embedding(2, 3)
    assert words_of(table, ["a", "b"]) == ("a", "b")
    assert words_of(WordEmbedding(["c", "d"], torch.ones(2, 3), found=[True] * 2), None) == (
        "c",
        "d",
    )
    with pytest.raises(VocabularyError, match="no words"):
        words_of(table, None)
    with pytest.raises(VocabularyError, match="1 words were given for its 2 rows"):
        words_of(table, ["a"])
