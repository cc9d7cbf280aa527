"""The command line: one file per command, no arithmetic."""

from __future__ import annotations

from driftkit.cli.group import LazyGroup

COMMANDS = {
    "demo": "Fine-tune real GloVe on a small real task, three ways, and audit all three.",
    "audit": "Show the whole picture: what moved, what was forgotten, what breaks.",
    "shifts": "Show the nearest neighbors of words, before and after.",
    "score": "Score tables on word-similarity and analogy benchmarks.",
    "datasets": "List benchmarks, fetch them, or show where their files belong.",
    "inspect": "List the tensors of a file that look like word tables.",
}

main = LazyGroup(
    "driftkit",
    commands_help=COMMANDS,
    package="driftkit.cli",
    help="Audit fine-tuned word embeddings: which words moved, what was forgotten, what breaks.",
)
