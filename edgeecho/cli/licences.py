"""`edgeecho licences`: what is installed, under which licences, and what the weights allow."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from edgeecho.cli.common import JsonFile, write_json
from edgeecho.cli.console import show, table_console

if TYPE_CHECKING:
    from rich.console import RenderableType

    from edgeecho.licences import Package, Weights


def licences(json_file: JsonFile = None) -> None:
    """Under which licences is what is installed, and may the models be sold?"""
    from edgeecho.licences import installed_packages, installed_weights

    packages, weights = installed_packages(), installed_weights()
    show(_tables(packages, weights), table_console())
    figures = {
        "packages": [{**asdict(package), "is_gpl": package.is_gpl} for package in packages],
        "weights": [{**asdict(one), "may_be_sold": one.may_be_sold} for one in weights],
    }
    write_json(json_file, figures)


def _tables(packages: "list[Package]", weights: "list[Weights]") -> "Iterator[RenderableType]":
    from rich.table import Table
    from rich.text import Text

    table = Table("package", "version", "licence", "brought by", "contains", title="packages; EdgeEcho is Apache-2.0")
    for package in packages:
        by = ", ".join(package.brought_by) or "edgeecho"
        table.add_row(package.name, package.version, package.licence, by, "\n".join(package.bundled))
    yield table
    under_gpl = [package.name for package in packages if package.is_gpl]
    if under_gpl:
        yield Text(
            f"Under the GPL, in whole or in part: {', '.join(under_gpl)}. Who passes these on must do so under it."
        )
    else:
        yield Text("None of these packages is under the GPL, and none contains a known library that is.")
    models = Table("model", "licence", "may be sold", "terms", title="weights")
    for one in weights:
        models.add_row(one.model, one.licence, "yes" if one.may_be_sold else "no", " ".join(one.terms))
    yield models
    yield Text("This list is no legal advice; docs/licences.md tells how it is made.")
