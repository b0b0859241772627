"""Documents: links, paths and names that exist, commands that are named, and one version everywhere."""

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

import edgeecho
from edgeecho.cli import app

Command = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
GUIDES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *PAGES]
"""Documents that name present modules alone; the changelog and the model cards also name former ones."""
LINKED = [*GUIDES, ROOT / "CHANGELOG.md", *sorted((ROOT / "models").glob("*/README.md"))]
MAX_README_LINES = 129
FOLDERS = (
    "edgeecho",
    "export",
    "benchmarks",
    "release",
    "studies",
    "device",
    "tests",
    "configs",
    "models",
    "docs",
    "examples",
)
LINK = re.compile(r"\]\(([^()\s]+)\)")
DOTTED = re.compile(r"(?<![\w/.-])(?:edgeecho|studies)(?:\.[A-Za-z_]\w*)+")
PATH = re.compile(rf"(?<![\w/.-])(?:{'|'.join(FOLDERS)})(?:/[\w.-]+)*/[\w-]+(?:\.\w+)*")
SOURCE_NAME = re.compile(r"`([\w-]+\.(?:py|c|h))`")
FILE_SUFFIXES = (".c", ".h", ".json", ".md", ".png", ".py", ".sh", ".svg", ".toml", ".txt")
PLACEHOLDER = "NAME"
"""Word that stands for any name, as in `studies.NAME`."""


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def without_code(text: str) -> str:
    """Blank out blocks of code, in which brackets are no links and `#` no heading."""
    return re.sub(r"^( *)```.*?^\1```", "", text, flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page."""
    headings = re.findall(r"^#+ +(.+?) *$", without_code(page.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """Return the relative links of a page whose target does not exist."""
    found = []
    for link in LINK.findall(without_code(page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            found.append(link)
    return found


def exists(dotted: str) -> bool:
    """Whether a dotted name is a module, or a name that its module contains."""
    place, rest = ROOT, dotted.split(".")
    while rest and (place / rest[0]).is_dir():
        place, rest = place / rest[0], rest[1:]
    if rest and (place / f"{rest[0]}.py").is_file():
        module, rest = place / f"{rest[0]}.py", rest[1:]
    else:
        module = place / "__init__.py"
    if not module.is_file():
        return False
    return not rest or re.search(rf"\b{rest[0]}\b", module.read_text()) is not None


def wrong_names(text: str) -> list[str]:
    """Return the modules and files that a text names and the repository lacks."""
    found = [name for name in DOTTED.findall(text) if PLACEHOLDER not in name and not exists(name)]
    for path in PATH.findall(text):
        if path.endswith(FILE_SUFFIXES) and PLACEHOLDER not in path and not (ROOT / path).exists():
            found.append(path)
    return found


def leaf_commands(command: Any, name: str) -> Iterator[str]:
    """Yield all commands under a command, as a user types them; typer contains its own click."""
    if not hasattr(command, "commands"):
        yield name
        return
    for part, inner in command.commands.items():
        yield from leaf_commands(inner, f"{name} {part}")


# Links and names


@pytest.mark.parametrize("page", LINKED, ids=relative)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    assert broken_links(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One `two` (3)\n[a](page.md#one-two-3) [b](page.md#four) [c](no.md) ![d](https://a.b/c)\n")
    assert broken_links(page) == ["page.md#four", "no.md"]
    page.write_text("```\n[c](no.md)\n# heading\n```\n[e](#heading)\n")
    assert broken_links(page) == ["#heading"]


@pytest.mark.parametrize("page", GUIDES, ids=relative)
def test_modules_and_files_that_are_named_exist(page: Path) -> None:
    assert wrong_names(page.read_text()) == []


def test_a_wrong_name_is_found() -> None:
    good = "`edgeecho.measure.BeatTracker`, `export/graph/stream.py`, `edgeecho.NAME`, `studies.NAME`, edgeecho.cli"
    assert wrong_names(good) == []
    bad = ["edgeecho.train.none", "edgeecho.measure.Nothing", "studies.none", "export/native.py"]
    assert wrong_names(" ".join(f"`{name}`" for name in bad)) == bad


def test_file_names_of_the_architecture_exist() -> None:
    names = {
        path.name for folder in ("edgeecho", "export", "benchmarks", "device") for path in (ROOT / folder).rglob("*.*")
    }
    named = SOURCE_NAME.findall((ROOT / "docs" / "architecture.md").read_text())
    assert [name for name in named if name not in names and PLACEHOLDER not in name] == []
    assert len(named) > 20


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text()
    assert [page.name for page in PAGES if f": {page.name}\n" not in navigation] == []


# The README


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= MAX_README_LINES


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text().replace("data check|summary", "data check, edgeecho data summary")
    readme = readme.replace("; bench compare", "; edgeecho bench compare")
    names = list(leaf_commands(typer.main.get_command(app), "edgeecho"))
    assert "edgeecho segment" in names
    assert "edgeecho bench compare" in names
    assert [name for name in names if not re.search(rf"\b{name}\b", readme)] == []


def test_the_readme_states_what_it_is_not() -> None:
    assert "Research software, not a medical device" in (ROOT / "README.md").read_text()


# The version


def only(pattern: str, name: str) -> str:
    """Return the one match of a pattern in a file; more or none is an error."""
    (found,) = re.findall(pattern, (ROOT / name).read_text(), re.M)
    return str(found)


def test_the_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    header = ("MAJOR", "MINOR", "PATCH")
    parts = [only(rf"^#define EDGEECHO_VERSION_{part} (\d+)$", "device/include/edgeecho.h") for part in header]
    assert ".".join(parts) == version, "python device/write_headers.py"
    assert only(rf"^## ({re.escape(version)}) - \d{{4}}-\d\d-\d\d$", "CHANGELOG.md") == version
    assert edgeecho.__version__ == version, "install the package anew: make test"


def test_the_command_prints_the_version(command: Command) -> None:
    assert command("--version") == (0, f"{edgeecho.__version__}\n", "")
    assert "--version" in command("--help")[1]


def test_citation_has_what_its_format_demands() -> None:
    for key in ("cff-version", "message", "title", "authors"):
        assert only(rf"^({key}):", "CITATION.cff") == key
    licence = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"]
    assert only(r"^license: (\S+)$", "CITATION.cff") == licence.partition(" ")[0]
