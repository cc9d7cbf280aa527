"""Which documents people found relevant to which queries: TREC's and BEIR's files of judgments."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path

from driftkit.arguments import number, shown
from driftkit.display import OneLine, counted
from driftkit.errors import BenchmarkError
from driftkit.escaping import printable
from driftkit.files import read_text
from driftkit.provenance import Problem

Judgments = Mapping[str, Mapping[str, int]]
"""Query to document to relevance."""

HIGHEST = 1_000
"""Of a relevance, on both sides of zero: it is a grade, and trec_eval has a count for each."""

HEADER = ("query-id", "corpus-id", "score")
"""First line of BEIR's form."""

ACCEPTED = (
    "Qrels have a line for each judgment: 'query 0 document relevance' (TREC), or query, document "
    "and relevance with tabs between them, under the header 'query-id corpus-id score' (BEIR)."
)

_Fault = Callable[[int, str], BenchmarkError]
"""Makes the error of a line: its number, and what is wrong with it."""


@dataclass(frozen=True, slots=True, repr=False)
class Qrels(OneLine):
    """What was judged relevant.

    Parameters
    ----------
    judgments : mapping of str to mapping of str to int
        Query to document to relevance: 0 and below is not relevant, more is a grade.
    source : str
        The file, as typed.
    form : {"TREC", "BEIR", "memory"}
    problems : tuple of Problem
        Lines that say again what an earlier one said.
    """

    judgments: Judgments
    source: str = "memory"
    form: str = "memory"
    problems: tuple[Problem, ...] = field(default=())

    def __len__(self) -> int:
        return sum(map(len, self.judgments.values()))

    def __repr__(self) -> str:
        queries = counted(len(self.judgments), "query", "queries")
        judged = counted(len(self), "judgment")
        return f"<Qrels {printable(self.source)}: {judged} of {queries}, {self.form}>"


def read_qrels(path: str | os.PathLike[str]) -> Qrels:
    r"""Read judgments in TREC's or BEIR's form, told by content.

    Parameters
    ----------
    path : path
        Lines of ``query 0 document relevance``, or tab-separated lines of query, document and
        relevance under the header ``query-id corpus-id score``.

    Returns
    -------
    Qrels

    Raises
    ------
    BenchmarkError
        If the file is neither, may be both, is a run, or judges a document twice in two ways.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "qrels.txt"
    >>> _ = file.write_text("q1 0 d7 2\nq1 0 d3 0\nq2 0 d1 -1\n")
    >>> read_qrels(file).judgments
    {'q1': {'d7': 2, 'd3': 0}, 'q2': {'d1': -1}}
    """
    text = read_text(Path(path), lambda why: BenchmarkError(f"{path} {why} {ACCEPTED}"))
    numbered = enumerate(text.split("\n"), 1)
    lines = [(line, content) for line, content in numbered if content.strip()]
    if not lines:
        raise BenchmarkError(f"{path} holds no judgment. {ACCEPTED}")

    def fault(line: int, why: str) -> BenchmarkError:
        return BenchmarkError(f"{path}, line {line}: {why} {ACCEPTED}")

    is_beir = HEADER in (_cut(lines[0][1]), tuple(_unquoted(lines[0][1])))
    rows = _beir(lines[1:], fault) if is_beir else _trec(lines, fault)
    judgments: dict[str, dict[str, int]] = {}
    problems = []
    for line, query, document, written in rows:
        relevance = number(written)
        if relevance is None or not relevance.is_integer() or abs(relevance) > HIGHEST:
            raise fault(line, f"{shown(written)} is no relevance, a whole number.")
        known, grade = judgments.setdefault(query, {}), int(relevance)
        if document in known:
            again = f"document {document!r} of query {query!r} again"
            problems.append(Problem("duplicate", line, again))
        if known.setdefault(document, grade) != grade:
            raise fault(
                line,
                f"document {shown(document)} is judged {grade} for query {shown(query)}, and "
                f"{known[document]} before; keep one of the two lines.",
            )
    return Qrels(judgments, str(path), "BEIR" if is_beir else "TREC", tuple(problems))


def as_qrels(given: object) -> Qrels:
    """Return judgments that are given as such, as a file, or as a mapping of mappings."""
    if isinstance(given, Qrels):
        return given
    if isinstance(given, str | os.PathLike):
        return read_qrels(given)
    if not isinstance(given, Mapping) or not all(
        isinstance(each, Mapping) for each in given.values()
    ):
        raise BenchmarkError(
            f"qrels={shown(given)} was given; give a file, or a dictionary of queries, each with "
            "a dictionary of documents and their relevance: {'q1': {'d7': 1}}."
        )
    for query, judged in given.items():
        for document, grade in judged.items():
            whole = isinstance(grade, Integral) and not isinstance(grade, bool)
            named = isinstance(query, str) and isinstance(document, str)
            if not (whole and named and abs(int(grade)) <= HIGHEST):
                raise BenchmarkError(
                    f"qrels[{shown(query)}][{shown(document)}] is {shown(grade)}; the names are "
                    "strings, and a relevance is a whole number."
                )
    return Qrels(given)


def _cut(line: str) -> tuple[str, ...]:
    """Return the fields of a line: names may hold spaces where tabs stand between them."""
    fields = tuple(line.split("\t"))
    return fields if len(fields) in (3, 4) else tuple(line.split())


def _unquoted(line: str) -> list[str]:
    """Return the fields between tabs, without the quotes that writers of CSV put around them."""
    if '"' not in line:
        return line.split("\t")
    try:
        (fields,) = csv.reader([line], delimiter="\t", strict=True)
    except csv.Error:  # a name that holds a quote itself
        return line.split("\t")
    return fields


def _beir(lines: list[tuple[int, str]], fault: _Fault) -> Iterator[tuple[int, str, str, str]]:
    for line, content in lines:
        fields = _unquoted(content)
        if len(fields) != 3:
            raise fault(line, f"{shown(content)} has {counted(len(fields), 'field')}, not three.")
        yield line, fields[0], fields[1], fields[2].strip()


def _trec(lines: list[tuple[int, str]], fault: _Fault) -> Iterator[tuple[int, str, str, str]]:
    for line, content in lines:
        fields = _cut(content.strip())
        if len(fields) == 6:
            raise fault(line, f"{shown(content)} is a line of a run, which is no judgment.")
        if len(fields) == 3:
            raise fault(
                line,
                f"{shown(content)} has three fields and no header says which; if they are query, "
                "document and relevance, add the header.",
            )
        if len(fields) != 4:
            raise fault(line, f"{shown(content)} has {counted(len(fields), 'field')}, not four.")
        query, _, document, relevance = fields
        yield line, query, document, relevance
