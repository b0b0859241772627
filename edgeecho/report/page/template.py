"""HTML pages from Jinja templates: values are escaped, and style and script stand inside the page."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent
"""`page.html`, which every page extends, its style sheets, and `parts.html`: macros for sections, figures and pairs."""


def render(name: str, folder: Path, **values: object) -> str:
    """Render a page.

    Args:
        name: File name of the template.
        folder: Folder of the template; it finds the files of `FOLDER` by their names too.
        values: Variables of the template. Text is escaped; `markupsafe.Markup`, such as a chart's SVG, stays as it is.
    """
    environment = Environment(
        loader=FileSystemLoader([folder, FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name).render(values)
