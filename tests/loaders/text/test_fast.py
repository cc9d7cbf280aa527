import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.loaders.text.fast import read_regular, tidy


@pytest.mark.parametrize(
    "block",
    [
        b"a 1 2\n\nb 3 4\n",
        b"\na 1 2\n",
        b"a 1 2\n\n",
        b"a 1 2\nb 3\n",
        b"a 1 2\nb 3 4 5\n",
        b"a 1 2 \nb 3 4 \n",
        b"a 1 2\nb x 4\n",
        b"a 1 2\nb  4\n",
        b"a 1 2\n 3 4\n",
        b"a 1_0 2\n",
        b"a 0x1 2\n",
        b"caf\xe9 1 2\n",
        b"\xef\xbb\xbfa 1 2\n",
    ],
)
def test_what_is_not_regular_is_left_to_others(block):
    assert read_regular(block, 2) is None


def test_tokens_and_numbers_as_they_stand():
    words = ['"', "'", "#", "nan", "null", "x\ty", "a\0b", "a\rb", "\u0085", "\u00a0", "caf\u00e9"]
    block = "".join(f"{word} +1 .5\n" for word in words).encode()
    read = read_regular(block, 2)
    assert read is not None
    assert read[0] == words
    assert read[1].tolist() == [[1, 0.5]] * len(words)
    assert read[1].flags.c_contiguous
    assert read_regular(b"a 1 2\nb 3 4", 2)[0] == ["a", "b"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_every_float32_comes_back_bit_for_bit(numbers):
    values = np.array(numbers, np.float32)
    block = "".join(f"w {value}\n" for value in values).encode()
    assert np.array_equal(read_regular(block, 1)[1][:, 0].view(np.int32), values.view(np.int32))


def test_tidy():
    assert tidy(b"a 1  \r\nb 2 \n") == b"a 1\nb 2\n"
    block = b"a 1\n"
    assert tidy(block) is block
