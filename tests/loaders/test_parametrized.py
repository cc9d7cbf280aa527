"""A weight that torch saved as parts is computed, or refused by its kind; no part is the table."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm, weight_norm

from driftkit.errors import SourceError, UnknownNameError
from driftkit.loaders import inspect, load

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
WORDS = [f"w{row}" for row in range(6)]


class Doubled(nn.Module):
    def forward(self, weight):
        return weight * 2


class Product(nn.Module):
    def forward(self, left, right):
        return left @ right

    def right_inverse(self, weight):
        return weight.clone(), torch.eye(weight.shape[1])


KINDS = {
    "spectral_norm": spectral_norm,
    "weight_norm": weight_norm,
    "weight_norm over all": lambda layer: weight_norm(layer, dim=None),
    "weight_norm of columns": lambda layer: weight_norm(layer, dim=1),
    "a parametrization: spectral": parametrizations.spectral_norm,
    "a parametrization: weight": parametrizations.weight_norm,
    "a parametrization: orthogonal": parametrizations.orthogonal,
    "a parametrization: own": lambda layer: parametrize.register_parametrization(
        layer, "weight", Doubled()
    ),
    "a parametrization: two parts": lambda layer: parametrize.register_parametrization(
        layer, "weight", Product()
    ),
}


def model(change):
    torch.manual_seed(0)
    made = nn.ModuleDict({"emb": nn.Embedding(6, 4), "head": nn.Linear(4, 6)})
    change(made["emb"])
    return made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_a_computed_weight_is_refused_by_its_kind(tmp_path, kind, ending):
    path = tmp_path / f"m.{ending}"
    state = {key: part.contiguous() for key, part in model(KINDS[kind]).state_dict().items()}
    (torch.save if ending == "pt" else save_file)(state, path)
    title = kind.partition(":")[0].partition(" o")[0]
    undo = {"a parametrization": "remove_parametrizations"}.get(title, f"remove_{title}")
    with pytest.raises(SourceError, match=rf"emb\.weight .* from which {title} .*{undo}"):
        load(path, vocab=WORDS)
    found = inspect(path, vocab=WORDS)
    assert found.tables == ()
    assert any(title in problem for problem in found.problems)
    for part in state:
        if part.startswith("emb"):
            with pytest.raises(UnknownNameError):
                load(path, key=part, vocab=WORDS)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_pruned_weight_is_its_numbers_times_its_mask(tmp_path, dtype):
    made = model(lambda layer: prune.l1_unstructured(layer, "weight", 0.4)).to(dtype)
    expected = (made["emb"].weight_orig * made["emb"].weight_mask).float()
    torch.save(made.state_dict(), tmp_path / "m.pt")
    table = load(tmp_path / "m.pt", vocab=WORDS)
    assert table.source.key == "emb.weight"
    assert table.matrix.tolist() == expected.tolist()
    assert (table.matrix == 0).any()
    rows = load(tmp_path / "m.pt", vocab=WORDS, words=["w4", "w1"])
    assert rows.matrix.tolist() == np.array([table[word] for word in rows.words]).tolist()
    keys = {info.key for info in inspect(tmp_path / "m.pt", vocab=WORDS).tables}
    assert keys == {"emb.weight", "head.weight"}


@pytest.mark.parametrize("key", ["", "table."])
def test_of_any_name(tmp_path, key):
    table = torch.arange(24.0).reshape(6, 4)
    held = {f"{key}weight_orig": table, f"{key}weight_mask": table > 3}
    torch.save(held, tmp_path / "m.pt")
    assert load(tmp_path / "m.pt", vocab=WORDS).matrix[0].tolist() == [0, 0, 0, 0]
    torch.save({f"{key}parametrizations.weight.original": table}, tmp_path / "m.pt")
    with pytest.raises(SourceError, match="no table that can be read: .*a parametrization"):
        load(tmp_path / "m.pt", vocab=WORDS)


def test_another_layer_is_not_in_the_way(tmp_path):
    made = model(lambda layer: None)
    weight_norm(made["head"])
    torch.save(made.state_dict(), tmp_path / "m.pt")
    assert load(tmp_path / "m.pt", vocab=WORDS).source.key == "emb.weight"


@pytest.mark.parametrize("other", ["w_g", "w_u", "mask", "weight_mask"])
def test_names_that_only_look_like_parts(tmp_path, other):
    table = torch.arange(24.0).reshape(6, 4)
    torch.save({"w_v": table, other: torch.ones(6)}, tmp_path / "m.pt")
    assert load(tmp_path / "m.pt", vocab=WORDS).source.key == "w_v"
