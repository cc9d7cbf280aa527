"""Words that stand beside numbers, row numbers or counts, in lines or columns.

Between a word and its number stands a tab, a comma, a semicolon, a bar, or a space; after a space
the number may be part of the name (route 66), which `_beside_a_space` decides.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import lgamma, log
from pathlib import Path

from driftkit.errors import VocabularyError
from driftkit.loaders.quote import quote
from driftkit.loaders.vocabulary.words import Vocabulary, is_digits, is_number
from driftkit.provenance import Problem

SEPARATORS = "\t,;|"
WORD_NAMES = (
    "word", "words", "token", "tokens", "label", "labels", "name", "term", "piece", "item",
    "text", "title", "entity", "key", "vocab", "surface",
)  # fmt: skip
"""Headers of a column of words, in the order in which they are looked for."""

ROW_NAMES = ("row", "index", "idx", "id", "ids", "word_id", "token_id", "rank")
COUNT_NAMES = ("count", "counts", "freq", "frequency", "n", "score")
NUMBER_BESIDE = "number beside a word"  # the kind of a problem
CHANCE = 10_000  # numbers that fall in order by chance less often than once in so many are counts
FEW = 20  # of more lines, a few that differ from all others are told

_DIGITS = "0123456789"

_Pair = tuple[str, str]  # a word and the digits beside it


def of_lines(lines: Sequence[str], path: Path) -> Vocabulary:
    """Return the words of lines that may hold more: a count, a row number, further columns."""
    if lines[0].startswith("#version"):
        raise VocabularyError(
            path, "lists merges of a BPE tokenizer, not words; give the vocab.json beside it."
        )
    lines = [line.removesuffix(" #fairseq:overwrite") for line in lines]
    if len(lines) > 1 or "\t" in lines[0]:
        if all(len(line) > 1 and line[0] == line[-1] == '"' for line in lines):
            rows = _parsed(lines, ",")
            if rows is not None and all(len(row) == 1 for row in rows):
                return Vocabulary(tuple(row[0] for row in rows), path.name, path)
        for separator in SEPARATORS:
            found = _of_table(_split(lines, separator), separator, path)
            if found is not None:
                return found
        found = _beside_a_space(lines, path)
        if found is not None:
            return found
        _refuse_nearly_all(lines, path)
    return Vocabulary(tuple(lines), path.name, path)


def _split(lines: Sequence[str], separator: str) -> list[list[str]]:
    """Fields of each line where all lines have as many, more than one; else none."""
    if separator not in lines[0] or separator not in lines[-1]:
        return []
    plain = [line.split(separator) for line in lines]
    quoted = separator != "\t" and '"' in lines[-1] + lines[0]
    table = (_parsed(lines, separator) if quoted else None) or plain
    if len(set(map(len, table))) == 1 and len(table) == len(lines):
        return table
    # A word may hold the separator itself: ",,500". The number then stands last, or first.
    last = [line.rsplit(separator, 1) for line in lines]
    if all(len(row) == 2 and is_number(row[1]) for row in last[1:]) and len(last[0]) == 2:
        return last
    first = [line.split(separator, 1) for line in lines]
    if all(len(row) == 2 and is_digits(row[0]) for row in first[1:]) and len(first[0]) == 2:
        return first
    return []


def _parsed(lines: Sequence[str], separator: str) -> list[list[str]] | None:
    """Fields of CSV with quotes; None where it is not."""
    try:
        return list(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error:
        return None


def _of_table(table: list[list[str]], separator: str, path: Path) -> Vocabulary | None:
    """Words of lines of columns; None where they may as well be names that hold a separator."""
    if not table:
        return None
    width = range(len(table[0]))
    numeric = [c for c in width if all(is_number(row[c]) for row in table[1:] or table)]
    named = [field.strip().lower() for field in table[0]]
    known = {*WORD_NAMES, *ROW_NAMES, *COUNT_NAMES}
    has_head = not any(is_number(field) for field in named) and (
        bool(numeric) or not known.isdisjoint(named)
    )
    if not has_head:
        numeric = [c for c in numeric if is_number(table[0][c])]
        named = [""] * len(named)
    elif len(table) == 1:
        return None
    if separator != "\t" and not (has_head or numeric):
        return None  # names that hold a comma each
    body = table[has_head:]
    texts = [c for c in width if c not in numeric]
    by_name = [named.index(name) for name in WORD_NAMES if name in named]
    if not texts and not by_name:
        return _of_two_numbers(body, path) if separator == "\t" else None
    at = (by_name or texts)[0]
    words = tuple(row[at] for row in body)
    problems: tuple[Problem, ...] = ()
    if len(texts) > 1:
        column = f"column {at + 1}" + (f" ({quote(table[0][at])})" if has_head else "")
        what = f"the words are {column} of {len(named)}, the others are left out"
        problems = (Problem("columns", None, what),)
    counted = [c for c in numeric if c != at and all(is_digits(row[c]) for row in body)]
    by_name = [c for c in counted if named[c] in ROW_NAMES]
    of_rows = [c for c in counted if sorted(int(row[c]) for row in body) == list(range(len(body)))]
    chosen = (by_name or [c for c in of_rows if named[c] not in COUNT_NAMES] or counted)[:1]
    for c in chosen:
        found = numbered(words, [int(row[c]) for row in body], path.name, path, named[c])
        return Vocabulary(found.words, path.name, path, problems=(*problems, *found.problems))
    return Vocabulary(words, path.name, path, problems=problems)


def _of_two_numbers(body: list[list[str]], path: Path) -> Vocabulary:
    """Words that are numbers, such as years, beside their rows."""
    rows = [str(row) for row in range(len(body))]
    columns = [[row[c] for row in body] for c in range(len(body[0]))]
    of_rows = [c for c, column in enumerate(columns) if sorted(column) == sorted(rows)]
    if len(columns) == 2 and len(of_rows) == 1:
        words = tuple(columns[1 - of_rows[0]])
        return numbered(words, list(map(int, columns[of_rows[0]])), path.name, path)
    raise VocabularyError(
        path,
        "holds nothing but numbers, so which column has the words cannot be told; add a first line "
        "that names them, such as word<TAB>count.",
    )


def _beside_a_space(lines: Sequence[str], path: Path) -> Vocabulary | None:
    """Words of lines that all end, or all begin, with a number, if it is none of the name.

    It is part of the name where words would repeat without it (iphone 1, iphone 2). It is a row or
    a count where the numbers are 0 to n-1, 1 to n in order, or fall as they hardly would by chance.
    Anything else can be either and is refused.
    """
    pairs = _all_told(_before_number, lines) or _all_told(_after_number, lines)
    if not pairs:
        return None
    words, digits = zip(*pairs, strict=True)
    if len(set(words)) < len(words):
        return None
    if all(map(is_digits, words)):
        return _of_two_numbers([[w, d] for w, d in zip(words, digits, strict=True)], path)
    numbers = list(map(int, digits))
    n = len(numbers)
    rows = sorted(numbers) in (list(range(n)), list(range(1, n + 1)))
    if rows or fall_by_design(numbers):
        return numbered(words, numbers, path.name, path)
    raise VocabularyError(
        path,
        f"each line holds a word and a number ({quote(lines[0])}), which may be a count or part of "
        "the name; put a tab before counts, or give the names as a JSON list.",
    )


def _all_told(tell: Callable[[str], _Pair | None], lines: Sequence[str]) -> list[_Pair]:
    """What is told of each line; nothing as soon as one line tells nothing, as most do."""
    pairs = []
    for line in lines:
        pair = tell(line)
        if pair is None:
            return []
        pairs.append(pair)
    return pairs


def _before_number(line: str, between: str = " \t") -> tuple[str, str] | None:
    """The word and the digits of a line that ends in a number."""
    rest = line.rstrip(_DIGITS)
    word, digits = rest.rstrip(between), line[len(rest) :]
    return (word, digits) if word and word != rest and is_digits(digits) else None


def _after_number(line: str) -> tuple[str, str] | None:
    """The word and the digits of a line that begins with a number."""
    line = line.lstrip(" \t")
    rest = line.lstrip(_DIGITS)
    word, digits = rest.lstrip(" \t"), line[: len(line) - len(rest)]
    return (word, digits) if word and word != rest and is_digits(digits) else None


def fall_by_design(numbers: Sequence[int]) -> bool:
    """Whether numbers fall, as counts do, in more lines than chance explains."""
    if not all(former >= later for former, later in pairwise(numbers)):
        return False
    # In n! / (m1! m2! ...) orders of numbers that come m1, m2, ... times, one falls.
    orders = lgamma(len(numbers) + 1) - sum(lgamma(m + 1) for m in Counter(numbers).values())
    return orders > log(CHANCE)


def _refuse_nearly_all(lines: Sequence[str], path: Path) -> None:
    """Refuse lines that end in numbers but for a few, or after other marks: all would be words."""
    heads, odd = [], []
    for row, line in enumerate(lines):
        pair = _before_number(line, " \t,;|")
        if pair is None:
            odd.append(row)
            if len(lines) - len(odd) < 0.9 * len(lines):
                return
        else:
            heads.append(pair[0])
    if len(lines) > FEW and len(set(heads)) == len(heads):
        but = "after different marks; write the same before each number"
        if odd:
            but = f"but for line {odd[0] + 1:,} ({quote(lines[odd[0]])}); mend that line"
        raise VocabularyError(
            path, f"its lines end in a number, {but}, or give the words as a JSON list."
        )


def numbered(
    words: tuple[str, ...], numbers: Sequence[int], where: str, path: Path | None, head: str = ""
) -> Vocabulary:
    """Return words in the order of their numbers where these are rows, else in their own order."""
    n = len(words)
    in_order = sorted(numbers)
    is_count = head in COUNT_NAMES
    if in_order == list(range(n)) and not (is_count and n > 1):
        ordered = tuple(word for _, word in sorted(zip(numbers, words, strict=True)))
        return Vocabulary(ordered, where, path)
    if in_order == list(range(1, n + 1)) and list(numbers) != in_order and not is_count:
        raise VocabularyError(
            path or where,
            f"the numbers beside its words are 1 to {n:,}, which may be row numbers that start at "
            "1 or counts of words in row order; number the rows from 0, or leave the numbers out "
            "and write the words in row order.",
        )
    what = f"left out, the words are in the order of the lines: {quote(words[0])} had {numbers[0]}"
    noted = Problem(NUMBER_BESIDE, None, what)
    return Vocabulary(words, where, path, problems=(noted,))
