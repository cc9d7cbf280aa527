import numpy as np
import pytest
import torch

import driftkit as dk
from driftkit.neighbors.search.exact import nearest


@pytest.fixture(
    params=[
        ("dtype", torch.float64),
        ("dtype", torch.bfloat16),
        ("device", "meta"),
    ],
    ids=str,
)
def defaults(request):
    """What a program may have told torch to make by default, set when asked and undone."""
    kind, value = request.param
    before = torch.get_default_dtype()
    yield lambda: getattr(torch, f"set_default_{kind}")(value)
    torch.set_default_dtype(before)
    torch.set_default_device(None)


def pair():
    rng = np.random.default_rng(0)
    before = rng.normal(size=(300, 20)).astype(np.float32)
    after = before.copy()
    after[:30] += rng.normal(size=(30, 20)).astype(np.float32)
    words = [f"w{i}" for i in range(300)]
    return dk.align(dk.Embeddings(words, before), dk.Embeddings(words, after))


def test_an_audit_is_the_same(defaults, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    expected = repr(dk.audit(pair(), k=5).to_dict())
    defaults()
    assert repr(dk.audit(pair(), k=5).to_dict()) == expected


def test_neighbors_by_torch_alone_are_the_same(defaults):
    matrix = np.random.default_rng(1).normal(size=(700, 20)).astype(np.float32)
    matrix[::3] = matrix[0]  # more ties than a list holds
    expected = nearest(matrix, np.arange(700), 5, engine="torch")
    defaults()
    found = nearest(matrix, np.arange(700), 5, engine="torch")
    assert [each.tobytes() for each in found] == [each.tobytes() for each in expected]
