"""Shards for batch systems: each job does one run of the words, and `merge_shards` joins them.

A shard is a folder of parts and a manifest. It gets its name only when it is whole, and the
manifest tells its files by their SHA-256, so a copy that was cut short is found too.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from os import PathLike
from pathlib import Path

from driftkit.arguments import shown
from driftkit.atomic import locked, place, replacing, writing
from driftkit.display import counted
from driftkit.errors import OptionError, OutputError, SourceError
from driftkit.escaping import to_json
from driftkit.neighbors.export.part import NAME, Part
from driftkit.neighbors.export.question import Question
from driftkit.neighbors.export.rows import require_ending, require_ours, write_joined

MANIFEST, SCHEMA = "driftkit-shard.json", "driftkit.shard/1"
MOST = 1_000_000  # shards


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several runs of the words asked about, as long as each other give or take a word.

    Examples
    --------
    >>> Shard.parse("3/8").bounds(100)
    (25, 37)
    """

    number: int  # from 1
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``3/8``, the third of eight; an OptionError says what is accepted."""
        match = re.fullmatch(r"([0-9]{1,7})/([0-9]{1,7})", text.strip(), re.ASCII)
        number, of = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= number <= of <= MOST:
            raise OptionError(
                f"shard {text!r} was given; write one such as 3/8, the third of eight, from 1/8 "
                "to 8/8."
            )
        return cls(number, of)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def bounds(self, count: int) -> tuple[int, int]:
        """Return where its words start and stop, of so many."""
        if self.of > count:
            raise OptionError(
                f"shard {self} was given, and {counted(count, 'word is', 'words are')} asked "
                "about; ask for at most as many shards."
            )
        return count * (self.number - 1) // self.of, count * self.number // self.of

    def place(self, target: Path) -> Path:
        """Return the folder of this shard of a file.

        >>> Shard(3, 8).place(Path("runs/shifts.parquet")).name
        'shifts.parquet.3-of-8.shard'
        """
        return target.with_name(f"{target.name}.{self.number}-of-{self.of}.shard")


@dataclass(frozen=True, slots=True)
class _Written:
    """A shard on disk, whose files are all there and whole."""

    folder: Path
    shard: Shard
    question: Question
    ending: str
    files: tuple[Path, ...]


def finish_shard(
    folder: Path, parts: Sequence[Part], target: Path, shard: Shard, question: Question
) -> None:
    """Write the manifest into the folder of the parts, and give the folder its name."""
    listed = [
        {"name": each.path.name, "start": each.start, "stop": each.stop, "sha256": each.sha256()}
        for each in parts
    ]
    manifest = {
        "schema": SCHEMA,
        "shard": shard.number,
        "of": shard.of,
        "question": asdict(question),
        "parts": listed,
    }
    for each in parts:
        each.seal.unlink()  # the manifest tells their digests from now on
    with replacing(folder / MANIFEST) as partial:
        partial.write_text(to_json(manifest, indent=1) + "\n", "utf-8")
    if target.exists():
        shutil.rmtree(target)
    folder.rename(target)


def is_answered(target: Path, shard: Shard, question: Question, ending: str) -> bool:
    """Whether this shard of this question is there; an OutputError if something else is."""
    if not target.exists():
        return False
    if not (target / MANIFEST).is_file():
        raise OutputError(target, "something else is there; move it away.")
    try:
        there = _read(target)
    except SourceError:
        return False
    return (there.shard, there.question, there.ending) == (shard, question, ending)


def merge_shards(
    shards: Sequence[str | PathLike[str]],
    path: str | PathLike[str],
    *,
    partitioned: bool = False,
) -> int:
    """Join shards into what one process would have written, byte for byte.

    Parameters
    ----------
    shards : sequence of str or path
        The folders of all shards, in any order.
    path : str or path
        Ends as the file that the shards were made for.
    partitioned : bool
        Write a folder of Parquet files.

    Returns
    -------
    int
        How many words there are.

    Raises
    ------
    SourceError
        If one is not a shard, is half written, or was changed since.
    OptionError
        If the shards do not belong together, or one is missing or given twice.
    OutputError
        If nothing can be written there.
    """
    target = Path(path)
    require_ending(target, partitioned=partitioned)
    read = sorted(map(_read, map(Path, shards)), key=lambda each: each.shard.number)
    _require_together(read)
    if read[0].ending != target.suffix:
        raise OptionError(
            f"{target.name} was given, and these are shards of a file that ends in "
            f"{read[0].ending}; name one that does."
        )
    question = read[0].question
    place(target, is_folder=partitioned)
    if partitioned:
        require_ours(target)
    with locked(target), writing(target):
        files = [file for each in read for file in each.files]
        write_joined(files, target, question.k, partitioned=partitioned)
    return question.count


def _require_together(read: Sequence[_Written]) -> None:
    """Refuse shards of different wholes, and a whole of which one is missing or there twice."""
    first = read[0]
    for other in read[1:]:
        if other.shard.of != first.shard.of:
            raise OptionError(
                f"{first.folder.name} is one of {first.shard.of} shards and {other.folder.name} "
                f"one of {other.shard.of}; give all shards of one division."
            )
        differ = list(first.question.differences(other.question))
        differ += ["the format"] if first.ending != other.ending else []
        if differ:
            raise OptionError(
                f"{first.folder.name} and {other.folder.name} do not belong together: "
                f"{', '.join(differ)} differ{'s' if len(differ) == 1 else ''}; make one of them "
                "again."
            )
    for one, other in pairwise(read):
        if one.shard == other.shard:
            raise OptionError(
                f"shard {one.shard} is given twice, as {one.folder} and {other.folder}; give it "
                "once."
            )
    there = {each.shard.number for each in read}
    missing = [number for number in range(1, first.shard.of + 1) if number not in there]
    if missing:
        named = ", ".join(str(Shard(number, first.shard.of)) for number in missing[:5])
        more = f" and {len(missing) - 5:,} more" if len(missing) > 5 else ""
        raise OptionError(
            f"{'shard' if len(missing) == 1 else 'shards'} {named}{more} "
            f"{'is' if len(missing) == 1 else 'are'} missing; run `driftkit shifts` with --shard "
            f"{missing[0]}/{first.shard.of}."
        )


def _read(folder: Path) -> _Written:
    """Read a shard, and check that its files are what was written."""
    if not folder.exists():
        raise SourceError(folder, "there is no such folder; name one that was written.")
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        schema = manifest["schema"]
    except (OSError, ValueError, RecursionError, TypeError, KeyError):
        raise SourceError(
            folder, "is no shard; give the folders that `driftkit shifts --shard` wrote."
        ) from None
    if schema != SCHEMA:
        raise SourceError(
            folder, f"was written by another version of driftkit ({shown(schema)}, not {SCHEMA})."
        )
    try:
        shard = Shard.parse(f"{manifest['shard']}/{manifest['of']}")
        question = Question.from_dict(manifest["question"])
        parts = [(Part(e["start"], e["stop"], folder / e["name"]), e) for e in manifest["parts"]]
        edges = [edge for part, _ in parts for edge in (part.start, part.stop)]
        is_sound = (
            (edges[0], edges[-1]) == shard.bounds(question.count)
            and edges[1:-1:2] == edges[2:-1:2]
            and all(NAME.fullmatch(each["name"]) for _, each in parts)
            and len({part.path.suffix for part, _ in parts}) == 1
        )
    except (LookupError, TypeError, AttributeError, OptionError):
        is_sound = False
    if not is_sound:
        raise SourceError(folder, f"has a damaged {MANIFEST}; make this shard again.")
    for part, each in parts:
        if not part.path.is_file() or part.sha256() != each["sha256"]:
            raise SourceError(
                folder,
                f"is half written, or was changed since ({part.path.name}); copy it or make it "
                "again.",
            )
    files = tuple(part.path for part, _ in parts)
    return _Written(folder, shard, question, files[0].suffix, files)
