"""Which rules are in force, and what is done about those that cannot be decided."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from driftkit.arguments import strings
from driftkit.errors import OptionError, UnknownNameError
from driftkit.gate.rules import Rule, parse_rule
from driftkit.gate.subjects import BAND, EVERY, Kind

Action = Literal["fail", "warn", "pass"]
ACTIONS: tuple[Action, ...] = ("fail", "warn", "pass")

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Profile:
    """Rules that go together, and what one of level *fail* leads to when it cannot be decided.

    `baseline_rules` are added when a check is given a baseline.
    """

    summary: str
    rules: list[str]
    baseline_rules: list[str]
    inconclusive: Action
    not_measured: Action = "fail"


PROFILES: dict[str, Profile] = {
    name: Profile(**row)
    for name, row in tomllib.loads(
        files("driftkit.gate").joinpath("profiles.toml").read_text(encoding="utf-8")
    ).items()
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force.

    Parameters
    ----------
    profile : str or None
        Name of the profile, if one is used.
    rules : tuple of Rule
    inconclusive, not_measured : {"fail", "warn", "pass"}
        What undecided rules lead to.
    """

    profile: str | None = None
    rules: tuple[Rule, ...] = ()
    inconclusive: Action = "warn"
    not_measured: Action = "fail"

    @property
    def words(self) -> list[str]:
        """Words that rules protect, in the order of the rules."""
        return self._named("on", "word")

    @property
    def benchmarks(self) -> list[str]:
        """Benchmarks named by rules, in their order."""
        return [name for name in self._named("on", "benchmark") if name != EVERY]

    @property
    def measures(self) -> list[str]:
        """Measures of words and of the space named by rules, in their order."""
        return self._named("measure", "group", "word")

    @property
    def bands(self) -> list[str]:
        """Bands of ranks named by rules, such as ``rank 1-1000``, in their order."""
        return [name for name in self._named("on", "group") if name.startswith(BAND)]

    def is_of_profile(self, rule: Rule) -> bool:
        """Whether a rule comes with the profile, and nobody wrote it."""
        base = None if self.profile is None else PROFILES[self.profile]
        return base is not None and rule.text in (*base.rules, *base.baseline_rules)

    def _named(self, part: str, *kinds: Kind) -> list[str]:
        subjects = (each for rule in self.rules for each in rule.subjects)
        return list(dict.fromkeys(getattr(each, part) for each in subjects if each.kind in kinds))


def make_policy(
    rules: Sequence[str] | None = None,
    *,
    profile: str | None = None,
    baseline: bool = False,
    inconclusive: str | None = None,
    not_measured: str | None = None,
) -> Policy:
    """Put the rules in force together.

    Rules given replace the default profile; a profile that is named keeps its own rules, and those
    given are added.

    Parameters
    ----------
    rules : sequence of str, optional
    profile : str, optional
        ``"strict"``, ``"default"`` or ``"lenient"``.
    baseline : bool
        Whether there is a baseline to compare with.
    inconclusive, not_measured : {"fail", "warn", "pass"}, optional
        Instead of what the profile says.

    Raises
    ------
    RuleError
        If a rule cannot be read.
    UnknownNameError
        If a profile or an action is unknown.
    OptionError
        If a rule needs a baseline and there is none, or there is one and no rule uses it.

    Examples
    --------
    >>> make_policy(["moved <= 10%", "warn lost == 0"]).inconclusive
    'warn'
    """
    rules = None if rules is None else strings("rules", rules, "rules")
    name = profile if profile is not None or rules else DEFAULT
    if name is not None and name not in PROFILES:
        raise UnknownNameError("profile", name, PROFILES)
    base = PROFILES[name or DEFAULT]
    texts: Iterable[str] = rules or ()
    if name is not None:
        texts = [*base.rules, *(base.baseline_rules if baseline else ()), *texts]
    policy = Policy(
        name,
        tuple(dict.fromkeys(map(parse_rule, texts))),
        _action("inconclusive", inconclusive, base.inconclusive),
        _action("not measured", not_measured, base.not_measured),
    )
    asking = [rule for rule in policy.rules if rule.bound.reference == "baseline"]
    if asking and not baseline:
        raise OptionError(
            f"rule {asking[0].text!r} compares with a baseline and none was given; give --baseline "
            "FILE or --previous SOURCE (baseline=... in Python)."
        )
    if baseline and not asking:
        raise OptionError(
            "a baseline was given and no rule compares with it; add a rule such as "
            "'change[*] >= baseline - margin', or name a profile, which has some."
        )
    return policy


def _action(what: str, given: str | None, default: Action) -> Action:
    if given is not None and given not in ACTIONS:
        raise UnknownNameError(f"action for {what}", given, ACTIONS)
    return default if given is None else given
