"""The results page, from results.csv alone.

python -m benchmarks.links.report    the docs, from the results in the repository
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from benchmarks.forgetting.models import MODELS
from benchmarks.forgetting.recipes import RECIPES
from benchmarks.forgetting.tables import to_markdown
from benchmarks.links.study import STEPS, TUNED
from driftkit.atomic import replacing

RESULTS = Path(__file__).parent / "results.csv"
RESTORED = Path(__file__).parent / "restored.csv"
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "link-results.md"
LOST = 0.02  # accuracy
RETURNED = 0.6  # of what was lost
HOLDS = 0.02  # flips below which `Link.status` is holds
PREFACE = """\
# Results of the link study

Written by `python -m benchmarks.links.report` from `benchmarks/links/results.csv`, which
`python -m benchmarks.links.study --native` makes; [](should-one-fine-tune.md) says what follows.

A *table* is GloVe tuned for one task. A *consumer* is a model of another task that was trained on
the original vectors and now reads the table. Of the sentences it was not trained on, half were
given to `driftkit.link`, which fits a map or refuses; accuracy and flips (decisions unlike those on
the original vectors) are of the other half, 522 questions or 1,066 or 1,346 reviews. Models
of MR and SST-2, which share sentences, judge tables tuned for TREC, and models of TREC those tuned
for MR and SST-2. *Back* moves every tuned row that part of the way to its original.
"""
TABLE = ["task", "model", "seed"]
KNOWLEDGE = ("ws353", "simlex999", "google")
COSTS = (0.005, 0.01, 0.02, 0.05)  # of accuracy on dev
MARK = 0.9  # of the lost analogies
WAYS = {
    "tuned": "as it is",
    "rotation": "an orthogonal map",
    "map": "`fit_map`, as it is where refused",
    **{f"back {step}": f"back {step:.0%}" for step in STEPS},
}


def write_page(results=RESULTS, restored=RESTORED, page=PAGE):
    """Write the page from files of results."""
    with replacing(page) as partial:
        text = page_of(read(results), pd.read_csv(restored))
        partial.write_text(text, encoding="utf-8")
    print(f"wrote {page}")


def read(results):
    """Return a row for each table and consumer, with what was lost and returned."""
    pairs = pd.read_csv(results)
    given = pairs["map"] = pairs["map"].fillna("")
    for column in ("accuracy", "flips"):
        kept = pairs[f"{column}[map]"].where(given != "", pairs[f"{column}[tuned]"])
        pairs[f"{column}[map]"] = kept
    for way in ("tuned", "rotation", "map"):
        pairs[f"score[{way}]"] = pairs["score"]  # what maps for others keeps its own table
    for way in WAYS:
        pairs[f"lost[{way}]"] = pairs["original"] - pairs[f"accuracy[{way}]"]
        pairs[f"cost[{way}]"] = pairs["score"] - pairs[f"score[{way}]"]
        pairs[f"returned[{way}]"] = 1 - pairs[f"lost[{way}]"] / pairs["lost[tuned]"]
    return pairs


def page_of(pairs, restored):
    """Return the text of the page."""
    parts = [PREFACE.rstrip(), *_front(pairs), *_numbers(pairs), *_back(restored)]
    parts += _settings(pairs)
    return "\n\n".join(parts) + "\n"


def front_of(pairs):
    """Return what each way leaves lost to consumers, and costs the task, in points."""
    return pd.DataFrame(
        {
            "the consumer reads the table": label,
            "accuracy it loses": f"{100 * pairs[f'lost[{way}]'].mean():.1f}",
            "flips": f"{100 * pairs[f'flips[{way}]'].mean():.1f}",
            "task score lost": f"{100 * pairs[f'cost[{way}]'].mean():.1f}",
        }
        for way, label in WAYS.items()
    )


def _front(pairs):
    tables = pairs.groupby(["task", "model", "recipe", "seed"]).ngroups
    yield "## Accuracy against link"
    yield (
        f"{len(pairs)} pairs of a table and a consumer, of {tables} tables. Means, in points; a "
        "negative loss is a gain. A map is for the consumer alone, so it costs the task nothing."
    )
    for recipe in TUNED:
        some = pairs[pairs["recipe"] == recipe]
        if len(some):
            yield f"### Tables of the recipe “{RECIPES[recipe].label}” ({len(some)} pairs)"
            yield to_markdown(front_of(some))


def _numbers(pairs):
    yield "## Was it returned, and was it told?"
    rows = []
    for model in MODELS:
        some = pairs[pairs["model"] == model]
        lost = some[some["lost[tuned]"] >= LOST]
        mapped = lost[lost["map"] != ""]
        rows.append(
            {
                "table tuned by": model,
                "pairs": len(some),
                "lost 2 points or more": len(lost),
                "of them refused": len(lost) - len(mapped),
                "mapped": len(mapped),
                "60 % or more returned": int((mapped["returned[map]"] >= RETURNED).sum()),
                "the same, back 50%": int((mapped["returned[back 0.5]"] >= RETURNED).sum()),
            }
        )
    yield to_markdown(pd.DataFrame(rows))
    stated = pairs[pairs["stated"].notna()]
    own = stated.apply(_as_stated, axis=1)
    mapped = stated[stated["map"] != ""]
    within = mapped["flips[map]"].between(mapped["low"], mapped["high"])
    yield (
        f"Of {len(mapped)} maps given, the stated 95 % interval of flips holds those on the other "
        f"half in {within.mean():.0%}, and stated and true flips, both of which are samples, "
        f"differ significantly (5 %) in {1 - own[mapped.index].mean():.0%}."
    )
    still = mapped[mapped["lost[map]"] >= LOST]
    holds = pairs[(pairs["link"] == "holds") & (pairs["lost[tuned]"] >= LOST)]
    yield (
        f"`Link.status` was *holds* for {int((pairs['link'] == 'holds').sum())} of {len(pairs)} "
        f"pairs, {len(holds)} of which lost two points or more. Of the maps given, {len(still)} "
        f"left two points or more lost; the flips stated for "
        f"{int((still['high'] < HOLDS).sum())} of these were surely below {HOLDS:.0%}."
    )


def returned_of(restored, allowed):
    """Return, for each table and method, what goes back farthest at a cost on dev that is allowed.

    Costs are in accuracy. Only strengths at which the analogies were asked are looked at.
    """
    asked = _asked(restored)
    inside = asked[asked["tuned_dev"] - asked["dev"] <= allowed + 1e-9]
    return inside.loc[inside.groupby([*TABLE, "method"])["kept"].idxmin()]


def gain_of(restored, allowed):
    """Return, for each table and method, how much of the task's gain over frozen vectors is kept.

    Of the strengths at which the mean change of the three benchmarks is a loss of no more than is
    allowed, the best on dev is taken; where there is none, the gain is given up.
    """
    asked = _asked(restored)
    inside = asked[asked[list(KNOWLEDGE)].mean(axis=1) >= -allowed]
    best = inside.loc[inside.groupby([*TABLE, "method"])["dev"].idxmax()]
    every = asked.drop_duplicates([*TABLE, "method"])[[*TABLE, "method", "tuned", "frozen"]]
    found = every.merge(best[[*TABLE, "method", "test"]], how="left")
    gain = found["tuned"] - found["frozen"]
    return found.assign(gain=gain, kept=(found["test"] - found["frozen"]).fillna(0))


def _asked(restored):
    """Return what was restored, at the strengths at which the analogies were asked."""
    return restored[(restored["method"] != "none") & restored["returned"].notna()]


def _back(restored):
    yield "## How far back, and at what price?"
    cells = restored.drop_duplicates(TABLE)
    names = "; ".join(f"{row['task']}, {row['model']}" for _, row in cells.iterrows())
    yield (
        f"{len(cells)} tables tuned at once by 0.01 ({names}; seed 0), each taken back by the ways "
        "of `driftkit.restore` and read by its own model, which was not trained again: "
        "`python -m benchmarks.links.restore --native`. *Lost* are questions that the original "
        f"answers and the tuned table does not, of {int(cells['asked'].iloc[0]):,} of Google's "
        f"analogies, drawn once of those whose words the table holds: {int(cells['lost'].min()):,} "
        f"to {int(cells['lost'].max()):,} for a table. Dev sentences choose what goes back "
        "farthest within a cost in task score; in brackets is what it costs test sentences. "
        "Costs are in points, negative ones are gains, and all are means over the tables."
    )
    tables = {name: part for name, part in restored.groupby("method", sort=False) if name != "none"}
    rows = []
    for method, table in tables.items():
        row = {"lost analogies returned at": method}
        for allowed in COSTS:
            some = returned_of(table, allowed)
            cost = 100 * (some["tuned"] - some["test"]).mean()
            row[f"{100 * allowed:g}"] = f"{some['returned'].mean():.0%} ({cost:.1f})"
        half = returned_of(table, COSTS[0])["returned"]
        row["tables with 90 % at 0.5"] = f"{int((half >= MARK).sum())} of {len(half)}"
        rows.append(row)
    yield to_markdown(pd.DataFrame(rows))
    yield (
        "The other way round: what is kept of the task's gain over frozen vectors where the mean "
        "of WordSim-353, SimLex-999 and the analogies loses nothing, or a point at most. The best "
        "on dev is chosen, and told on test. LM-Cocktail reports 71 % at no net loss, for "
        "interpolated weights of encoders. A negative share is worse than frozen vectors."
    )
    rows = []
    for method, table in tables.items():
        row = {"of the gain is kept by": method}
        for allowed in (0, 0.01):
            some = gain_of(table, allowed)
            share = some["kept"].sum() / some["gain"].sum()
            row[f"{100 * allowed:g} points lost"] = (
                f"{share:.0%} ({100 * some['kept'].mean():.1f} of {100 * some['gain'].mean():.1f})"
            )
        rows.append(row)
    yield to_markdown(pd.DataFrame(rows))


def _as_stated(row):
    """Whether stated and true flips may be of one share, by Fisher's exact test."""
    if np.isnan(row["flips[map]"]):
        return True
    counts = [
        (round(share * n), round((1 - share) * n))
        for share, n in ((row["stated"], row["stated_n"]), (row["flips[map]"], row["n"]))
    ]
    return fisher_exact(counts)[1] >= 0.05


def _settings(pairs):
    yield "## Every pair"
    yield "Accuracy of the consumer with the original vectors, with the table, and with its map."
    rows = [
        {
            "tuned for": f"{row['task']}, {row['model']}, {row['recipe']}, seed {row['seed']}",
            "consumer": f"{row['consumer_task']}, {row['consumer_model']}",
            "original": f"{row['original']:.3f}",
            "tuned": f"{row['accuracy[tuned]']:.3f}",
            "map": f"{row['accuracy[map]']:.3f}" if row["map"] else "",
            "flips": f"{row['flips[tuned]']:.3f}",
            "with the map": f"{row['flips[map]']:.3f}" if row["map"] else "",
            "stated": f"{row['low']:.3f} to {row['high']:.3f}" if row["map"] else "",
            "kind": row["map"] or "refused",
        }
        for _, row in pairs.iterrows()
    ]
    yield to_markdown(pd.DataFrame(rows))


if __name__ == "__main__":
    write_page()
