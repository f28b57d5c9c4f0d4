"""Run `eigendyn train`: train networks on images, print what they learn, save and draw it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eigendyn.cli.asked import given_settings
from eigendyn.cli.config_option import config_option
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import (
    FILE,
    average_options,
    beta_option,
    function_options,
    learned_options,
    loss_option,
    number_option,
    predictor_option,
    preset_option,
    stop_gradient_option,
    target_options,
    written_loss_options,
)
from eigendyn.cli.parameters import Name
from eigendyn.cli.run_options import (
    device_options,
    file_option,
    output_options,
    saves_option,
    seed_option,
)
from eigendyn.cli.saving import Output
from eigendyn.cli.subcommand import Subcommand
from eigendyn.cli.written import loss_text, written_loss
from eigendyn.settings.checks import check_whole
from eigendyn.settings.choices import DATA_SOURCES, NETWORKS, TREE_SUFFIXES, check_choice
from eigendyn.settings.installed import check_installed
from eigendyn.settings.presets import METHODS, preset_settings
from eigendyn.settings.training import READ_OUT, USUAL, Training

if TYPE_CHECKING:
    from eigendyn.training.images import Images

DIVERGED = 3
PREDICTORS = (
    "Of each batch's correlation (direct), the same normalised and lifted (copy, DirectCopy), of a "
    "running average (running, DirectPred), learned (BYOL, SimSiam), or none."
)

PRESET = "A method's settings, where options are not given."


def usual_of_training(command: Callable) -> Callable:
    """Let options that other commands have too say what they are, and what is usual, here."""
    for option in command.__click_params__:  # pyright: ignore[reportFunctionMemberAccess]
        if option.opts == ["--predictor"]:
            option.help = PREDICTORS
        if option.opts == ["--preset"]:
            option.type, option.help = Name("preset", tuple(METHODS)), PRESET
        if hasattr(Training, option.name) and not option.is_flag:
            option.default = getattr(Training, option.name)
        usual = [
            f"{row[option.name]:g} with --predictor {kind}"
            for kind, row in USUAL.items()
            if option.name in row
        ]
        if usual:
            option.show_default = "; ".join(usual)
    return command


@click.command("train", cls=Subcommand)
@usual_of_training
@loss_option
@written_loss_options
@preset_option
@stop_gradient_option
@beta_option
@click.option(
    "--data",
    "images",
    default=DATA_SOURCES[0],
    metavar=f"{'|'.join(DATA_SOURCES)}|FILE.npz",
    help="Images: scikit-learn's handwritten digits, or a file with `images` (n × height × width) "
    f"and `labels`, which only the readouts use; these fit {READ_OUT:,} images at most.",
)
@click.option(
    "--augment",
    metavar="NAME:NUMBER,…",
    help="Augmentations of the first view, by the names of eigendyn data; what an image moves away "
    "from is black.",
)
@click.option(
    "--augment2",
    metavar="NAME:NUMBER,…",
    help="Those of the second view, where they are others.",
)
@click.option("--batch", type=int, help="Images in a step.")
@click.option("--seeds", type=int, default=1, help="Number of networks.")
@click.option(
    "--checkpoint",
    type=FILE,
    help="File (.npz) from which training goes on if it exists, written as it goes.",
)
@click.option(
    "--network",
    type=Name("network", NETWORKS),
    help="Convolutions and a projector; two hidden layers and a projector; or a matrix.",
)
@click.option("--embedding", type=int, help="Dimensions of the embedding z.")
@predictor_option
@number_option("alpha")
@function_options
@average_options
@learned_options
@target_options
@number_option("weight_decay")
@number_option("momentum")
@number_option("learning_rate")
@click.option("--epochs", type=int, help="Passes through the images.")
@saves_option(Training.saves)
@device_options
@seed_option("Seed of weights, batches and augmentations.")
@file_option("File of the result: .nc.", "-o", "--output")
@file_option("Picture of readouts and spectrum over epochs: .png, .pdf or .svg.", "--plot")
@output_options
@config_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    loss_expr: str | None,
    loss_file: Path | None,
    parameters: tuple[str, ...],
    images: str,
    seeds: int,
    checkpoint: Path | None,
    **_: Any,
) -> None:
    """Train networks on real images without their labels, and foretell their spectrum.

    \b
    Examples:
      eigendyn train --loss iso-cosine --plot digits.png
      eigendyn train --preset directpred --target shared --seeds 5 -o directpred.nc
      eigendyn train --data images.npz --network mlp --checkpoint run.npz -o run.nc
      eigendyn train --loss-expr 'sum((lam*z1 - sg(z2))**2)/2' --augment shift:1,noise:0.1

    Two views of every image are embedded; the loss of a batch, with its predictor and target, is
    descended. On test images a linear and a nearest-neighbour readout of the features are
    measured, and of the embedding the spectrum, effective rank and alignment with the predictor;
    beside them stands what the theory foretells from the first epochs on.

    Exit code 0: trained; 2: refused, nothing was run; 3: a network diverged.
    """  # noqa: D301
    output = Output.asked_for(ctx, result=TREE_SUFFIXES)
    given = given_settings(ctx, *(field.name for field in fields(Training)))
    wanted = _wanted(ctx.params["preset"], given)
    text = loss_text(loss_expr, loss_file)
    if text is not None:
        wanted["loss"] = "written"
    chosen = Training(**wanted)
    check_whole("seeds", seeds, 1)
    check_installed("train")
    own = written_loss(text, parameters, named="loss" in given)
    if checkpoint is not None:
        from eigendyn.training.checkpoint import check_checkpoint

        check_checkpoint(checkpoint)
    found = _images(images, chosen)
    if not output.quiet:
        click.echo(_said(found), err=True)
    wanted.pop("loss", None)

    def work() -> Any:
        from eigendyn.training.run import train

        return train(
            chosen.loss if own is None else own,
            found,
            seeds=seeds,
            checkpoint=checkpoint,
            progress=not output.quiet,
            **wanted,
        )

    result = interruptible(work, lambda: _left(checkpoint), clock=output.progress)
    from eigendyn.results.files import save
    from eigendyn.show.plot.training import save_training_picture
    from eigendyn.show.report.training import summary, table

    output.show(lambda: {**summary(result), "files": output.named}, lambda: table(result))
    output.save(
        result=lambda path, force: save(result, path, force),
        picture=lambda path, force: save_training_picture(result, path, force),
    )
    if bool((result["status"] != "completed").any()):
        ctx.exit(DIVERGED)


def _wanted(preset: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """What was given, over what a preset brings."""
    return preset_settings(preset, *(given.get(p) for p in ("loss", "predictor", "target"))) | given


def _images(source: str, chosen: Training) -> Images:
    """The images, which network, batch and augmentations fit."""
    from eigendyn.data.asked import read_augmentations
    from eigendyn.training.image_files import read_images
    from eigendyn.training.images import (
        check_augmentations,
        check_batch,
        check_network,
        digits_images,
    )

    steps = list(read_augmentations(chosen.augment, "augment"))
    if chosen.augment2 is not None:
        steps += read_augmentations(chosen.augment2, "augment2")
    if not Path(source).suffix:
        check_choice("source of images", source, (*DATA_SOURCES, "FILE.npz"))
    found = digits_images() if source in DATA_SOURCES else read_images(source)
    check_network(found, chosen.network)
    check_augmentations(found, steps)
    check_batch(found, chosen.batch)
    return found


def _said(images: Images) -> str:
    """What is trained on, in a line."""
    count = f"{len(images.train):,} images to train on and {len(images.test):,} to test on"
    shape = " × ".join(map(str, images.shape))
    classes = f"{len(images.classes)} classes" if images.classes else "no labels, so no readout"
    return f"{images.name}: {count}, {shape}; {classes}"


def _left(checkpoint: Path | None) -> str:
    """What there is after Ctrl-C, and how to go on."""
    if checkpoint is None:
        return "nothing was saved. With --checkpoint FILE.npz training can be gone on with."
    if not checkpoint.is_file():
        return "nothing was saved yet."
    return f"go on with eigendyn {shlex.join(sys.argv[1:])}"
