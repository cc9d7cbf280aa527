"""Which rules are in force, and what is done about those that cannot be decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from driftkit.errors import OptionError, UnknownNameError
from driftkit.gate.profiles import DEFAULT, Action, get_profile
from driftkit.gate.rules import Rule, parse_rule

ACTIONS: tuple[Action, ...] = ("fail", "warn", "pass")


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

    profile: str | None
    rules: tuple[Rule, ...]
    inconclusive: Action
    not_measured: Action

    @property
    def words(self) -> list[str]:
        """Protected words, in the order of the rules."""
        return list(dict.fromkeys(word for rule in self.rules for word in rule.words))

    @property
    def benchmarks(self) -> list[str]:
        """Benchmarks named by rules, in their order."""
        return list(dict.fromkeys(name for rule in self.rules for name in rule.benchmarks))

    @property
    def measures(self) -> list[str]:
        """Measures of words and of the space named by rules, in their order."""
        return list(dict.fromkeys(name for rule in self.rules for name in rule.measures))

    @property
    def bands(self) -> list[str]:
        """Bands of ranks named by rules, in their order."""
        return list(dict.fromkeys(name for rule in self.rules for name in rule.bands))

    @property
    def needs_baseline(self) -> bool:
        """Whether a rule compares with a baseline."""
        return any(rule.bound.reference == "baseline" for rule in self.rules)


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
    if isinstance(rules, str):
        raise OptionError(f"rules={rules!r} is one string; give a list of rules: [{rules!r}].")
    base = get_profile(profile or DEFAULT)
    texts: Iterable[str] = rules or ()
    if profile is not None or not rules:
        texts = [*base.rules, *(base.baseline_rules if baseline else ()), *texts]
    policy = Policy(
        base.name if profile is not None or not rules else None,
        tuple(dict.fromkeys(map(parse_rule, texts))),
        _action("inconclusive", inconclusive) or base.inconclusive,
        _action("not measured", not_measured) or base.not_measured,
    )
    if policy.needs_baseline and not baseline:
        asking = next(rule for rule in policy.rules if rule.bound.reference == "baseline")
        raise OptionError(
            f"rule {asking.text!r} compares with a baseline and none was given; give --baseline "
            "FILE or --previous SOURCE (baseline=... in Python)."
        )
    if baseline and not policy.needs_baseline:
        raise OptionError(
            "a baseline was given and no rule compares with it; add a rule such as "
            "'change[*] >= baseline - margin', or name a profile, which has some."
        )
    return policy


def _action(what: str, given: str | None) -> Action | None:
    if given is None:
        return None
    for action in ACTIONS:
        if given == action:
            return action
    raise UnknownNameError(f"action for {what}", given, ACTIONS)
