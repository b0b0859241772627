"""Pages from templates: text is escaped, charts are not, and a missing variable is an error."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from jinja2 import UndefinedError

from edgeecho.report.page.svg import Drawing
from edgeecho.report.page.template import render

TEMPLATE = """{% extends "page.html" %}
{% import "parts.html" as parts %}
{% block main %}
{{ parts.figure(heading, "<caption>", chart, chart) }}
{{ parts.pairs([("<name>", "a & b")]) }}
{% endblock %}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "example.html").write_text(TEMPLATE)
    return tmp_path


def test_text_is_escaped_and_a_chart_is_not(folder: Path) -> None:
    drawing = Drawing(100, 50, 'a "title" & <more>')
    drawing.text(1, 2, "<b>")
    drawing.dot(5, 5, "f1", hint="1 < 2")
    html = render("example.html", folder, title="<script>", heading="5 < 6", chart=drawing.to_svg())
    assert "<title>&lt;script&gt;</title>" in html
    assert "<h2>5 &lt; 6</h2>" in html
    assert "<figcaption>&lt;caption&gt;</figcaption>" in html
    assert "<dt>&lt;name&gt;</dt><dd>a &amp; b</dd>" in html
    assert html.count("<svg ") == 2
    assert "&lt;b&gt;</text>" in html
    assert "<title>1 &lt; 2</title>" in html


def test_a_missing_variable_is_an_error(folder: Path) -> None:
    with pytest.raises(UndefinedError, match="'heading' is undefined"):
        render("example.html", folder, title="x", chart="")


def test_a_chart_for_a_file_is_xml_with_its_own_colours() -> None:
    drawing = Drawing(100, 50, "a & b")
    drawing.bar(1, 2, 30, 4, "f2", hint="<x>")
    root = ElementTree.fromstring(drawing.to_svg(standalone=True))
    assert root.get("aria-label") == "a & b"
    assert "prefers-color-scheme: dark" in "".join(root.itertext())
    assert [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")] == ["a & b", "<x>"]
