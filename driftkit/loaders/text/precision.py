"""How finely a text file's numbers were written, told from their digits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from statistics import median

from driftkit.provenance import Rounding

_NUMBER = re.compile(rb"[+-]?(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?")

EXACT_DIGITS = 9  # significant digits that tell each float32 from its neighbors (IEEE 754)
EXACT_DECIMALS = 16  # decimals with which even a coordinate of 1e-7 keeps nine significant digits
ENOUGH = 1000  # numbers needed before digits that vary with magnitude count as a style


def rounding_of(numbers: Iterable[bytes]) -> Rounding:
    """Return the rounding of a text file, told from a sample of its numbers as written.

    Numbers are written with fixed decimals (``%f``: 12.3456, 0.0012) or with fixed significant
    digits (``%g``, ``repr``: 12.346, 0.0012346). The first style has as many decimals in its
    larger numbers as in its smaller ones, the second has fewer, or uses exponents. What is
    rounded differs: a decimal place in the first, a share of the value in the second.

    Examples
    --------
    >>> rounding_of([b"0.25", b"-1.50"]).absolute
    0.005
    >>> rounding_of([b"1.5e-03", b"2e+00"]).reason
    'text: half a unit in significant digit 2'
    >>> rounding_of([b"3", b"-17"]).is_exact
    True
    """
    digits, decimals, sizes = [], [], []
    has_exponent = False
    for number in numbers:
        match = _NUMBER.fullmatch(number)
        if match is None or not (match[1] or match[2]):
            continue  # not a plain finite number
        has_exponent |= match[3] is not None
        digits.append(len((match[1] + match[2]).lstrip(b"0")))
        decimals.append(len(match[2]))
        sizes.append(abs(float(number)))
    if not sizes or (not has_exponent and max(decimals) == 0):
        return Rounding()  # whole numbers: nothing was rounded
    middle = median(sizes)
    deepest = max(decimals)
    deepest_of_large = max(d for d, size in zip(decimals, sizes, strict=True) if size >= middle)
    by_digits = has_exponent or deepest_of_large < deepest
    if (by_digits and max(digits) >= EXACT_DIGITS) or deepest >= EXACT_DECIMALS:
        return Rounding()
    if has_exponent or (by_digits and len(sizes) >= ENOUGH):
        return Rounding.of_digits(max(digits))
    return Rounding.of_decimals(deepest)
