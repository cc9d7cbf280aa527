"""The page of DriftBench, from summary.json and what ReSi published."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from benchmarks.forgetting.tables import to_markdown
from benchmarks.predict.analysis import BASELINES, DRAWS
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
    yield from _follows(summary, ranking, again)
    yield "## Which measure tells what a consumer does"
    yield f"""
Spearman's correlation of each measure with the share of decisions that changed. *Within tasks* is
the mean of the three tasks, with its 95 % interval over settings ({DRAWS:,} draws of the five
settings of each task, few for an interval: take it as the least there is); *recipes* and *settings*
are means within each recipe and within each setting. *Study* is the same within tasks on the tables
of the [forgetting study](forgetting-results.md), which were trained apart from these. The {SHOWN}
strongest are shown, then those that others advise, and what knows no table: rate and epochs.
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
*Seeds* is how well the outcomes of one seed tell those of another, of the same recipes and settings.
A measure that knew recipe and setting and nothing of the seed could reach its root at most, by the
attenuation formula; *simulated* is what the mean over seeds reaches for one more seed, whose scatter
is drawn from that of the setting. *Strongest* is the strongest of all measures; it may pass the
ceiling, since a table also knows its own seed."""
    yield to_markdown(_ceilings(summary, ranking))
    yield "## Judged on the task that was held out"
    yield f"""
On two tasks a measure is chosen, or a combination fitted; the third has no say and judges.
*Combined* is nonnegative least squares of the log odds of the outcome on the standing of each
measure among the tables of the two tasks (in brackets: how many measures have a weight); *boosted*
are monotone trees, as an upper bound. *Gain* is over the single measure chosen in the same way, and
*over tables* over that chosen without texts, with 95 % intervals over settings.
{summary["counts"]["measures"]} measures stood for choice, {summary["counts"]["texts"]} of which need
texts, and two ways to combine them."""
    yield to_markdown(_held_out(summary))
    yield from _resi(resi)


def _head(summary):
    counts = summary["counts"]
    yield "# DriftBench: which measure to watch"
    yield f"""
Written by `python -m benchmarks.predict page` from `benchmarks/predict/summary.json`, which
`python -m benchmarks.predict summary` makes of `results.csv` beside it. `python -m benchmarks.predict`
makes everything from nothing: {counts["hours"]:.1f} processor hours of training, and half an hour
for the rest."""
    yield f"""
A drift measure is worth what it tells of those who use the table. {counts["tuned"]} tables were
tuned: three tasks, three classifiers and shares of the sentences ({counts["settings"]} settings),
eleven recipes, three seeds (four of the cheapest setting), as in the
[forgetting study](should-one-fine-tune.md). Four consumers of each were set against the same
consumers of the original table, and every measure of driftkit, those that others propose and a few
more were asked how well they rank the tables by what the consumers do differently."""
    yield f"""
The tables are not those of the study, which were not kept: they were trained anew with pinned
kernels. Of {counts["compared"]} cells {counts["same"]} end with the study's accuracy, the others
{counts["apart"]:.3f} away on average, {counts["bias"]:+.4f} with the sign: they are further runs of the
same recipes rather than the same ones, and so all measures were taken anew. That makes the study a
second sample, trained apart."""


def _follows(summary, ranking, again):
    def top(view, measure=None, of=ranking):
        some = of[of["view"] == view]
        some = some[some["measure"] == measure] if measure else some
        return some.iloc[0]

    def mean(view, which="tables", way="single"):
        return next(
            row for row in summary["held out"]
            if (row["view"], row["from"], row["way"]) == (view, which, way)
        )  # fmt: skip

    def lead(view, study=False):
        row = next(r for r in summary["leads"] if r["view"] == view and r["study"] == study)
        return f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"

    pip, overlap = COMPARED
    roots = {
        row["view"]: row["root"] for row in summary["ceilings"] if row["over"] == "within tasks"
    }
    apart = summary["counts"]["reseeded"]
    yield f"""
- **For a classifier trained with the table, watch PIP loss of the moved rows**, then their overlap:
  {_size(top("classifier", pip))} and {_size(top("classifier", overlap))} within tasks, a lead of
  {lead("classifier")}; {_size(top("classifier", pip, again))} and
  {_size(top("classifier", overlap, again))} on the study's tables, {lead("classifier", True)}. Over
  all rows PIP loss tells less ({_size(top("classifier", "pip_loss[all]"))}): the unmoved dilute it.
- **For retrieval, watch the overlap of moved words**: {_size(top("retrieval", overlap))} for an index
  made anew and {_size(top("mixed index", overlap))} for a mixed one; PIP loss reaches
  {_size(top("retrieval", pip))} and {_size(top("mixed index", pip))}. With a few hundred unlabeled texts of
  the kind that is searched, their own mean vectors tell it nearly without error
  ({_size(top("retrieval"))}, {_size(top("mixed index"))}): there the measure is the consumer itself, on
  other texts.
- **RSA does not lead here**, nor distance correlation, nor `rdm_drift`: {_size(top("classifier", "rsa[moved]"))},
  {_size(top("classifier", "distance_correlation[moved]"))} and {_size(top("classifier", "rdm_drift[moved]"))} for the
  classifier. Nor does the rank of the drift ({_size(top("classifier", "drift effective rank[moved]"))}), the share of
  moved rows ({_size(top("classifier", "moved share"))}), or the rate ({_size(top("classifier", "rate"))}), which knows no table.
- **On held-out tasks** a measure chosen on the other two reaches {mean("classifier")["combined"]:.2f} for the
  classifier, {mean("reader")["combined"]:.2f} for the reader, {mean("retrieval")["combined"]:.2f} for retrieval and
  {mean("mixed index")["combined"]:.2f} for the mixed index, without texts.
- **Seed noise is not what keeps the classifier's from .9**: its ceiling is {roots["classifier"]:.2f}. Half of
  the gap is one recipe: *gradual* also trains the classifier itself in another way, which no table
  shows. Without it {_size(top(ALIKE, pip))} of {roots[ALIKE]:.2f} ({mean(ALIKE)["combined"]:.2f} held out;
  {_size(top(ALIKE, pip, again))} on the study's tables). This cut was made after the values were seen.
- **Within one recipe measures tell less**: {abs(top("classifier", pip)["within recipes"]):.2f} over settings, against
  {abs(top("classifier", pip)["within settings"]):.2f} over recipes within a setting. Compare tables of one task and
  one model; a value from another does not carry over.
- **No combination is worth its weights**, so driftkit has no `predicted_disagreement`: the gains
  below are within noise, or only over a worse choice.
- A classifier trained on the *frozen* table from another seed labels {apart["1.0"]:.0%} of the sentences
  otherwise ({apart["0.01"]:.0%} with a hundredth of the sentences, which are then others): part of a
  disagreement is no drift at all."""


def _size(row):
    return f"{abs(row['within tasks']):.2f}"


def _strongest(some, again):
    study = again.set_index("measure")["within tasks"]
    shown = pd.concat([some.head(SHOWN), some[some["measure"].isin(ALWAYS)]]).drop_duplicates(
        "measure"
    )
    return pd.DataFrame(
        [
            {
                "measure": row["measure"],
                "within tasks": f"{row['within tasks']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]",
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
        f"{len(tied)} of {len(some)} tie with the strongest, itself included: the 95 % interval of the "
        f"difference takes in 0. Without texts {tables['measure']} is strongest "
        f"({tables['within tasks']:+.2f})."
    )


def _ceilings(summary, ranking):
    first = ranking.groupby("view", sort=False)
    columns = {
        "all": "all", "within tasks": "within tasks", "within settings": "within settings"
    }  # fmt: skip
    rows = []
    for row in summary["ceilings"]:
        values = first.get_group(row["view"])[columns[row["over"]]].abs()
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
                "mean": f"{row['combined']:.2f}",
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
(`python -m benchmarks.predict.resi`). The scores of single pairs, which these come from, are in a file
of results that is not in the repository; they were not computed again. The means of the first three
lie within .02, where one set of models is .3 from the next: four sets do not tell them apart."""
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
