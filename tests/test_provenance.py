import hashlib

import numpy as np
import pytest
import torch

from driftkit.provenance import Rounding, Source


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_a_unit_bounds_the_rounding_and_is_reached(dtype):
    rng = np.random.default_rng(0)
    exact = torch.from_numpy(rng.uniform(0.001, 8, 200_000))
    error = (exact - exact.to(getattr(torch, dtype)).double()).abs()
    bound = Rounding.of_dtype(dtype)
    share = (error / (bound.relative * exact + bound.absolute)).max().item()
    assert 0.9 < share <= 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_what_float32_holds_is_exact(dtype):
    assert Rounding.of_dtype(dtype).is_exact


def test_significant_digits_round_relative_to_the_value():
    bound = Rounding.of_digits(5)
    value = 0.000123456
    assert abs(float(f"{value:.4e}") - value) <= bound.relative * value
    assert not bound.is_exact


def test_what_models_compute_is_rounded_by_the_type_and_the_length_of_a_row():
    bound = Rounding.of_computation("float16")
    assert (bound.relative, bound.absolute, bound.of_length) == (0, 0, 6 * 2**-11)
    assert bound.reason == "computed in float16: 6 units in the last of 11 bits"
    assert Rounding.of_computation("float32").of_length < 1e-4
    assert Rounding.of_computation("float64").is_exact


def test_the_hash_is_of_the_file(tmp_path):
    path = tmp_path / "v.bin"
    path.write_bytes(b"vectors")
    assert Source("v", path).sha256() == hashlib.sha256(b"vectors").hexdigest()
    assert Source("memory").sha256() is None
    assert Source("folder", tmp_path).sha256() is None
