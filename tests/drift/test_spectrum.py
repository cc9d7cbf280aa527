import numpy as np
import pytest

from driftkit.drift import spectrum

ALL = (
    spectrum.effective_rank, spectrum.stable_rank, spectrum.participation_ratio, spectrum.isoscore,
)  # fmt: skip


@pytest.mark.parametrize("measure", ALL)
def test_scale_does_not_matter_and_nothing_has_no_figure(measure):
    lam = np.random.default_rng(0).random(9)
    assert measure(lam) == pytest.approx(measure(1000 * lam))
    assert np.isnan(measure(np.zeros(9)))


@pytest.mark.parametrize("measure", ALL[:3])
def test_equal_directions_count_each(measure):
    assert measure(np.array([2.0] * 5 + [0.0] * 3)) == pytest.approx(5)


def test_isoscore_runs_from_a_line_to_a_ball():
    scores = [spectrum.isoscore(np.array([1.0] * k + [0.0] * (20 - k))) for k in range(1, 21)]
    assert scores == sorted(scores)
    assert (scores[0], scores[-1]) == (pytest.approx(0, abs=1e-9), pytest.approx(1))


def test_reference_figures_of_glove(glove):
    x = np.asarray(glove.matrix).astype(np.float64)
    mean = x.mean(axis=0)
    raw = x.T @ x
    centered = raw - len(x) * np.outer(mean, mean)
    for gram, expected in ((raw, (44.30, 7.215, 26.17)), (centered, (45.02, 18.459, 38.90))):
        lam = np.linalg.eigvalsh(gram)
        for measure, value in zip(ALL[:3], expected, strict=True):
            assert measure(lam) == pytest.approx(value, abs=6e-3)
    assert spectrum.isoscore(lam) == pytest.approx(0.7734, abs=5e-5)
