"""How many of the numbers that end each line are the vector's, where words may end in one too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from driftkit.loaders.quote import quote
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.columns import fall_by_design


def is_number(field: bytes) -> bool:
    """Whether a field is a number that every tool reads."""
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field  # Python reads 1_000 as a number, no other tool does


def width_of(request: Request, lines: Sequence[bytes], declared: int | None) -> int:
    """Return d, the numbers of each vector; 0 where no line ends in a number.

    `declared` is what the header says. It decides wherever each line can be read so; without it, a
    whole number behind each word may be part of the word, a count, or the first of the vector.
    """
    counts = Counter(map(_trailing_numbers, lines))
    if declared is not None and declared in counts:
        return declared
    width = next((d for d, _ in counts.most_common(2) if d), 0)
    if declared and counts and declared < min(counts):
        _require_names(request, lines, declared, width)
        return declared
    if width:
        _refuse_numbers_of_words(request, lines, width)
    return width


def _trailing_numbers(line: bytes) -> int:
    """Count the numbers that end a line, without its first field: d, whatever the word holds."""
    fields = line.split(b" ")[:0:-1]
    return next((i for i, field in enumerate(fields) if not is_number(field)), len(fields))


def _require_names(request: Request, lines: Sequence[bytes], d: int, width: int) -> None:
    """Refuse words that hold numbers, as a header has it, where these are hardly parts of names."""
    names = [line.rsplit(b" ", d)[0] for line in lines]
    extra = [name.split(b" ")[-(_trailing_numbers(name) or 1) :] for name in names]
    if not all(field.isdigit() for fields in extra for field in fields):
        raise request.error(
            f"its header promises {d} numbers for each word, and its lines end in {width}; mend "
            f"the header (ROWS {width}), or, if the first of them belong to the words "
            f"({quote(names[0])}), put no space inside words."
        )
    heads = {name.rpartition(b" ")[0] for name in names}
    numbers = [int(fields[-1][:18]) for fields in extra]
    in_order = numbers in (list(range(len(names))), list(range(1, len(names) + 1)))
    if len(heads) == len(names) > 1 and (in_order or fall_by_design(numbers)):
        raise request.error(
            f"each word is followed by a number before the {d} that its header promises "
            f"({quote(names[0])}); leave these counts or row numbers out, or, if they belong to "
            "the words, put no space between."
        )


def _refuse_numbers_of_words(request: Request, lines: Sequence[bytes], width: int) -> None:
    """Refuse whole numbers behind each word where they may belong to it.

    They may where all that follow are fractions, or where most words would repeat without them.
    """
    rows = [line.rsplit(b" ", width) for line in lines]
    rows = [row for row in rows if len(row) == width + 1 and all(map(is_number, row[1:]))]
    columns = list(zip(*rows, strict=True))[1:]
    first = next((c for c in range(width) if not all(map(bytes.isdigit, columns[c]))), 1)
    if len(rows) < 2 or first == width or not all(map(bytes.isdigit, columns[0])):
        return
    have_fractions = all(not all(map(_is_whole, column)) for column in columns[first:])
    heads = {row[0] for row in rows}
    repeat = len(heads) < len(rows) == len({tuple(row[: first + 1]) for row in rows})
    if have_fractions:  # a bias, or counts of a few, may well be numbers of a vector
        doubtful = repeat or any(len(field.lstrip(b"0")) > 1 for field in columns[0])
    else:
        doubtful = repeat and 2 * len(heads) <= len(rows)
    if doubtful:
        raise request.error(
            f"each word is followed by a whole number ({quote(b' '.join(rows[0][: first + 1]))}), "
            f"which can be read in two ways: as the first of {width} numbers for each word (put a "
            f"first line ROWS {width}, as word2vec does), or as part of the word, before "
            f"the last {width - first} (ROWS {width - first}); if it is a count, leave it out."
        )


def _is_whole(field: bytes) -> bool:
    return field.lstrip(b"+-").isdigit()
