"""The command line: one file per command, no arithmetic."""

from __future__ import annotations

from driftkit.cli.group import LazyGroup

BY_USE = {
    "Begin": {
        "demo": "Fine-tune real GloVe on a small real task, three ways, and audit all three.",
        "inspect": "List the tensors of a file that look like tables of vectors.",
    },
    "See what changed": {
        "audit": "Show the whole picture: what moved, what was forgotten, what breaks.",
        "shifts": "Show the nearest neighbors of words or items, before and after.",
        "score": "Score tables on benchmarks: similarity, analogies and others.",
        "retrieval": "Compare search before and after: the same queries, the old index and a new "
        "one.",
        "mteb": "Compare two folders of results that MTEB wrote, task by task.",
    },
    "Keep or mend": {
        "link": "Say whether what reads the original still works, and fit a map where one helps.",
        "threshold": "Carry a cut-off on the cosine over to the tuned table.",
        "restore": "Take a tuned table back toward its original, as far as a budget asks.",
        "patch": "Put what restore changed into a .pt or .safetensors file, or take it out again.",
    },
    "Guard and report": {
        "check": "Apply rules, and exit with 1 when one is broken: a gate for CI.",
        "baseline": "Write, show, add to or update the values that check compares with.",
        "history": "Show what each rule came to in one run after the other, and what stands out.",
        "lock": "Write down how a model behaves on golden items.",
        "verify": "Say whether a model still behaves as its lock says, and if not, how it changed.",
        "card": "Print an audit as a section of a Hugging Face model card.",
    },
    "Files": {
        "datasets": "List benchmarks, fetch them, or show where their files belong.",
        "convert": "Write a table in a format other tools read.",
        "merge": "Join the shards of `shifts --shard` into what one process would have written.",
    },
}

COMMANDS = {name: line for group in BY_USE.values() for name, line in group.items()}

main = LazyGroup(
    "driftkit",
    commands_help=BY_USE,
    package="driftkit.cli",
    examples=(
        "demo",
        "inspect tuned.pt",
        "audit original.npy tuned.pt",
        "check original.npy tuned.pt --rule 'moved <= 5%'",
    ),
    help="Audit fine-tuned embeddings, of words or any items: what moved, what was forgotten, "
    "what breaks.",
    epilog="`driftkit COMMAND --help` tells the options of a command, with examples.",
)
