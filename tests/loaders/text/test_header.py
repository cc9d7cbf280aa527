import numpy as np
import pytest

from driftkit.errors import SourceError
from driftkit.loaders.request import parse
from driftkit.loaders.text.header import is_row, read_opening, rounding_of
from driftkit.loaders.text.width import is_number

VALUES = np.random.default_rng(0).normal(scale=0.5, size=5000).astype(np.float32)


def opening(head):
    return read_opening(parse("t.txt"), head)


def test_header_dimensions_and_spaces():
    found = opening(b"\xef\xbb\xbf2 3\r\na 1 2 3 \r\nb 1 2 3 \r\n")
    assert (found.dimensions, found.declared, found.trailing_spaces) == (3, (2, 3), True)
    assert found.skip == 8
    found = opening(b"a 1 2\nb 1 2\n")
    assert (found.dimensions, found.declared, found.skip, found.trailing_spaces) == (
        2, None, 0, False,
    )  # fmt: skip
    assert found.line_bytes == 6


def test_most_lines_decide():
    assert opening(b"broken\na b 1 2\nc 1 2\nd 3 4\n").dimensions == 2
    assert opening(b"x\ny\nc 1 2\n").dimensions == 2
    with pytest.raises(SourceError, match="holds no line of a word followed by numbers"):
        opening(b"x\ny\n")


def test_numbers_and_rows():
    assert is_number(b"1e-3")
    assert is_number(b"nan")
    assert not is_number(b"1_0")
    assert not is_number(b"")
    assert not is_row(b"12")


def written(form):
    return [form(value).encode() for value in VALUES.tolist()]


@pytest.mark.parametrize(
    "form",
    [
        lambda x: f"{x:.6f}",
        lambda x: f"{x:.2f}",
        lambda x: str(round(x, 4)),
        lambda x: f"{x:.5g}",
        lambda x: f"{x:.3e}",
        lambda x: np.format_float_positional(x, precision=5, fractional=False, trim="-"),
    ],
)
def test_the_bound_holds_and_is_tight(form):
    rounding = rounding_of(written(form))
    stored = np.array([float(number) for number in written(form)], np.float32).astype(np.float64)
    error = np.abs(stored - VALUES)
    bound = rounding.relative * np.abs(VALUES) + rounding.absolute
    assert (error <= bound * (1 + 1e-6)).all()
    assert (error > bound / 3).any()


@pytest.mark.parametrize(
    "form",
    [
        lambda x: repr(x),
        lambda x: str(np.float32(x)),
        lambda x: f"{x:.9g}",
        lambda x: f"{x:.18e}",
        lambda x: f"{x:.18f}",
        lambda x: str(int(100 * x)),
    ],
)
def test_text_that_holds_float32_exactly(form):
    assert rounding_of(written(form)).is_exact


def test_few_numbers_are_taken_for_fixed_decimals():
    assert rounding_of([b"0.25", b"1.5", b"-2"]).absolute == 0.005


def test_what_is_no_plain_number_is_skipped():
    assert rounding_of([b"nan", b"", b".", b"x", b"0.5"]).absolute == 0.05
    assert rounding_of([b"nan"]).is_exact
