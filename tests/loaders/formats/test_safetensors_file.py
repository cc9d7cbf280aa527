import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from driftkit.errors import SourceError, UnknownNameError
from driftkit.loaders import load

WORDS = ["good", "bad", "film"]
VALUES = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.safetensors"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_types(path, dtype):
    save_file(
        {"emb": VALUES.to(dtype), "bias": torch.ones(3), "ids": torch.ones(3, 4).long()}, path
    )
    table = load(path, vocab=WORDS)
    assert np.array_equal(table.matrix, VALUES.to(dtype).float().numpy())
    assert (table.source.format, table.source.key) == ("safetensors", "emb")
    assert table.source.dtype == str(dtype).removeprefix("torch.")


def test_keys(path):
    save_file({"a.weight": VALUES, "b.weight": VALUES + 1}, path)
    assert np.array_equal(load(f"{path}::b.weight", vocab=WORDS).matrix, (VALUES + 1).numpy())
    with pytest.raises(UnknownNameError, match=r"did you mean 'b\.weight'"):
        load(path, key="b.wieght", vocab=WORDS)
    with pytest.raises(SourceError, match="2 tables fit the 3 words"):
        load(path, vocab=WORDS)


@pytest.mark.parametrize("keep", [30, -8])
def test_truncated(path, keep):
    save_file({"emb": VALUES}, path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SourceError, match="is a damaged or truncated safetensors file"):
        load(path, vocab=WORDS)
