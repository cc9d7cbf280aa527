"""What a table knew before: every benchmark there is a file for, under its usual name.

All but Battig's categories: clustering its 5,231 words takes longer than the rest together.
"""

from __future__ import annotations

from benchmarks.forgetting.tasks import data_folder
from driftkit.datasets.parse import parse

EMBEDDED = ("ws353", "simlex999", "google")
FILES = {
    "men": "similarity/EN-MEN-TR-3k.txt",
    "mturk287": "similarity/EN-MTurk-287.txt",
    "mturk771": "similarity/EN-MTurk-771.txt",
    "rg65": "similarity/EN-RG-65.txt",
    "mc30": "similarity/EN-MC-30.txt",
    "rw": "similarity/EN-RW-STANFORD.txt",
    "simverb3500": "similarity/EN-SimVerb-3500.txt",
    "verb143": "similarity/EN-VERB-143.txt",
    "yp130": "similarity/EN-YP-130.txt",
    "ws353-sim": "similarity/EN-WS-353-SIM.txt",
    "ws353-rel": "similarity/EN-WS-353-REL.txt",
    "msr": "analogy/msr.txt",
    "ap": "categorization/ap.csv",
    "bless": "categorization/bless.csv",
    "esslli2008": "categorization/essli-2008.csv",
    "8-8-8": "outliers/8-8-8.csv",
    "wikisem500": "outliers/wikisem500.csv",
}


def benchmarks_of(fast):
    """The embedded ones, and those of the data folder; a fast run does without the slow."""
    folder = data_folder().parent
    here = {name: folder / file for name, file in FILES.items() if (folder / file).is_file()}
    if fast:
        return [
            "ws353",
            "simlex999",
            *(parse(here[name], name) for name in ("men",) if name in here),
        ]
    return [*EMBEDDED, *(parse(path, name) for name, path in here.items())]
