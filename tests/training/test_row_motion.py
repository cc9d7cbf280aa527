"""What `row_motion` says of an optimizer is what that optimizer does to a table."""

import inspect
import warnings
from functools import partial

import pytest
import torch
from torch import nn

from driftkit.errors import OptionError
from driftkit.training import row_motion

KINDS = sorted(
    name
    for name in torch.optim.__all__
    if inspect.isclass(kind := getattr(torch.optim, name))
    and issubclass(kind, torch.optim.Optimizer)
    and kind is not torch.optim.Optimizer
)
SETTINGS = [
    {},
    {"momentum": 0.9},
    {"weight_decay": 0.01},
    {"weight_decay": 0.0},
    {"lambd": 0.0},
    {"betas": (0.0, 0.99)},
]
BATCHES = ([0, 1], [1, 2], [3, 4], [4, 5])  # rows 6 to 9 are in none, 0 to 3 not in the last

pytestmark = pytest.mark.filterwarnings("ignore:Sparse invariant checks")  # torch's own


def cases():
    for name in KINDS:
        accepted = inspect.signature(getattr(torch.optim, name)).parameters
        for settings in SETTINGS:
            if set(settings) <= set(accepted):
                text = ",".join(f"{key}={value}" for key, value in settings.items())
                yield pytest.param(getattr(torch.optim, name), settings, id=f"{name}({text})")


def moved_in_the_last_step(optimizer, table):
    """Return whether rows of earlier batches move, and whether rows of no batch do."""

    def loss(rows):
        optimizer.zero_grad()
        value = table(rows).cosh().sum()
        value.backward()
        return value

    for batch in BATCHES:
        before = table.weight.detach().clone()
        optimizer.step(partial(loss, torch.tensor(batch)))
    moved = (table.weight != before).any(dim=1)
    return bool(moved[:4].any()), bool(moved[6:].any())


def table_of_ten(sparse=False):
    table = nn.Embedding(10, 3, sparse=sparse)
    with torch.no_grad():
        table.weight.copy_(torch.linspace(0.5, 2, 30).reshape(10, 3))
    return table


@pytest.mark.parametrize(("kind", "settings"), list(cases()))
def test_each_optimizer_of_torch_does_what_is_said_of_it(kind, settings):
    table = table_of_ten(sparse=kind is torch.optim.SparseAdam)
    optimizer = kind(table.parameters(), **{"lr": 0.1} | settings)
    stream = torch.get_rng_state()
    said = row_motion(optimizer, table.weight)
    assert torch.equal(stream, torch.get_rng_state())
    earlier, never = moved_in_the_last_step(optimizer, table)
    assert any("every row" in sentence for sentence in said) == never
    if not never:
        assert any("earlier gradients" in sentence for sentence in said) == earlier


def test_a_rate_of_zero_during_a_warm_up_hides_nothing():
    table = table_of_ten()
    assert len(row_motion(torch.optim.AdamW(table.parameters(), lr=0.0), table.weight)) == 2


def test_the_setting_to_change_is_named():
    table = table_of_ten()
    for optimizer, name in [
        (torch.optim.SGD(table.parameters(), weight_decay=0.5), "weight_decay=0.5"),
        (torch.optim.ASGD(table.parameters()), "lambd=0.0001"),
    ]:
        (said,) = row_motion(optimizer, table.weight)
        assert name in said


@pytest.mark.parametrize(
    ("settings", "count"), [({}, 0), ({"beta1": 0.9}, 1), ({"weight_decay": 0.1}, 1)]
)
def test_adafactor_of_transformers(settings, count):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    table = table_of_ten()
    optimizer = transformers.Adafactor(table.parameters(), **settings)
    assert len(row_motion(optimizer, table.weight)) == count


def test_an_optimizer_that_cannot_be_tried_says_so():
    class Needy(torch.optim.SGD):
        def __init__(self, params, model):
            super().__init__(params)
            self.model = model

    table = table_of_ten()
    with pytest.raises(OptionError, match="cannot be tried on a small table"):
        row_motion(Needy(table.parameters(), table), table.weight)
