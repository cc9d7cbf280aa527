"""What would let a table answer more: benchmarks of its language, and other ways to spell words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftkit.arrays import Mask
from driftkit.datasets.catalog import REGISTRY
from driftkit.datasets.languages import Language, known_languages, languages_of
from driftkit.display import first_few, joined
from driftkit.embeddings import Embeddings
from driftkit.evaluators.base import BuiltIn, Evaluator
from driftkit.evaluators.comparison.verdict import LEAST_COVERAGE
from driftkit.evaluators.lookup import PHRASE, Find, lookup

WORTH_SAYING = 0.01  # share of a benchmark's items that another spelling must add
COVERED = 0.9  # share of the items answered from which a benchmark is of the table's language
TRIED = 3  # benchmarks that are suggested

SWITCHES: tuple[tuple[Mapping[str, Any], str, str], ...] = (
    ({"case": "fold"}, "--case fold", "whose words differ in case only"),
    ({"normalize": "NFC"}, "--normalize NFC", "whose accents are encoded in another way"),
    ({"normalize": "NFKC"}, "--normalize NFKC", "whose letters are encoded in another way"),
    *(
        (
            {"phrase_separator": separator},
            f"--phrase-separator {separator if separator != ' ' else repr(separator)}",
            "whose phrases are written with another character",
        )
        for separator in "_- "
    ),
)
"""Other ways to find words: as arguments, as options, and what the words have in common."""


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """How many of the items of an evaluator were answered, and which of its words are missing."""

    evaluator: Evaluator
    n_used: int
    n_total: int
    oov: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the benchmark."""
        return str(self.evaluator.benchmark.name)


def knows_a_word(tables: Sequence[Embeddings], asked: Iterable[Evaluator]) -> bool:
    """Whether a name of any of these tables may be a word of any of these benchmarks."""
    for evaluator in asked:
        if not isinstance(evaluator, BuiltIn):
            return True  # a stranger's, of which no word is known
        words = evaluator.asks()
        for find in (evaluator.finder(table.index) for table in tables):
            if any(find(word) >= 0 for word in words):
                return True
    return False


def notes_on(
    answered: Sequence[Answered], index: Mapping[str, int], is_zero: Mask
) -> tuple[str, ...]:
    """Say in clauses what would let more items be answered, and which rows were joined.

    Parameters
    ----------
    answered : sequence of Answered
    index : mapping of str to int
        Words of the table, or those of both tables, with their rows.
    is_zero : ndarray of bool, shape (n,)
        Which of these rows are zero.
    """
    looks, strange = _of_other_languages(answered, index)
    fit = _fitting(looks, index, {each.name for each in answered}) if strange else []
    spelled = [each for each in answered if each.name not in strange]
    return (
        *([_on_language(looks, strange, fit)] if strange else []),
        *_on_spelling(spelled, index, is_zero),
        *_on_joined_rows(answered, index),
    )


def _of_other_languages(
    answered: Sequence[Answered], index: Mapping[str, int]
) -> tuple[Sequence[Language], Mapping[str, str]]:
    """Return what the names look like, and benchmarks of other languages that leave items out."""
    asked = {
        each.name: REGISTRY[each.name].language
        for each in answered
        if each.n_used < COVERED * each.n_total and each.name in REGISTRY
    }
    looks = languages_of(index) if asked else ()
    if not looks:
        return (), {}
    return looks, {name: code for name, code in asked.items() if _is_strange(code, looks)}


def _on_language(looks: Sequence[Language], strange: Mapping[str, str], fit: Sequence[str]) -> str:
    """Say what the names look like, what was asked, and what fits."""
    known = known_languages()
    asked = {name: known[code].name for name, code in strange.items()}
    if len({*asked.values()}) == 1:
        are = f"{joined(asked)} {'is' if len(asked) == 1 else 'are'} {next(iter(asked.values()))}"
    else:
        are = joined(f"{name} is {language}" for name, language in asked.items())
    spoken = [one.name for one in looks if one.code]
    look = (
        f"look {joined(spoken)}" if spoken else f"are in {joined(one.name for one in looks)} script"
    )
    advice = " ".join(f"-b {name}" for name in fit)
    return f"the names {look}, and {are}: {f'try {advice}' if fit else 'give a file of your own'}"


def _is_strange(code: str, looks: Sequence[Language]) -> bool:
    """Whether a benchmark's language is none of those the names look like.

    Names of which only the script is known may be in any language of that script.
    """
    known = known_languages().get(code)
    if known is None:
        return False
    same_script = [one.code for one in looks if one.script == known.script]
    return code not in same_script and "" not in same_script


def _fitting(
    looks: Sequence[Language], index: Mapping[str, int], asked: Collection[str]
) -> list[str]:
    """Return a few other benchmarks of these languages, none that is here and the names lack."""
    codes = {one.code for one in looks if one.code}
    find = lookup(index)
    fit = []
    for name, known in REGISTRY.items():
        if (
            name in asked
            or known.language not in codes
            or known.task not in ("similarity", "analogy")
        ):
            continue
        if known.has_file and known.is_here and known.task == "similarity":
            words = {word for pair in known.read().pairs for word in pair}
            if sum(find(word) >= 0 for word in words) < LEAST_COVERAGE * len(words):
                continue
        fit.append(name)
    return fit[:TRIED]


def _on_spelling(
    answered: Sequence[Answered], index: Mapping[str, int], is_zero: Mask
) -> Iterator[str]:
    """Say which switch would let more items be answered, how many, and of which benchmarks."""
    wanting = {
        each: each.evaluator
        for each in answered
        if isinstance(each.evaluator, BuiltIn) and each.n_used < each.n_total
    }
    helped: set[tuple[str, str]] = set()
    for spelling, option, alike in SWITCHES:
        (kind,) = spelling
        finders: dict[Any, Find] = {}
        more = {}
        for each, evaluator in wanting.items():
            if (each.name, kind) in helped or not _may_help(spelling, each.oov):
                continue
            other = evaluator.respelled(**spelling)
            key = (other.limit, *other.spelling.values())
            if key not in finders:
                finders[key] = other.finder(index)
            find = finders[key]
            if not any(find(word) >= 0 for word in each.oov):
                continue
            before = evaluator.usable(evaluator.finder(index), is_zero)
            gained = other.usable(find, is_zero) - before
            if gained >= max(1, WORTH_SAYING * each.n_total):
                more[each.name] = gained
                helped.add((each.name, kind))
        if more:
            (first, n), *others = more.items()
            items = joined([f"{n:,} more items of {first}", *(f"{n:,} of {x}" for x, n in others)])
            yield f"{option} would answer {items}, {alike}"


def _may_help(spelling: Mapping[str, Any], oov: Sequence[str]) -> bool:
    """Whether words can be missing for this reason; it saves folding a large table for nothing."""
    if "phrase_separator" in spelling:
        return any(PHRASE.search(word) for word in oov)
    if spelling.get("normalize") == "NFC":
        return not all(map(str.isascii, oov))
    return bool(oov)


def _on_joined_rows(answered: Sequence[Answered], index: Mapping[str, int]) -> Iterator[str]:
    """Say which words of a benchmark stand in several rows, since case is folded and the like."""
    for each in answered:
        if isinstance(each.evaluator, BuiltIn) and (
            several := each.evaluator.in_several_rows(index)
        ):
            words = "1 word stands" if len(several) == 1 else f"{len(several):,} words stand"
            named = first_few(several)
            yield f"{each.name}: {words} in several rows ({named}), of which the first counts"
