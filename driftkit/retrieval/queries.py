"""What was asked: queries with their texts, in BEIR's form or as two columns."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from driftkit.arguments import shown
from driftkit.display import OneLine, counted
from driftkit.documents import parse_json
from driftkit.errors import BenchmarkError
from driftkit.escaping import printable
from driftkit.files import read_text
from driftkit.provenance import Problem

ACCEPTED = (
    "Queries are lines of JSON with '_id' and 'text' (BEIR's queries.jsonl), or lines of an id, a "
    "tab and a text."
)

HEADERS = {"_id", "id", "qid", "query", "query-id", "query_id", "queryid"}
"""What stands over a column of ids, and may be the id of a query as well."""


@dataclass(frozen=True, slots=True, repr=False)
class QueryTexts(OneLine):
    """Queries and their texts.

    Parameters
    ----------
    texts : mapping of str to str
        Query to text.
    source : str
        The file, as typed.
    problems : tuple of Problem
        Lines that say again what an earlier one said.
    """

    texts: Mapping[str, str]
    source: str = "memory"
    problems: tuple[Problem, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:
        return (
            f"<QueryTexts {printable(self.source)}: {counted(len(self.texts), 'query', 'queries')}>"
        )


def read_queries(path: str | os.PathLike[str]) -> QueryTexts:
    r"""Read queries in BEIR's form, or as ids and texts with a tab between them; told by content.

    Parameters
    ----------
    path : path
        Lines of JSON with the keys ``_id`` and ``text``, others left aside; or lines of an id, a
        tab and a text, without a header.

    Returns
    -------
    QueryTexts

    Raises
    ------
    BenchmarkError
        If the file is neither, begins with what may be a header, or has two texts for one id.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "queries.jsonl"
    >>> _ = file.write_text('{"_id": "q1", "text": "what is drift"}\n')
    >>> read_queries(file).texts
    {'q1': 'what is drift'}
    """
    text = read_text(Path(path), lambda why: BenchmarkError(f"{path} {why} {ACCEPTED}"))
    numbered = enumerate(text.split("\n"), 1)
    lines = [(line, content) for line, content in numbered if content.strip()]
    if not lines:
        raise BenchmarkError(f"{path} holds no query. {ACCEPTED}")
    rows = _json_lines(path, lines) if lines[0][1].lstrip()[0] in "{[" else _columns(path, lines)
    texts: dict[str, str] = {}
    problems = []
    for line, query, asked in rows:
        if query in texts:
            problems.append(Problem("duplicate", line, f"query {query!r} again"))
        if texts.setdefault(query, asked) != asked:
            raise BenchmarkError(
                f"{path}, line {line}: query {shown(query)} has another text before, "
                f"{shown(texts[query])}; keep one of the two lines."
            )
    return QueryTexts(texts, str(path), tuple(problems))


def as_texts(given: object) -> Mapping[str, str]:
    """Return the texts of queries that are given as such, as a file, or as a mapping."""
    if isinstance(given, str | os.PathLike):
        given = read_queries(given)
    texts = given.texts if isinstance(given, QueryTexts) else given
    if not isinstance(texts, Mapping) or not all(isinstance(each, str) for each in texts.values()):
        raise BenchmarkError(
            f"texts={shown(given)} was given; give a file of queries, or a dictionary of their "
            "texts: {'q1': 'what is drift'}."
        )
    return texts


def _json_lines(
    path: str | os.PathLike[str], lines: list[tuple[int, str]]
) -> Iterator[tuple[int, str, str]]:
    for line, content in lines:
        try:
            entry = parse_json(content)
        except json.JSONDecodeError:
            raise BenchmarkError(
                f"{path}, line {line}: {shown(content)} is not JSON. {ACCEPTED}"
            ) from None
        except ValueError as error:
            raise BenchmarkError(f"{path}, line {line}: {error}. {ACCEPTED}") from None
        query, text = (entry.get("_id"), entry.get("text")) if isinstance(entry, dict) else (0, 0)
        if isinstance(query, int) and not isinstance(query, bool):
            query = str(query)
        if not isinstance(query, str) or not isinstance(text, str):
            raise BenchmarkError(
                f"{path}, line {line}: {shown(content)} lacks the strings '_id' and 'text'. "
                f"{ACCEPTED}"
            )
        yield line, query, text


def _columns(
    path: str | os.PathLike[str], lines: list[tuple[int, str]]
) -> Iterator[tuple[int, str, str]]:
    for at, (line, content) in enumerate(lines):
        query, tab, text = content.partition("\t")
        if not tab or "\t" in text:
            fields = counted(content.count("\t"), "tab")
            raise BenchmarkError(
                f"{path}, line {line}: {shown(content)} has {fields}, not one. {ACCEPTED}"
            )
        if at == 0 and query.casefold() in HEADERS:
            raise BenchmarkError(
                f"{path}, line {line}: {shown(content)} may be a header or a query; take the line "
                f"out, or rename that query. {ACCEPTED}"
            )
        yield line, query, text
