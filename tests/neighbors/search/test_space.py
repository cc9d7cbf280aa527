import os
import subprocess
import sys

import numpy as np
import pytest

from driftkit.errors import OptionError, UnknownNameError
from driftkit.neighbors.search.space import Space, usable_device


@pytest.mark.parametrize("name", ["abacus", "meta", "privateuseone", "xla"])
def test_refuses_a_device_that_computes_nothing(name):
    with pytest.raises(
        OptionError, match=rf"'{name}' cannot be used \([^()]+(\(\))?[^()]*\); 'cpu'"
    ):
        usable_device(name)


def test_the_error_bound_holds():
    rng = np.random.default_rng(0)
    space = Space.of((rng.normal(size=(400, 300)) + 1).astype(np.float32))
    unit = space.unit(np.arange(400))
    x = space.matrix.astype(np.float64) / space.norms[:, None]
    assert np.abs((unit @ unit.T).numpy() - x @ x.T).max() <= space.error


def test_a_zero_row_has_no_unit_row():
    space = Space.of(np.array([[3, 4], [0, 0]], np.float32))
    np.testing.assert_allclose(space.unit(np.array([0, 1])).numpy(), [[0.6, 0.8], [np.nan] * 2])
    told = Space.of(np.array([[3, 4], [1, 0]], np.float32), norms=np.array([5.0, 0]))
    assert np.isnan(told.unit(np.array([1])).numpy()).all()


def test_nothing_is_as_near_as_a_product_below():
    space = Space.of(np.eye(3, dtype=np.float32))
    below = space.below(np.array([0.5, np.nan], np.float32))
    assert 0.4999 < below[0] < 0.5 - space.error
    assert below[1] == -np.inf


LOW_PRECISION = (
    'torch.set_float32_matmul_precision("medium")',
    "torch.backends.cuda.matmul.allow_tf32 = True",
    'torch.backends.fp32_precision = "bf16"',
    'torch.backends.fp32_precision = "tf32"',
    'torch.backends.cuda.matmul.fp32_precision = "tf32"',
    'torch.backends.mkldnn.fp32_precision = "bf16"',
    'torch.backends.mkldnn.matmul.fp32_precision = "bf16"',
    'torch.backends.mkldnn.matmul.fp32_precision = "tf32"',
)
BOUNDED = """
import os, sys, traceback
import numpy as np, torch
from driftkit.neighbors.search.exact import nearest
from driftkit.neighbors.search.space import Space

def try_out(setting):
    noise = np.random.default_rng(5).normal(size=(600, 64))
    rows = np.arange(600)
    matrix = (1 + 0.02 * noise).astype(np.float32)  # closer than 8 bits can tell
    precise, space = nearest(matrix, rows, 10, engine="torch"), Space.of(matrix, engine="torch")
    full = space.error
    exec(setting)
    unit, exact = space.unit(rows), matrix.astype(np.float64) / space.norms[:, None]
    assert space.error > full
    assert np.abs((unit @ unit.T).numpy() - exact @ exact.T).max() <= space.error
    found = nearest(matrix, rows, 10, engine="torch")
    assert [each.tobytes() for each in found] == [each.tobytes() for each in precise]

for setting in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            try_out(setting)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(setting)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_products_of_low_precision_are_bounded_however_torch_was_told():
    # Each in a process of its own, since no call of torch undoes every one of these.
    command = [sys.executable, "-c", BOUNDED, *LOW_PRECISION]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_full_precision_asked_for_by_name_is_full():
    script = """
import numpy as np, torch
from driftkit.neighbors.search.space import Space
space = Space.of(np.eye(3, dtype=np.float32))
full = space.error
torch.backends.fp32_precision = "ieee"
assert space.error == full
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_refuses_an_engine_nobody_has():
    with pytest.raises(UnknownNameError, match="unknown engine 'steam'"):
        Space.of(np.eye(3, dtype=np.float32), engine="steam")


@pytest.mark.parametrize(
    "matrix", [np.ones(3, np.float32), np.ones((3, 2), complex), np.array([["a", "b"]])]
)
def test_refuses_what_is_no_matrix_of_real_numbers(matrix):
    with pytest.raises(OptionError, match="two dimensions"):
        Space.of(matrix)
