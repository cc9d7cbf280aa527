"""The gate: rules and baselines in, one verdict and exit code out."""

from driftkit.gate.baseline import Baseline, baseline_of, read_baseline, write_baseline
from driftkit.gate.check import check
from driftkit.gate.history import History, history
from driftkit.gate.policy import Policy, make_policy
from driftkit.gate.recipes import check_runs
from driftkit.gate.run import Run
from driftkit.gate.verdict import Result, Verdict, check_document

__all__ = [
    "Baseline",
    "History",
    "Policy",
    "Result",
    "Run",
    "Verdict",
    "baseline_of",
    "check",
    "check_document",
    "check_runs",
    "history",
    "make_policy",
    "read_baseline",
    "write_baseline",
]
