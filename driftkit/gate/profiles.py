"""Named sets of rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from driftkit.errors import UnknownNameError

Action = Literal["fail", "warn", "pass"]


@dataclass(frozen=True, slots=True)
class Profile:
    """Rules that go together, and what is done about rules that cannot be decided.

    Parameters
    ----------
    name : str
    summary : str
        For whom it is, in one sentence.
    rules : tuple of str
        For every check.
    baseline_rules : tuple of str
        Added when a check is given a baseline.
    inconclusive, not_measured : {"fail", "warn", "pass"}
        What a rule of level *fail* leads to when it is inconclusive or not measured. A rule of
        level *warn* never does worse than warn.
    false_alarms : float
        Share of harmless retrains that may fail; the simulated year in ``benchmarks/validity``
        checks it.
    """

    name: str
    summary: str
    rules: tuple[str, ...]
    baseline_rules: tuple[str, ...]
    inconclusive: Action
    not_measured: Action
    false_alarms: float


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "strict",
            "other readers of the table must notice nothing, and that must be shown",
            (
                "moved >= 1",
                "removed == 0",
                "zero == 0",
                "saturated == 0",
                "change[*] = original",
                "self_cosine p05[moved] >= 0.9",
                "overlap mean[moved] >= 0.8",
                "overlap mean[unmoved] >= 0.98",
                "displaced == 0",
            ),
            (
                "change[*] = baseline",
                "coverage[*] >= baseline",
                "overlap mean[moved] >= baseline - 0.05",
                "overlap mean[unmoved] >= baseline - 0.02",
            ),
            inconclusive="fail",
            not_measured="fail",
            false_alarms=0.05,
        ),
        Profile(
            "default",
            "nothing that was known may be lost; side effects are told",
            (
                "moved >= 1",
                "removed <= 1%",
                "zero <= 1%",
                "saturated == 0",
                "change[*] >= -margin",
                "self_cosine p05[moved] >= 0.5",
                "overlap mean[moved] >= 0.3",
                "warn change[*] <= margin",
                "warn overlap mean[moved] >= 0.8",
                "warn displaced <= 1%",
            ),
            (
                "change[*] >= baseline - margin",
                "coverage[*] >= baseline - 1%",
                "overlap mean[moved] >= baseline - 0.1",
                "overlap mean[unmoved] >= baseline - 0.05",
                "warn moved <= baseline + 20%",
                "warn moved >= baseline - 20%",
            ),
            inconclusive="warn",
            not_measured="fail",
            false_alarms=0.05,
        ),
        Profile(
            "lenient",
            "only damage that nobody can want",
            (
                "moved >= 1",
                "removed <= 10%",
                "zero <= 10%",
                "saturated <= 1%",
                "change[*] >= -2 margin",
                "overlap mean[moved] >= 0.1",
                "warn self_cosine p05[moved] >= 0.5",
            ),
            (
                "change[*] >= baseline - 2 margin",
                "coverage[*] >= baseline - 10%",
                "overlap mean[moved] >= baseline - 0.2",
            ),
            inconclusive="warn",
            not_measured="fail",
            false_alarms=0.05,
        ),
    )
}

DEFAULT = "default"


def get_profile(name: str) -> Profile:
    """Return a profile by name.

    Raises
    ------
    UnknownNameError
        If there is none of that name.

    Examples
    --------
    >>> get_profile("strict").inconclusive
    'fail'
    """
    if name not in PROFILES:
        raise UnknownNameError("profile", name, PROFILES)
    return PROFILES[name]
