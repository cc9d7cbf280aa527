"""Whether the values of a rule have been creeping, looked at after every run.

Each run may pass against the few before it while all of them fall. The question is asked again
after every run, so its answer has to hold however often it is asked. With a fixed interval it would
not: of 52 looks at 95 % many would find a fall where there is none.

Under the null the values are draws of one normal distribution, of whatever mean m and deviation s,
in any order of runs. Under the alternative j they fall from run j on, by ``s theta`` a run:

    x_i = m - s theta max(i - j, 0) + s e_i,    theta > 0,    j = 0, 1, 2, ...

The evidence is the ratio of the probabilities of what was seen, with the right Haar prior on m and
s in both (so that neither the unit nor the origin of the values matters), a half-normal prior of
width `WIDTH` on theta, and the weights 1 / ((j + 1) (j + 2)) on j, which add up to 1. Such a ratio
is a test martingale: under the null its expectation is 1 after every run, and it ever reaches 1 / a
in at most a share a of all series (Ville's inequality). With y and w the values and
max(i - j, 0) less their means, A = y.y, B = -y.w, W = w.w, and A' = A - B^2 / (W + 1 / WIDTH^2),

    e_j = 2 T(B sqrt((n - 1) / (A' (W + 1 / WIDTH^2)))) (1 + WIDTH^2 W)^(-1/2) (A / A')^((n - 1)/2)

where T is the distribution function of Student's t with n - 1 degrees of freedom.

References
----------
Ville 1939, "Etude critique de la notion de collectif". Perez-Ortiz, Lardy, de Heide and Grunwald
2024, "E-statistics, group invariance and anytime-valid testing", Annals of Statistics 52: the ratio
with right Haar priors is the best such martingale that no unit or origin changes. Ramdas, Grunwald,
Vovk and Shafer 2023, "Game-theoretic statistics and safe anytime-valid inference".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from driftkit.arrays import Values
from driftkit.evaluators.significance import LEVEL

WIDTH = 0.5
"""Of the prior on a run's fall, in standard deviations of the runs. What has to be seen in time, a
tenth of a margin where a run's deviation is a third of it, is .3."""

MOST = 700.0
"""Of the logarithm of the evidence, where float64 ends."""


@dataclass(frozen=True, slots=True)
class Creeping:
    """What the values of some runs say about a steady fall, made by `creeping`.

    Parameters
    ----------
    evidence : float
        After the newest run. Without a fall it ever reaches 1 / a in a share a of all series at
        most. It fades within a few runs where values come back, and stays where they stay low.
    since : int
        Place of the last run before the fall, as far as it can be told.
    per_run : float
        The change of a run since then, by least squares, in the unit of the values.
    total : float
        The same of all runs since then.
    runs : int
        How many come after that one.
    """

    evidence: float
    since: int
    per_run: float
    total: float
    runs: int

    def is_shown(self, of: int = 1) -> bool:
        """Whether the fall is no chance, where `of` rules are asked about and share the risk."""
        return self.evidence >= of / (1 - LEVEL)


def creeping(values: Sequence[float], *, falls: bool = True, step: float = 0.0) -> Creeping:
    """Ask whether values have been falling, or rising, run by run.

    Parameters
    ----------
    values : sequence of float
        One of each run, the oldest first; NaN where it was not measured, which is left out.
    falls : bool
        Whether to look for a fall; otherwise for a rise.
    step : float
        The step to which values are known. Values scatter by half of it at the least, so that runs
        that are equal, and then differ by a hair, are not taken for a fall.

    Returns
    -------
    Creeping

    Examples
    --------
    >>> weekly = [0.70, 0.71, 0.70, 0.69, 0.69, 0.68, 0.68, 0.67, 0.66, 0.66, 0.65, 0.64]
    >>> found = creeping(weekly)
    >>> found.is_shown(), found.since, round(found.total, 2)
    (True, 1, -0.06)
    >>> creeping(weekly, falls=False).is_shown()
    False
    """
    places = [i for i, value in enumerate(values) if not math.isnan(value)]
    x = np.array([values[i] for i in places])
    if not places:
        return Creeping(1.0, 0, 0.0, 0.0, 0)
    n, each = len(x), _evidence(x, step, falls=falls)
    j = int(each.argmax())
    ramp = np.maximum(np.arange(n) - j, 0.0)
    ramp_centered = ramp - ramp.mean()
    spread = float(ramp_centered @ ramp_centered)
    per_run = float(ramp_centered @ x) / spread if spread else 0.0
    return Creeping(
        evidence=float(each.sum()) + 1 / (n + 1),  # what falls from a later run on has had no say
        since=places[j],
        per_run=per_run,
        total=per_run * float(ramp[-1]),
        runs=n - 1 - j,
    )


def _evidence(x: Values, step: float, *, falls: bool) -> Values:
    """Return the evidence for a fall from each run on, by its weight, (n,).

    What is later than the last run has had no say yet: its evidence is 1.
    """
    n = len(x)
    starts = np.arange(n)
    weights = 1 / ((starts + 1.0) * (starts + 2.0))
    ramps = np.maximum(np.arange(n)[None, :] - starts[:, None], 0.0)
    ramps -= ramps.mean(axis=1, keepdims=True)
    y = (x - x.mean()) * (-1 if falls else 1)
    least = (n - 1) * (step / 2) ** 2
    a, b, w = float(y @ y) + least, ramps @ y, np.square(ramps).sum(axis=1)
    if n < 2 or a == 0:
        return weights
    narrow = w + WIDTH**-2
    rest = a - np.square(b) / narrow
    t = b * np.sqrt((n - 1) / (rest * narrow))
    log = (n - 1) / 2 * np.log(a / rest) - np.log1p(WIDTH**2 * w) / 2
    return np.asarray(weights * 2 * stdtr(n - 1, t) * np.exp(np.minimum(log, MOST)))
