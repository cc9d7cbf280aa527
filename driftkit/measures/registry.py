"""Every measure, and names that round-trip.

The grammar is ``name``, ``name@k``, ``name(p=value)`` or ``name(p=value)@k``. The same string is
a measure's repr, a CLI argument, a JSON key, the subject of a rule and a heading in the docs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from driftkit.errors import OptionError, UnknownNameError
from driftkit.measures.measure import Measure

# Margins. Tuning GloVe 50d with care (frozen first, then a small rate; or L2-SP) moves SimLex and
# WS-353 by up to 0.006 and Google by up to 0.003; tuning it carelessly moves them by 0.07 or more
# and 0.16. The margins lie between, nearer to the harmless. The smaller benchmarks (categories,
# outliers, synonyms) take that of the correlations, and a bias what Cohen calls a small effect.
# Correlations need ten items: below, the percentile bootstrap has too few distinct resamples.
REGISTRY: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            "self_cosine", "word", -1, 1, True,
            "Cosine of a word's vectors before and after.",
            "Hamilton, Leskovec & Jurafsky 2016",
        ),
        Measure(
            "l2", "word", 0, float("inf"), False,
            "Euclidean distance between a word's vectors before and after.",
            "standard",
        ),
        Measure(
            "norm_ratio", "word", 0, float("inf"), True,
            "Norm after divided by norm before; 1 is unchanged.",
            "standard",
        ),
        Measure(
            "relative_l2", "word", 0, float("inf"), False,
            "Euclidean distance between a word's vectors, by the norm before.",
            "standard",
        ),
        Measure(
            "displacement", "word", 0, 2, False,
            "1 less the cosine of a word's vectors, after optional centering and a rotation fitted "
            "on so many of the first words.",
            "Hamilton, Leskovec & Jurafsky 2016", None, (("center", 0), ("anchors", 0)),
        ),
        Measure(
            "jaccard", "word", 0, 1, True,
            "Neighbors in both lists by neighbors in either.",
            "Boggust, Carter & Satyanarayan 2022", 10,
        ),
        Measure(
            "average_overlap", "word", 0, 1, True,
            "Mean over depths of the share of the first neighbors that agree.",
            "Wu & Crestani 2003", 10,
        ),
        Measure(
            "local_neighborhood", "word", 0, 2, False,
            "1 less the cosine of a word's cosines, before and after, to its neighbors of both.",
            "Hamilton, Leskovec & Jurafsky 2016b", 25,
        ),
        Measure(
            "mutual_change", "word", -1, 1, True,
            "Change of the share of a word's neighbors that have the word among theirs.",
            "standard", 10,
        ),
        Measure(
            "k_occurrence_change", "word", float("-inf"), float("inf"), True,
            "Change of the number of words that have this one among their neighbors.",
            "Radovanovic, Nanopoulos & Ivanovic 2010", 10,
        ),
        Measure(
            "overlap", "word", 0, 1, True,
            "Share of a word's k nearest neighbors that it keeps.",
            "Wendlandt, Kummerfeld & Mihalcea 2018", 10,
        ),
        Measure(
            "rbo", "word", 0, 1, True,
            "Rank-biased overlap, extrapolated, of the two neighbor lists.",
            "Webber, Moffat & Zobel 2010", 10, (("p", 0.9),),
        ),
        Measure(
            "cka", "space", 0, 1, True,
            "Linear centered kernel alignment of the two matrices.",
            "Kornblith et al. 2019",
        ),
        Measure(
            "procrustes", "space", 0, float("inf"), False,
            "Distance left after centering both and the best orthogonal map.",
            "Williams et al. 2021",
        ),
        Measure(
            "mean_cosine", "space", -1, 1, True,
            "Mean cosine over all pairs of distinct words: how much all vectors share a direction.",
            "Ethayarajh 2019",
        ),
        Measure(
            "debiased_cka", "space", -1, 1, True,
            "Linear CKA from unbiased estimates: 0 on average for unrelated tables.",
            "Nguyen, Raghu & Kornblith 2021",
        ),
        Measure(
            "procrustes_angle", "space", 0, 1.5707963267948966, False,
            "Angle in radians left after centering and the best orthogonal map and scale.",
            "Williams et al. 2021",
        ),
        Measure(
            "pip_loss", "space", 0, float("inf"), False,
            "Change of all inner products of words, relative to their size.",
            "Yin & Shen 2018",
        ),
        Measure(
            "rsa", "space", -1, 1, True,
            "Correlation, over all pairs of words, of their cosines before and after.",
            "Kriegeskorte, Mur & Bandettini 2008",
        ),
        Measure(
            "eigenspace_overlap", "space", 0, 1, True,
            "Share of the subspace one table spans that the other spans too.",
            "May et al. 2019",
        ),
        Measure(
            "eigenspace_instability", "space", 0, 1, False,
            "Disagreement of linear models on the two tables, weighted by their own spectra.",
            "Leszczynski et al. 2020",
        ),
        Measure(
            "effective_rank", "space", 1, float("inf"), True,
            "Exponential of the entropy of the singular values of centered rows.",
            "Roy & Vetterli 2007",
        ),
        Measure(
            "stable_rank", "space", 1, float("inf"), True,
            "Sum of the variances by the largest, of centered rows.",
            "Rudelson & Vershynin 2007",
        ),
        Measure(
            "participation_ratio", "space", 1, float("inf"), True,
            "Squared sum of the variances by the sum of their squares, of centered rows.",
            "Gao et al. 2017",
        ),
        Measure(
            "isoscore", "space", 0, 1, True,
            "How evenly the variance fills all dimensions.",
            "Rudman et al. 2022",
        ),
        Measure(
            "partition_isotropy", "space", 0, 1, True,
            "Least by largest partition function over the eigenvectors, both signs.",
            "Mu & Viswanath 2018; Arora et al. 2016",
        ),
        Measure(
            "hubness_skewness", "space", float("-inf"), float("inf"), False,
            "Skewness of how often words are among the k nearest of others.",
            "Radovanovic, Nanopoulos & Ivanovic 2010", 10,
        ),
        Measure(
            "largest_hub", "space", 0, float("inf"), False,
            "Most often that one word is among the k nearest of others.",
            "Radovanovic, Nanopoulos & Ivanovic 2010", 10,
        ),
        Measure(
            "antihub_share", "space", 0, 1, False,
            "Share of words that are among the k nearest of no other.",
            "Radovanovic, Nanopoulos & Ivanovic 2010", 10,
        ),
        Measure(
            "spearman", "similarity", -1, 1, True,
            "Rank correlation, with average ranks, of cosines and human scores.",
            "Spearman 1904; scipy.stats.spearmanr", margin=0.02, fewest_items=10,
        ),
        Measure(
            "pearson", "similarity", -1, 1, True,
            "Linear correlation of cosines and human scores.",
            "scipy.stats.pearsonr", margin=0.02, fewest_items=10,
        ),
        Measure(
            "3cosadd", "analogy", 0, 1, True,
            "Share of analogies a:b = c:d whose d is among the k words nearest to b - a + c.",
            "Mikolov, Yih & Zweig 2013; Levy & Goldberg 2014", 1, margin=0.01,
        ),
        Measure(
            "kendall", "similarity", -1, 1, True,
            "Kendall's tau-b of cosines and human scores.",
            "Kendall 1945; scipy.stats.kendalltau",
        ),
        Measure(
            "3cosmul", "analogy", 0, 1, True,
            "Share of analogies whose d is among the k best products of cosines.",
            "Levy & Goldberg 2014", 1, margin=0.01,
        ),
        Measure(
            "pairdirection", "analogy", 0, 1, True,
            "Share of analogies whose d is among the k with d - c most parallel to b - a.",
            "Mikolov, Yih & Zweig 2013; Levy & Goldberg 2014", 1, margin=0.01,
        ),
        Measure(
            "3cosavg", "analogy", 0, 1, True,
            "Share of pairs whose b is among the k words nearest to a plus the mean offset of the "
            "other pairs.",
            "Drozd, Gladkova & Matsuoka 2016", 1, margin=0.02,
        ),
        Measure(
            "lrcos", "analogy", 0, 1, True,
            "Share of pairs whose b is among the k best by cosine to a times the probability of "
            "the target class.",
            "Drozd, Gladkova & Matsuoka 2016", 1, margin=0.02,
        ),
        Measure(
            "purity", "categorization", 0, 1, True,
            "Share of words that are of the commonest category of their cluster.",
            "Zhao & Karypis 2001", margin=0.02,
        ),
        Measure(
            "adjusted_rand", "categorization", -0.5, 1, True,
            "Pairs of words on which clusters and categories agree, adjusted for chance.",
            "Hubert & Arabie 1985",
        ),
        Measure(
            "v_measure", "categorization", 0, 1, True,
            "Harmonic mean of the homogeneity and the completeness of the clusters.",
            "Rosenberg & Hirschberg 2007",
        ),
        Measure(
            "opp", "outliers", 0, 1, True,
            "Outlier position percentage: how near the outlier came to being the odd one out.",
            "Camacho-Collados & Navigli 2016", margin=0.02,
        ),
        Measure(
            "outlier_accuracy", "outliers", 0, 1, True,
            "Share of sets whose outlier is the odd one out.",
            "Camacho-Collados & Navigli 2016", margin=0.02,
        ),
        Measure(
            "synonym_choice", "synonyms", 0, 1, True,
            "Share of questions whose synonym is the option with the largest cosine.",
            "Landauer & Dumais 1997", margin=0.02,
        ),
        Measure(
            "weat", "bias", -2, 2, False,
            "Effect size of the association of two sets of words with two sets of attributes.",
            "Caliskan, Bryson & Narayanan 2017", margin=0.2, fewest_items=6,
        ),
    )
}  # fmt: skip

_ACCEPTED: dict[str, tuple[Callable[[float], bool], str]] = {
    "p": (lambda value: 0 < value < 1, "between 0 and 1"),
    "center": (lambda value: value in (0, 1), "0 or 1"),
    "anchors": (
        lambda value: value >= 0 and value.is_integer(),
        "a number of words, or 0 for none",
    ),
}
"""What each parameter may be."""

_NAME = re.compile(r"(?P<name>[\w-]+)(?:\((?P<inside>[^()]*)\))?(?:@(?P<k>\d+))?")


def parse_measure(text: str) -> Measure:
    """Read a measure's name.

    Parameters
    ----------
    text : str
        Such as ``"overlap@10"``; parameters left out take their defaults.

    Returns
    -------
    Measure

    Raises
    ------
    UnknownNameError
        If no measure or parameter has that name.
    OptionError
        If the text does not follow the grammar, or a depth or value is not usable.

    Examples
    --------
    >>> parse_measure("rbo")
    rbo(p=0.9)@10
    >>> all(parse_measure(str(measure)) == measure for measure in REGISTRY.values())
    True
    """
    match = _NAME.fullmatch(text.strip())
    if not match:
        raise OptionError(
            f"{text!r} is not a measure's name; write name, name@k or name(p=value)@k, "
            "such as overlap@10 or rbo(p=0.9)@10."
        )
    if match["name"] not in REGISTRY:
        raise UnknownNameError("measure", match["name"], REGISTRY)
    measure = REGISTRY[match["name"]]
    if match["inside"]:
        measure = _with_parameters(measure, match["inside"])
    return measure.at(int(match["k"])) if match["k"] else measure


def _with_parameters(measure: Measure, inside: str) -> Measure:
    values = dict(measure.parameters)
    for assignment in inside.split(","):
        key, _, value = (part.strip() for part in assignment.partition("="))
        if key not in values:
            raise UnknownNameError(f"parameter of {measure.name}", key, values)
        try:
            values[key] = float(value)
        except ValueError:
            raise OptionError(f"{measure.name}({assignment}): {value!r} is not a number.") from None
        usable, accepted = _ACCEPTED[key]
        if not usable(values[key]):
            raise OptionError(f"{measure.name}({assignment}): {key} must be {accepted}.")
    return replace(measure, parameters=tuple(values.items()))
