"""The command line: the composition root, where settings, store, pipeline and analysis meet.

Heavy imports wait inside the commands.
"""

import errno
import logging
import os
import sys

import typer

from quartzlens.cli.backup import backup, restore
from quartzlens.cli.check import check
from quartzlens.cli.checkpoints import checkpoint_app
from quartzlens.cli.doctor import doctor
from quartzlens.cli.encode import encode
from quartzlens.cli.evaluate import evaluate
from quartzlens.cli.explain import explain
from quartzlens.cli.export import export
from quartzlens.cli.find import find
from quartzlens.cli.index import index
from quartzlens.cli.ingest import ingest
from quartzlens.cli.labels import labels_app
from quartzlens.cli.learn import train
from quartzlens.cli.look import status
from quartzlens.cli.moving import copy, init
from quartzlens.cli.predict import predict
from quartzlens.cli.reembed import reembed
from quartzlens.cli.remove import remove
from quartzlens.cli.repair import repair
from quartzlens.cli.report import report
from quartzlens.cli.runs import runs_app
from quartzlens.cli.serve import dashboard, demo, password
from quartzlens.cli.similar import similar
from quartzlens.errors import QuartzlensError, UsageError

app = typer.Typer(
    help="What a collection of videos sounds like, and why a classifier is wrong about it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    init,
    ingest,
    repair,
    status,
    train,
    evaluate,
    explain,
    predict,
    similar,
    find,
    export,
    report,
    index,
    reembed,
    remove,
    copy,
    check,
    backup,
    restore,
    dashboard,
    demo,
    password,
    doctor,
):
    app.command()(command)
app.command(hidden=True)(encode)
app.add_typer(runs_app, name="runs")
app.add_typer(checkpoint_app, name="checkpoint")
app.add_typer(labels_app, name="labels")


@app.callback()
def common(debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error.")) -> None:
    """What a collection of videos sounds like, and why a classifier is wrong about it."""
    if debug:
        os.environ["QUARTZLENS_DEBUG"] = "1"
    tell = logging.getLogger("quartzlens.store")
    tell.addHandler(logging.StreamHandler())
    tell.setLevel(logging.INFO)


def main() -> None:
    """Run a command.

    An expected error is one clear sentence on standard error, without a traceback unless --debug is given.
    """
    try:
        app()
    except QuartzlensError as error:
        if os.environ.get("QUARTZLENS_DEBUG"):
            raise
        print(f"quartzlens: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if os.environ.get("QUARTZLENS_DEBUG"):
            raise
        print(f"quartzlens: {_advice(error)}", file=sys.stderr)
        sys.exit(1)


def _advice(error: OSError) -> str:
    """What the system refused, and what to do about it."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk is full ({error}): make room and run the same command again; nothing committed is lost."
    return f"{error}; --debug before the command shows where."
