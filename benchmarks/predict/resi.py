"""ReSi's language figures again, from the correlations it publishes.

The repository of ReSi (Klabunde et al. 2025, "ReSi: A Comprehensive Benchmark for Representational
Similarity Measures") prints, in ``nlp/notebooks/explore_correlation_experiments.ipynb``, a table of
rank correlations with disagreement for each of four sets of language models, and their means.

    git show HEAD:nlp/notebooks/explore_correlation_experiments.ipynb > notebook.ipynb
    python -m benchmarks.predict.resi notebook.ipynb
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pandas as pd

from driftkit.atomic import replacing

PUBLISHED = Path(__file__).parent / "resi.csv"
SETS = ("sst2_sc_rate0558", "sst2_aug_rate0", "mnli_sc_rate0354", "sst2_mem_rate0")
CHOSEN = {
    "RSA": "RSA",
    "DistanceCorrelation": "distance correlation",
    "CKA": "CKA",
    "OrthogonalProcrustesCenteredAndNormalized": "Procrustes",
    "JaccardSimilarity": "Jaccard",
}


def tables(notebook):
    """Yield each set of models and its correlations with disagreement, by measure."""
    name = None
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            text = "".join(output.get("text", []))
            if output["output_type"] == "stream" and text.strip() in SETS:
                name = text.strip()
            shown = "".join(output.get("data", {}).get("text/plain", []))
            if name and "Disagreement" in shown and "kendalltau" in shown:
                yield name, column(shown)
                name = None


def column(shown):
    """Spearman's correlations with disagreement in a printed table."""
    block = shown[shown.index("Disagreement") :]
    lines = re.findall(r"^(\w+) +(\S+) +(\S+) +(\S+) *$", block, flags=re.MULTILINE)
    found = {name: float(second) for name, _, second, _ in lines if name in CHOSEN}
    return pd.Series(found)


def main(path):
    """Write the table of a notebook beside this file."""
    found = pd.DataFrame(dict(tables(json.loads(Path(path).read_text(encoding="utf-8")))))
    with replacing(PUBLISHED) as partial:
        found.loc[list(CHOSEN)].rename(index=CHOSEN).to_csv(partial, index_label="measure")


if __name__ == "__main__":
    main(sys.argv[1])
