"""The page of DriftBench, from summary.json and what ReSi published."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from benchmarks.forgetting.tables import to_markdown
from benchmarks.predict.analysis import BASELINES
from benchmarks.predict.resi import PUBLISHED
from benchmarks.predict.summary import ALIKE, COMPARED, SETS, SUMMARY, needs_texts
from driftkit.atomic import replacing

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "driftbench.md"
TASKS = ("mr", "sst2", "trec")
SHOWN = 8
ALWAYS = (
    "overlap@10[moved]", "rsa[moved]", "distance_correlation[moved]", "rdm_drift[moved]",
    "cka[moved]", "procrustes_angle[moved]", "drift effective rank[moved]", "moved share",
    *BASELINES,
)  # fmt: skip
OF = {
    "classifier": "trained with the tuned table; against the one trained with the frozen table",
    ALIKE: "without the gradual recipe, which trains the classifier itself otherwise too",
    "retrieval": "sentences by the cosine of their mean vectors; ten nearest, before and after",
    "reader": "the classifier that was trained on the original vectors reads the tuned table",
    "mixed index": "as retrieval, but only the questions have new vectors",
}


def write_page(summary=SUMMARY, page=PAGE):
    with replacing(page) as partial:
        text = page_of(json.loads(summary.read_text(encoding="utf-8")), pd.read_csv(PUBLISHED))
        partial.write_text(text, encoding="utf-8")
    print(f"wrote {page}")


def page_of(summary, resi):
    return "\n\n".join(part.strip() for part in _parts(summary, resi)) + "\n"


def _parts(summary, resi):
    ranking, again = pd.DataFrame(summary["ranking"]), pd.DataFrame(summary["again"])
    yield from _head(summary)
    yield "## What follows"
    yield _follows(summary, ranking, again)
    yield "## Which measure tells what a consumer does"
    yield f"""
Spearman's correlation of each measure with the share of decisions that changed. *Within tasks* is
the mean of the three tasks, with its 95 % interval over settings (five a task, by the jackknife: a
bootstrap over so few leaves out what it is of); *recipes* and *settings* are means within each
recipe and within each setting. *Study* is the same within tasks on the tables
of the [forgetting study](forgetting-results.md), which were trained apart from these, by the same
recipes and seeds. The {SHOWN} strongest are shown, then those that others advise, and what knows no
table: rate and epochs.
*[moved]* is over moved rows, *[all]* over all, *[used]* weighs words as often as texts use them,
*text* is of mean vectors of texts; the texts are the sentences of dev, without labels, on which no
consumer is judged."""
    for view, of in OF.items():
        some = ranking[ranking["view"] == view]
        yield f"### {view[0].upper() + view[1:]}"
        yield of + "."
        yield to_markdown(_strongest(some, again[again["view"] == view]))
        yield _ties(some)
    yield "## The ceiling"
    yield """
*Seeds* is how well the outcomes of one seed tell those of another, of the same recipes and
settings. A measure that knew recipe and setting and nothing of the seed could reach its root at
most, by the attenuation formula; *simulated* is what the mean over seeds reaches for one more seed,
whose scatter is drawn from that of the setting. *Strongest* is the strongest of all measures; it
may pass the ceiling, since a table also knows its own seed."""
    yield to_markdown(_ceilings(summary, ranking))
    yield "## Judged on the task that was held out"
    counts = summary["counts"]
    yield f"""
On two tasks a measure is chosen, or a combination fitted; the third has no say and judges.
*Combined* is nonnegative least squares of the log odds of the outcome on the standing of each
measure among the tables of the two tasks (in brackets: how many measures have a weight); *boosted*
are monotone trees, as an upper bound. *Gain* is over the single measure chosen in the same way, and
*over tables* over that chosen without texts, with 95 % intervals over settings.
{counts["measures"]} measures stood for choice, {counts["texts"]} of which need texts, and two ways
to combine them; what is said above of PIP loss and of overlap was chosen on all three tasks, and
the study's tables are its test."""
    yield to_markdown(_held_out(summary))
    yield from _resi(resi)


def _head(summary):
    counts = summary["counts"]
    left = counts["planned"] - counts["tuned"]
    missing = f" ({left} of {counts['planned']} were not finished)" if left else ""
    yield "# DriftBench: which measure to watch"
    yield f"""
Written by `python -m benchmarks.predict page` from `benchmarks/predict/summary.json`, which
`python -m benchmarks.predict summary` makes of `results.csv` beside it.
`python -m benchmarks.predict` makes everything from nothing, in {counts["hours"]:.1f} processor
hours of training and a few minutes of measuring."""
    yield f"""
A drift measure is worth what it tells of those who use the table. {counts["tuned"]} tables were
tuned: three tasks, three classifiers and shares of the sentences ({counts["settings"]} settings),
eleven recipes, three seeds and a fourth of the cheapest setting, as in the
[forgetting study](should-one-fine-tune.md){missing}. Four consumers of each were set against the
same consumers of the original table, and every measure of driftkit, those that others propose and a
few more were asked how well they rank the tables by what the consumers do differently."""
    yield f"""
The tables are not those of the study, which were not kept. They were trained anew from the same
seeds and sentences with pinned kernels, and yet of {counts["compared"]} cells only {counts["same"]}
end with the study's accuracy; they lie {counts["apart"]:.3f} from it on average, and
{counts["bias"]:+.4f} with the sign. The study's cells were not pinned, and driftkit has since
come to draw the vectors of words without one in another way. So they are further runs of the same
recipes, and all measures were taken anew. The study's tables share tasks, recipes and seeds with
them: they show what another training changes, not what other tasks would."""


FOLLOWS = """
- **For a classifier trained with the table, PIP loss and the overlap of the moved rows tell most**:
  {pip} and {overlap} within tasks, a lead of {lead} with overlap among 2,500 candidates;
  {pip_again} and {overlap_again} on the study's tables, with 5,000, {lead_again}: a tie there, and
  {ties} measures tie for the first place. Over all rows PIP loss tells less ({pip_all}): rows that
  stayed dilute it. Intervals hold the eleven recipes fixed.
- **For retrieval, watch the overlap of moved words**: {overlap_retrieval} for an index made anew
  and {overlap_mixed} for a mixed one, where PIP loss reaches {pip_retrieval} and {pip_mixed}. With
  a few hundred unlabeled texts of the kind that is searched, their own mean vectors tell it nearly
  without error ({texts_retrieval}, {texts_mixed}): there the measure is the consumer itself, on
  other texts.
- **RSA does not lead here**, nor distance correlation, nor `rdm_drift`: {rsa}, {distance} and {rdm}
  for the classifier. The rank of the drift ({rank}) and the share of moved rows ({share}) tell next
  to nothing, less than the rate ({rate}), which knows no table.
- **On held-out tasks** a measure chosen on the other two reaches {held_classifier} for the
  classifier, {held_reader} for the reader, {held_retrieval} for retrieval and {held_mixed} for the
  mixed index, without texts. MR and SST-2 share sentences, so TREC is the harder judge:
  {trec_classifier}, {trec_reader}, {trec_retrieval} and {trec_mixed}.
- **Seed noise is not what keeps the classifier's below .9**: its ceiling is {root}. Part of the gap
  is one recipe: *gradual* also trains the classifier itself in another way, which no table shows.
  Without it {pip_alike} of {root_alike} ({held_alike} held out; {pip_alike_again} on the study's
  tables). This cut was made after the values were seen.
- **Within one recipe measures tell less**: {recipes} over settings, against {settings} over the
  recipes of a setting. Compare tables of one task and one model; what a value means for another
  does not carry over.
- **No combination is worth its weights**, so driftkit has no `predicted_disagreement`. For the
  classifier nonnegative weights gain {gain_tables} over the one measure chosen in the same way,
  with texts {gain_texts}; where all were trained alike, {gain_alike_tables} and {gain_alike_texts}.
  Trees, an upper bound, gain {gain_trees} with texts, and for the reader {gain_reader}.
- **Some of a disagreement is no drift**: a classifier trained on the *frozen* table from another
  seed labels {reseeded} of the sentences otherwise, and {reseeded_scarce} when it is trained on a
  hundredth of the sentences, which are then others.
"""


def _follows(summary, ranking, again):
    """Return what the figures come to, each read from the summary."""

    def size(view, measure=None, of=ranking, column="within tasks"):
        some = of[of["view"] == view]
        some = some[some["measure"] == measure] if measure else some
        return f"{abs(some.iloc[0][column]):.2f}"

    judged = {(row["view"], row["from"], row["way"]): row for row in summary["held out"]}
    leads = {(row["view"], row["study"]): _gain(row) for row in summary["leads"]}
    within = [row for row in summary["ceilings"] if row["over"] == "within tasks"]
    roots = {row["view"]: f"{row['root']:.2f}" for row in within}

    def held(view):
        return f"{judged[view, 'tables', 'single']['mean']:.2f}"

    def trec(view):
        return f"{judged[view, 'tables', 'single']['trec']:.2f}"

    def gain(view, which, way="combined"):
        return _gain(judged[view, which, way])

    pip, overlap = COMPARED
    apart = summary["counts"]["reseeded"]
    classifier, retrieval, mixed = "classifier", "retrieval", "mixed index"
    return FOLLOWS.format(
        pip=size(classifier, pip),
        overlap=size(classifier, overlap),
        lead=leads[classifier, False],
        pip_again=size(classifier, pip, again),
        overlap_again=size(classifier, overlap, again),
        lead_again=leads[classifier, True],
        ties=int(ranking[ranking["view"] == classifier]["ties"].sum()),
        pip_all=size(classifier, "pip_loss[all]"),
        overlap_retrieval=size(retrieval, overlap),
        overlap_mixed=size(mixed, overlap),
        pip_retrieval=size(retrieval, pip),
        pip_mixed=size(mixed, pip),
        texts_retrieval=size(retrieval, "text overlap@10"),
        texts_mixed=size(mixed, "text self_cosine"),
        rsa=size(classifier, "rsa[moved]"),
        distance=size(classifier, "distance_correlation[moved]"),
        rdm=size(classifier, "rdm_drift[moved]"),
        rank=size(classifier, "drift effective rank[moved]"),
        share=size(classifier, "moved share"),
        rate=size(classifier, "rate"),
        held_classifier=held(classifier),
        held_reader=held("reader"),
        held_retrieval=held(retrieval),
        held_mixed=held(mixed),
        trec_classifier=trec(classifier),
        trec_reader=trec("reader"),
        trec_retrieval=trec(retrieval),
        trec_mixed=trec(mixed),
        root=roots[classifier],
        pip_alike=size(ALIKE, pip),
        root_alike=roots[ALIKE],
        held_alike=held(ALIKE),
        pip_alike_again=size(ALIKE, pip, again),
        recipes=size(classifier, pip, column="within recipes"),
        settings=size(classifier, pip, column="within settings"),
        gain_tables=gain(classifier, "tables"),
        gain_texts=gain(classifier, "texts"),
        gain_alike_tables=gain(ALIKE, "tables"),
        gain_alike_texts=gain(ALIKE, "texts"),
        gain_trees=gain(classifier, "texts", "boosted"),
        gain_reader=gain("reader", "texts", "boosted"),
        reseeded=f"{apart['1.0']:.0%}",
        reseeded_scarce=f"{apart['0.01']:.0%}",
    )


def _strongest(some, again):
    """The strongest measures, and those always shown, with the same on the study's tables."""
    study = again.set_index("measure")["within tasks"]
    shown = pd.concat([some.head(SHOWN), some[some["measure"].isin(ALWAYS)]]).drop_duplicates(
        "measure"
    )
    return pd.DataFrame(
        [
            {
                "measure": row["measure"],
                "within tasks": (
                    f"{row['within tasks']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]"
                ),
                **{task: _rho(row[task]) for task in TASKS},
                "all": _rho(row["all"]),
                "recipes": _rho(row["within recipes"]),
                "settings": _rho(row["within settings"]),
            }
            | ({"study": _rho(study.get(row["measure"]))} if len(study) else {})
            for _, row in shown.iterrows()
        ]
    )


def _rho(value):
    return "" if pd.isna(value) else f"{value:+.2f}"


def _ties(some):
    tied = some[some["ties"]]
    tables = some[~some["measure"].map(needs_texts)].iloc[0]
    return (
        f"{len(tied)} of {len(some)} tie with the strongest, itself included: the 95 % interval of "
        f"the difference takes in 0. Without texts {tables['measure']} is strongest "
        f"({tables['within tasks']:+.2f})."
    )


def _ceilings(summary, ranking):
    first = ranking.groupby("view", sort=False)
    rows = []
    for row in summary["ceilings"]:
        values = first.get_group(row["view"])[row["over"]].abs()
        rows.append(
            {
                "consumer": row["view"], "over": row["over"],
                **{name: f"{row[name]:.2f}" for name in ("seeds", "root", "simulated")},
                "strongest": f"{values.max():.2f}",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _held_out(summary):
    return pd.DataFrame(
        [
            {
                "consumer": row["view"],
                "from": SETS[row["from"]],
                "way": row["way"],
                **{
                    task: f"{row[task]:.2f}" + (f" ({row['of'][task]})" if row["of"] else "")
                    for task in TASKS
                },
                "mean": f"{row['mean']:.2f}",
                "gain": "" if row["way"] == "single" else _gain(row),
                "over tables": _gain(row["over tables"]) if row["from"] == "texts" else "",
            }
            for row in summary["held out"]
        ]
    )


def _gain(row):
    return f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"


def _resi(resi):
    yield "## ReSi's figures"
    sets = [name for name in resi if name != "measure"]
    yield """
ReSi (Klabunde et al. 2025) asks the same of measures between language models: rank correlation with
how differently their classifiers label. Its repository (mklabunde/resi, commit 24ab9e5) prints the
correlations of each of four sets of models; their means are the published .773 for RSA, .766 for
distance correlation, .757 for CKA, .720 for Procrustes and .646 for Jaccard
(`python -m benchmarks.predict.resi`). What the correlations come from, the scores of single pairs
of models, is in a file that the repository does not hold, so they were not computed again. The
first three lie within .02 of each other, and the four sets up to .4: so few do not tell them
apart."""
    yield to_markdown(
        pd.DataFrame(
            [
                {
                    "measure": row["measure"],
                    "mean": f"{row[sets].mean():.3f}",
                    **{name: f"{row[name]:.3f}" for name in sets},
                }
                for _, row in resi.iterrows()
            ]
        )
    )
