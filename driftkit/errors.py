"""Every error driftkit raises on purpose.

::

    DriftkitError                  catch this one to catch them all
    ├── InputError                 something the caller gave cannot be used
    │   ├── SourceError            a file or table: missing, empty, broken, ambiguous
    │   │   ├── UnsafePickleError  reading it would run code
    │   │   └── VocabularyError    the words do not fit the rows
    │   ├── AlignmentError         two tables that cannot be compared
    │   ├── BenchmarkError         a benchmark that cannot be found or parsed
    │   ├── UnknownNameError       a word, measure or name nobody knows
    │   ├── RuleError              a rule of the gate that cannot be read or applied
    │   ├── BaselineError          a baseline that is missing, foreign or outdated
    │   ├── PluginError            a plugin that is missing or fails when it is imported
    │   └── OptionError            an option outside its range
    │       └── OutputError        a place that cannot be written to
    └── MissingExtraError          an optional package is not installed

A message is one sentence or two: what was given, what is accepted, what to do next.
The parts are kept as attributes too, so a program can act on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from driftkit.escaping import harmless, looks, printable, spelled_out


class DriftkitError(Exception):
    """The root of every error driftkit raises on purpose."""

    def __str__(self) -> str:
        # Tracebacks and logs show what a file or an option held, and nothing there may obey it.
        return harmless(printable(super().__str__()))


class InputError(DriftkitError):
    """Something the caller gave cannot be used."""


class SourceError(InputError):
    """A source that cannot be read: missing, empty, broken or ambiguous; `source` is its name."""

    def __init__(self, source: object, message: str) -> None:
        self.source = str(source)
        super().__init__(f"{self.source}: {message}")


class UnsafePickleError(SourceError):
    """Reading this source means unpickling it, which can run any code it carries."""


class VocabularyError(SourceError):
    """The words found for a table do not fit its rows."""


class AlignmentError(InputError):
    """Two tables, or some of their rows, that cannot be compared: no shared word, or widths."""


class BenchmarkError(InputError):
    """A benchmark that cannot be found, or a benchmark file that cannot be parsed."""


class RuleError(InputError):
    """A rule, kept as written in `rule`, that cannot be read or applied to what was measured."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        shown = rule if len(rule) <= 200 else f"{rule[:197]}..."
        super().__init__(f"rule {shown!r}: {message}")


class BaselineError(InputError):
    """A baseline that cannot be compared with; `baseline` is its file, or what stands in for it."""

    def __init__(self, baseline: object, message: str) -> None:
        self.baseline = str(baseline)
        super().__init__(f"baseline {self.baseline} {message}")


class PluginError(InputError):
    """A plugin that cannot be imported; `plugin` is the module or file."""

    def __init__(self, plugin: str, message: str) -> None:
        self.plugin = plugin
        super().__init__(f"plugin {plugin!r}: {message}")


class OptionError(InputError):
    """An option outside the range it accepts."""


class OutputError(OptionError):
    """A place that cannot be written to: a folder, full, read-only; `path` is the place."""

    def __init__(self, path: object, message: str) -> None:
        self.path, self.why = str(path), message
        super().__init__(f"cannot write {self.path}: {message}")


class UnknownNameError(InputError):
    """A word, measure, benchmark or other `name` that is not known as a `kind` of thing.

    The known name nearest to it, or None, is kept in `nearest` and suggested; a hint, a full
    sentence, says what to do next.

    Examples
    --------
    >>> str(UnknownNameError("measure", "overlp", ["overlap", "rbo"]))
    "unknown measure 'overlp': did you mean 'overlap'? Known: overlap, rbo."
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        names = list(known)
        alike = _look_alike(name, names)
        close = [alike] if alike else get_close_matches(str(name), names, n=1)
        self.kind, self.name = kind, name
        self.nearest = close[0] if close else None
        guess = f"did you mean {_short(self.nearest)!r}?" if self.nearest else ""
        if alike:
            one, other = map(spelled_out, (name, alike))
            guess = f"it is written '{one}', and what is known is written '{other}'."
        listed = f"Known: {', '.join(map(_short, names))}." if 0 < len(names) <= 40 else ""
        said = " ".join(part for part in (guess, listed, hint) if part)
        super().__init__(f"unknown {kind} {_short(name)!r}" + (f": {said}" if said else "."))


def _look_alike(name: str, known: Iterable[str]) -> str | None:
    """Return a known name that looks the same, its letters composed in another way."""
    if not isinstance(name, str) or name.isascii():
        return None
    look = looks(name)
    return next((each for each in known if isinstance(each, str) and looks(each) == look), None)


def _short(name: str, longest: int = 60) -> str:
    """Return a name as messages have it; one may be a whole text, or no string."""
    return f"{name[: longest - 3]}..." if isinstance(name, str) and len(name) > longest else name


class MissingExtraError(DriftkitError):
    """An optional package is needed and absent; the message ends in the install command.

    Examples
    --------
    >>> print(MissingExtraError("reading parquet", "pyarrow", "demo"))
    reading parquet needs pyarrow, which is not installed: pip install 'driftkit[demo]'
    """

    def __init__(self, what: str, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(
            f"{what} needs {package}, which is not installed: pip install 'driftkit[{extra}]'"
        )
