"""Whole numbers with a scale are a table where the scheme is plain, and never one by themselves."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

import driftkit as dk
from driftkit.errors import SourceError
from driftkit.loaders import inspect, load

WORDS = [f"w{row}" for row in range(6)]
TABLE = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
KEY = "model.embed_tokens.weight"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.safetensors"


def saved(path, tensors):
    save_file({key: value.contiguous() for key, value in tensors.items()}, path)
    return load(path, vocab=WORDS)


def quantize(table, dim, *, top=127):
    scale = (
        table.abs().amax(dim, keepdim=True) / top if dim is not None else table.abs().max() / top
    )
    return (table / scale).round().clamp(-128, 127).to(torch.int8), scale


def require_unmoved(table):
    pair = dk.align(dk.Embeddings(WORDS, TABLE), table)
    assert not pair.moved.any()
    assert pair.changed.all()


@pytest.mark.parametrize("dim", [0, 1, None], ids=["a column", "a row", "all"])
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize(
    "name", ["{}_scale", "{}.scale", "{}._scale", "{}_scales", "model.embed_tokens.scale",
             "model.embed_tokens.weight_scale"],
)  # fmt: skip
def test_one_scale_a_row_a_column_or_in_all(path, dim, flat, name):
    numbers, scale = quantize(TABLE, dim)
    stored = KEY + "._data" if name == "{}._scale" else KEY
    scales = scale.flatten() if flat else scale
    table = saved(path, {stored: numbers, name.format(KEY): scales, "norm.weight": torch.ones(4)})
    assert np.allclose(table.matrix, numbers * scale, rtol=1e-6, atol=0)
    assert (table.source.key, table.source.dtype) == (stored, "int8")
    assert table.source.rounding.absolute == pytest.approx(float(scale.max()) / 2)
    assert "half a step" in table.source.rounding.reason
    require_unmoved(table)
    assert [t.key for t in inspect(path, vocab=WORDS).tables] == [stored]
    assert load(path, vocab=WORDS, words=["w3"]).matrix.tolist() == [table.matrix[3].tolist()]


def test_zero_points_are_taken_away(path):
    low, high = TABLE.amin(1, keepdim=True), TABLE.amax(1, keepdim=True)
    scale = (high - low) / 255
    zero = (-low / scale).round()
    numbers = (TABLE / scale + zero).round().clamp(0, 255).to(torch.uint8)
    parts = {KEY: numbers, KEY + "_scale": scale}
    require_unmoved(saved(path, parts | {KEY + "_zero_point": zero.to(torch.int32)}))
    with pytest.raises(SourceError, match="in more than one way or none"):
        saved(path, parts)  # uint8 holds no negative number, so something is missing


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_scale_in_half_precision_widens_the_rounding(path, dtype):
    numbers, scale = quantize(TABLE, 1)
    require_unmoved(saved(path, {KEY: numbers, KEY + "_scale": scale.to(dtype)}))


@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, None]), st.sampled_from([127, 127.5, 7]))
def test_a_table_and_its_quantized_self_never_differ_beyond_rounding(seed, dim, top):
    from driftkit.loaders.choose_tensor import Tensor
    from driftkit.loaders.quantized import dequantized

    table = torch.randn(6, 4, generator=torch.Generator().manual_seed(seed)) ** 3
    numbers, scale = quantize(table, dim, top=top)
    made = [
        Tensor(key, tuple(part.shape), str(part.dtype)[6:], part.numpy().__getitem__)
        for key, part in ((KEY, numbers), (KEY + "_scale", scale))
    ]
    found = dequantized(made)[0]
    bound = found.rounding.relative * np.abs(table.numpy()) + found.rounding.absolute
    assert (np.abs(found.read(slice(None)) - table.numpy()) <= bound).all()


OTHER = {
    "groups of columns": {KEY + "_scale": torch.ones(6, 2)},
    "a scheme of blocks": {KEY + "_scale_inv": torch.ones(1, 1)},
    "MLX": {f"model.embed_tokens.{part}": torch.ones(6, 1) for part in ("scales", "biases")},
    "bitsandbytes": {"model.embed_tokens.SCB": torch.ones(6)},
    "scales that are no floats": {KEY + "_scale": torch.ones(6, 1, dtype=torch.uint8)},
}  # fmt: skip


@pytest.mark.parametrize("parts", OTHER.values(), ids=OTHER)
def test_other_schemes_are_named(path, parts):
    numbers, _ = quantize(TABLE, 1)
    with pytest.raises(SourceError, match=rf"its input embedding {KEY} .*int8\) is quantized"):
        saved(path, {KEY: numbers, "lm_head.weight": TABLE, **parts})
    found = inspect(path, vocab=WORDS)
    assert found.tables == ()
    assert "is quantized" in found.problems[0]


def test_a_flat_scale_of_a_square_table_could_be_read_in_two_ways(path):
    with pytest.raises(SourceError, match="in more than one way or none"):
        numbers = {KEY: torch.ones(6, 6, dtype=torch.int8)}
        saved(path, {**numbers, KEY + "_scale": torch.ones(6)})


@pytest.mark.parametrize("part", ["qweight", "weight_packed"])
def test_packed_numbers_are_named(path, part):
    key = f"model.embed_tokens.{part}"
    packed = {
        key: torch.ones(6, 1, dtype=torch.int32),
        "model.embed_tokens.scales": torch.ones(6, 1),
    }
    with pytest.raises(SourceError, match=rf"{key} .* is packed"):
        saved(path, packed | {"lm_head.weight": TABLE})
    with pytest.raises(SourceError, match="is packed"):
        load(path, key=key, vocab=WORDS)
    assert load(path, key="lm_head.weight", vocab=WORDS).source.key == "lm_head.weight"


def test_four_bits_of_bitsandbytes(path):
    parts = {
        KEY: torch.ones(12, 1, dtype=torch.uint8), KEY + ".absmax": torch.ones(1),
        KEY + ".quant_map": torch.ones(16), "lm_head.weight": TABLE,
    }  # fmt: skip
    with pytest.raises(SourceError, match="by a scheme that is not read"):
        saved(path, parts)


def test_whole_numbers_without_a_scale_in_the_place_of_the_table(path):
    tensors = {KEY: torch.ones(6, 4, dtype=torch.int8), "lm_head.weight": TABLE}
    with pytest.raises(SourceError, match="no scale that turns them into a table's"):
        saved(path, tensors)
    tensors = {"w": torch.ones(6, 4, dtype=torch.int8), "other": torch.ones(6, 2)}
    with pytest.raises(SourceError, match=r"other .* and w .* both have a row for each word"):
        saved(path, tensors)
    assert load(path, key="other", vocab=WORDS).dimensions == 2


@pytest.mark.parametrize("kind", ["e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz"])
@pytest.mark.parametrize("file", ["m.safetensors", "m.pt"])
def test_float8(tmp_path, kind, file):
    dtype = getattr(torch, f"float8_{kind}")
    small = TABLE.clone()
    small[0] *= 1e-3  # below the smallest normal number
    save = save_file if file.endswith("safetensors") else torch.save
    save({KEY: small.to(dtype)}, tmp_path / file)
    table = load(tmp_path / file, vocab=WORDS)
    assert np.array_equal(table.matrix, small.to(dtype).float())
    assert not dk.align(dk.Embeddings(WORDS, small), table).moved.any()
    assert load(tmp_path / file, vocab=WORDS, words=["w2"]).matrix.tolist() == [
        table.matrix[2].tolist()
    ]


def test_float8_with_a_scale(path):
    scale = TABLE.abs().max() / 448
    numbers = (TABLE / scale).to(torch.float8_e4m3fn)
    table = saved(path, {KEY: numbers, "model.embed_tokens.weight_scale": scale.reshape(1)})
    assert np.allclose(table.matrix, numbers.float() * scale, rtol=1e-6)
    require_unmoved(table)


@pytest.mark.parametrize("dtype", [torch.uint16, torch.uint32, torch.uint64])
def test_unsigned_numbers_by_name_are_themselves(path, dtype):
    values = torch.arange(24).reshape(6, 4) + 60_000
    save_file({"ids": values.to(dtype)}, path)
    assert load(path, key="ids", vocab=WORDS).matrix.tolist() == values.tolist()
    with pytest.raises(SourceError, match="holds no two-dimensional tensor of floating-point"):
        load(path, vocab=WORDS)


def test_types_that_are_not_read_are_named(path):
    save_file({KEY: TABLE.abs().to(torch.float8_e8m0fnu), "lm_head.weight": TABLE}, path)
    with pytest.raises(SourceError, match=r"is of type F8_E8M0, which is not read"):
        load(path, vocab=WORDS)


def test_arrays_of_numpy(tmp_path):
    numbers, scale = quantize(TABLE, 1)
    np.savez(tmp_path / "m.npz", emb=numbers.numpy(), emb_scale=scale.numpy())
    require_unmoved(load(tmp_path / "m.npz", vocab=WORDS))


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning")
@pytest.mark.parametrize("scheme", ["tensor", "row", "floats"])
def test_tensors_that_torch_quantized(tmp_path, scheme):
    if scheme == "tensor":
        made = torch.quantize_per_tensor(TABLE, 0.02, 3, torch.quint8)
    elif scheme == "row":
        made = torch.quantize_per_channel(
            TABLE, torch.full((6,), 0.03), torch.zeros(6), 0, torch.qint8
        )
    else:
        zero = torch.full((6,), 100.25)
        made = torch.quantize_per_channel(TABLE, torch.full((6,), 0.03), zero, 0, torch.quint8)
    torch.save({"emb._packed_params._packed_weight": made}, tmp_path / "m.pt")
    table = load(tmp_path / "m.pt", vocab=WORDS)
    assert np.allclose(table.matrix, made.dequantize(), rtol=1e-6)
    assert table.source.rounding.absolute > 0
