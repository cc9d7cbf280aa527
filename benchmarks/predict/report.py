"""The page of DriftBench, from summary.json and what ReSi published."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from benchmarks.forgetting.tables import to_markdown
from benchmarks.predict.analysis import BASELINES, DRAWS
from benchmarks.predict.consumers import CONSUMERS
from benchmarks.predict.resi import PUBLISHED
from benchmarks.predict.summary import SETS, SUMMARY, needs_texts
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
    ranking = pd.DataFrame(summary["ranking"])
    yield from _head(summary, ranking)
    yield "## Which measure tells what a consumer does"
    yield f"""
Spearman's correlation of each measure with the share of decisions that changed. *Within tasks* is
the mean of the three tasks, with its 95 % interval over settings ({DRAWS:,} draws of settings within
their tasks); *recipes* and *settings* are means within each recipe and within each setting. The
{SHOWN} strongest, then those that others advise and what knows no table: rate and epochs. *[moved]* is
over moved rows, *[all]* over all, *[used]* weighs words as often as texts use them, *text* is
of mean vectors of texts."""
    for consumer in CONSUMERS:
        some = ranking[ranking["consumer"] == consumer]
        yield f"### {consumer.capitalize()}: {OF[consumer]}"
        yield to_markdown(_strongest(some))
        yield _ties(some)
    yield "## The ceiling"
    yield """
*Seeds* is how well the outcomes of one seed tell those of another, of the same recipes and settings.
A measure that knew recipe and setting and nothing of the seed could reach its root at most, by the
attenuation formula; *simulated* is what the mean over seeds reaches for one more seed. *Strongest*
is the strongest of all measures, which may pass the ceiling: a table also knows its own seed."""
    yield to_markdown(_ceilings(summary, ranking))
    yield "## Judged on the task that was held out"
    yield f"""
On two tasks a measure is chosen, or a combination fitted; the third has no say and judges. The
combination is nonnegative least squares of the log odds on the standing of each measure among the
tables of the two tasks; *boosted* are monotone trees, as an upper bound. *Gain* is over the single
measure chosen in the same way, with its 95 % interval over settings. {summary["counts"]["measures"]}
measures stood for choice, {summary["counts"]["texts"]} of which need texts."""
    yield to_markdown(_held_out(summary))
    yield from _resi(resi)


def _head(summary, ranking):
    yield "# DriftBench"
    yield str(summary["counts"])


def _strongest(some):
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
            for _, row in shown.iterrows()
        ]
    )


def _rho(value):
    return "" if pd.isna(value) else f"{value:+.2f}"


def _ties(some):
    tied = some[some["ties"]]
    tables = some[~some["measure"].map(needs_texts)].iloc[0]
    return (
        f"{len(tied)} of {len(some)} tie with the first: the 95 % interval of the difference takes in 0. "
        f"Without texts the strongest is {tables['measure']} ({tables['within tasks']:+.2f})."
    )


def _ceilings(summary, ranking):
    first = ranking.groupby("consumer", sort=False)
    columns = {
        "all": "all", "within tasks": "within tasks", "within settings": "within settings"
    }  # fmt: skip
    rows = []
    for row in summary["ceilings"]:
        values = first.get_group(row["consumer"])[columns[row["over"]]].abs()
        rows.append(
            {
                "consumer": row["consumer"], "over": row["over"],
                **{name: f"{row[name]:.2f}" for name in ("seeds", "root", "simulated")},
                "strongest": f"{values.max():.2f}",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _held_out(summary):
    return pd.DataFrame(
        [
            {
                "consumer": row["consumer"],
                "from": SETS[row["from"]],
                "way": row["way"],
                **{
                    task: f"{row[task]:.2f}" + (f" ({row['of'][task]})" if row["of"] else "")
                    for task in TASKS
                },
                "mean": f"{row['combined']:.2f}",
                "gain": ""
                if row["way"] == "single"
                else f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]",
            }
            for row in summary["held out"]
        ]
    )


def _resi(resi):
    yield "## ReSi's figures"
    sets = [name for name in resi if name != "measure"]
    yield "TODO"
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
