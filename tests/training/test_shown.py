"""The rate after a cut, as docs/reference/training.md shows it under eight schedulers."""

import re
from pathlib import Path

import pytest
import torch
from torch.optim import lr_scheduler

from driftkit.training import Budget, DriftMonitor, SlantedTriangular, WarmUp

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "training.md"
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in PAGE.read_text("utf-8").splitlines()
    if re.match(r"\| `\w+\(optimizer", line)
]


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
