"""Each recipe has an example that runs, and the rate after a cut is what the page shows."""

import ast
import re
from pathlib import Path

import pytest
import torch
from markdown_blocks import blocks
from torch.optim import lr_scheduler

from driftkit import training
from driftkit.training import Budget, DriftMonitor, SlantedTriangular, WarmUp

DOCS = Path(__file__).parents[2] / "docs"
HOW_TO, PAGE = DOCS / "how-to" / "train-without-forgetting.md", DOCS / "reference" / "training.md"
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in PAGE.read_text("utf-8").splitlines()
    if re.match(r"\| `\w+\(optimizer", line)
]


def called_in(page):
    trees = (ast.parse(block.code) for block in blocks(page, "python"))
    calls = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {call.func.id for call in calls if isinstance(call.func, ast.Name)}


def test_every_public_name_is_called_in_an_example_that_runs():
    """Of the pages, whose blocks all run, or of its own docstring."""
    by_itself = {each for each in training.__all__ if ">>> " in getattr(training, each).__doc__}
    made_by_others = {"WordEmbedding"}
    shown = called_in(HOW_TO) | called_in(PAGE) | by_itself | made_by_others
    assert set(training.__all__) <= shown


def test_there_are_eight():
    assert len(ROWS) == 8


@pytest.mark.parametrize(("made", *"abcd"), ROWS, ids=[row[0].strip("`")[:20] for row in ROWS])
def test_the_rate_that_is_said_and_the_rate_that_is_used(make_table, made, a, b, c, d):
    table = make_table().double()
    optimizer = torch.optim.SGD(table.parameters(), lr=0.2)
    names = vars(lr_scheduler) | {"SlantedTriangular": SlantedTriangular, "WarmUp": WarmUp}
    scheduler = eval(made.strip("`"), {**names, "optimizer": optimizer})
    cut = Budget("overlap@5", fall=0.3, action="cut", factor=0.25)
    words = [f"w{row}" for row in range(60)]
    monitor = DriftMonitor(table, words, every=5, benchmarks=(), probes=30, k=5, budgets=[cut])
    said, used = {}, {}
    for step in range(1, 13):
        before = table.weight[0, 0].item()
        optimizer.zero_grad()
        table(torch.tensor([0])).sum().backward()
        optimizer.step()
        said[step] = scheduler.get_last_lr()[0]
        used[step] = before - table.weight[0, 0].item()
        if step == 5:
            with torch.no_grad():
                table.weight[1:20] *= -1
        monitor.step(optimizer)
        scheduler.step()
    assert monitor.latest["rate_left"] == 0.25
    shown = [f"{said[6]:.4f}", f"{used[6]:.4f}", f"{said[12]:.4f}", f"{used[12]:.4f}"]
    assert [a, b, c, d] == shown, f"| {made} | {' | '.join(shown)} |"
