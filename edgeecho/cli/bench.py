"""`edgeecho bench`: flags, printing and exit codes of the benchmark."""

from pathlib import Path
from typing import Annotated

import typer

from edgeecho.benchmarks.run.entries import DEFAULT_MODELS, DEFAULT_PRECISIONS, DEFAULT_RUNTIMES, FORMS
from edgeecho.cli.common import JsonFile, progress_bar, say, write_json
from edgeecho.cli.console import show, table_console
from edgeecho.errors import ConfigError

MORE = (
    "All models, peers, forms and precisions: edgeecho bench --models all --runtimes ort,openvino,torch "
    "--precisions fp32,bf16,int8 --rate 50 --profile --estimate all --data KIND:DIR --out DIR"
)

bench_app = typer.Typer(
    help="Parameters, MACs, size, latency and memory against the standard 3D U-Net.", invoke_without_command=True
)


def _default(names: tuple[str, ...]) -> str:
    """Format the defaults for the help; with --pack they are those of the pack."""
    return ",".join(names)


def _list(text: str | None) -> list[str] | None:
    """Split names at commas; None if the flag was not given."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


@bench_app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    device: Annotated[str, typer.Option(help="cpu.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads per engine.")] = 1,
    models: Annotated[
        str | None,
        typer.Option(help="Packaged models, peers, folders, files; all.", show_default=_default(DEFAULT_MODELS)),
    ] = None,
    own: Annotated[
        list[Path] | None, typer.Option("--model", help="An ONNX file of your own; may be repeated.")
    ] = None,
    runtimes: Annotated[
        str | None, typer.Option(help="ort, openvino, torch, native.", show_default=_default(DEFAULT_RUNTIMES))
    ] = None,
    precisions: Annotated[
        str | None, typer.Option(help="fp32, bf16, int8.", show_default=_default(DEFAULT_PRECISIONS))
    ] = None,
    forms: Annotated[str | None, typer.Option(help="clip, stream.", show_default=_default(FORMS))] = None,
    rate: Annotated[float | None, typer.Option(help="Drive streams at so many frames a second.")] = None,
    data: Annotated[str | None, typer.Option(help="KIND:DIR to evaluate trained rows on.")] = None,
    split: Annotated[str, typer.Option(help="train, val, test or all.")] = "val",
    profile: Annotated[bool, typer.Option("--profile", help="Time every layer.")] = False,
    estimate: Annotated[str | None, typer.Option(help="Boards to estimate, such as rpi4,rpi5; all.")] = None,
    prepare: Annotated[Path | None, typer.Option(help="Write the models here, to run on a board.")] = None,
    pack: Annotated[Path | None, typer.Option(help="Run the models of a folder of --prepare.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for page, JSON, CSV and Markdown.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Keep exported peers here, for the next time.")] = None,
    json_file: JsonFile = None,
) -> None:
    """Parameters, MACs, size, latency and memory against the standard 3D U-Net."""
    if context.invoked_subcommand:
        return
    if device != "cpu":
        raise ConfigError(f"unknown device {device!r}; known: cpu")
    names, run_on, stored, of = (_list(text) for text in (models, runtimes, precisions, forms))
    if prepare:
        unused = {"--model": own, "--pack": pack, "--rate": rate, "--data": data, "--profile": profile}
        unused |= {"--estimate": estimate, "--out": out, "--keep": keep, "--json": json_file}
        _prepare(prepare, names, run_on, stored, of, [flag for flag, value in unused.items() if value])
        return
    from edgeecho.benchmarks.profile.boards import find_boards
    from edgeecho.benchmarks.render.files import write_results
    from edgeecho.benchmarks.render.table import render_table
    from edgeecho.benchmarks.run.bench import run_bench
    from edgeecho.benchmarks.run.protocol import Extras
    from edgeecho.files import require_writable

    boards = tuple(board.name for board in find_boards(_list(estimate) or [])) if estimate else ()
    extras = Extras(rate=rate, data=data, split=split, profile=profile, boards=boards)
    for folder in (out, json_file and json_file.parent):
        if folder:
            require_writable(folder)
    with progress_bar() as bar:
        task = bar.add_task("starting", total=None)

        def step(number: int, steps: int, what: str) -> None:
            bar.update(task, completed=number, total=steps, description=what)
            if not bar.console.is_terminal:
                say(f"[{number}/{steps}] {what}")

        result = run_bench(
            names,
            run_on,
            stored,
            threads,
            forms=of,
            own_files=own or (),
            extras=extras,
            pack=pack,
            work_dir=keep,
            progress=step,
            notify=lambda text: bar.console.print(text, markup=False, highlight=False, soft_wrap=True),
        )
    console = table_console()
    show(render_table(result, console.width), console)
    if out:
        for path in write_results(result, out):
            say(str(path))
    write_json(json_file, result.to_json())
    if models is None and not pack:
        say(MORE)
    if not result.complete:
        raise typer.Exit(130)
    if any(row.error or row.failed for row in result.rows):
        raise typer.Exit(1)


def _prepare(
    folder: Path,
    models: list[str] | None,
    runtimes: list[str] | None,
    precisions: list[str] | None,
    forms: list[str] | None,
    unused: list[str],
) -> None:
    from edgeecho.benchmarks.run.pack import Pack
    from edgeecho.benchmarks.run.write_pack import write_pack

    if unused:
        raise ConfigError(
            f"--prepare writes files and times nothing; leave {', '.join(unused)} out, or give it on the board"
        )
    failures = write_pack(
        folder,
        DEFAULT_MODELS if models is None else models,
        DEFAULT_RUNTIMES if runtimes is None else runtimes,
        DEFAULT_PRECISIONS if precisions is None else precisions,
        FORMS if forms is None else forms,
        say,
    )
    for name, reason in failures.items():
        say(f"error: {name}: {reason}")
    pack = Pack.read(folder)
    if pack.kinds:
        say(pack.instruction())
    if failures:
        raise typer.Exit(1)


@bench_app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="JSON of a run.")],
    second: Annotated[Path, typer.Argument(help="JSON of another.")],
    json_file: JsonFile = None,
) -> None:
    """What changed from one run to another, and whether it is beyond noise."""
    from edgeecho.benchmarks.compare.compare import compare_runs, render_comparison

    comparison = compare_runs(first, second)
    console = table_console()
    show(render_comparison(comparison, console.width), console)
    write_json(json_file, comparison.to_dict())
