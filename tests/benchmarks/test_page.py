"""Result as page, CSV, Markdown and table: complete, without external resources, with names escaped."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgeecho.benchmarks.render.charts import draw_latency, draw_profile
from edgeecho.benchmarks.render.files import csv_header, render_csv, write_results
from edgeecho.benchmarks.render.formatting import number, row_name, significant, speedup
from edgeecho.benchmarks.render.markdown import render_markdown
from edgeecho.benchmarks.render.page import NARROW_PX, WIDE_PX, render_page
from edgeecho.benchmarks.render.pareto import Point, accuracy_points, draw_pareto, front
from edgeecho.benchmarks.render.summary import summary
from edgeecho.benchmarks.render.table import render_table
from edgeecho.benchmarks.run.result import BenchResult, Row
from edgeecho.errors import DataError
from edgeecho.report.page.svg import Axis
from tests.benchmarks.made_results import FAILURE, made_result
from tests.benchmarks.printed import printed

DOCS = Path(__file__).parents[2] / "docs"
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Tags and text of a page; an assertion fails if tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.fixture(scope="module")
def result() -> BenchResult:
    return made_result()


@pytest.fixture(scope="module")
def html(result: BenchResult) -> str:
    return render_page(result)


def test_page_shows_every_row_and_error_and_nests(result: BenchResult, html: str) -> None:
    page = Page(html)
    for row in result.rows:
        assert row_name(row) in page.text
        if row.error:
            assert row.error in page.text
    lines = [tag for tag, _ in page.tags].count("tr")
    assert lines == len(result.rows) + 1 + 3  # a head, two estimates and theirs
    for words in (result.machine["cpu"], *map(str, result.protocol), result.protocol["isolation"]):
        assert words in page.text
    for words in (
        "not a medical device",
        "Raspberry Pi 5",
        "not measurements",
        "Live, 50 frames",
        "whole cine",
        "Layers",
    ):
        assert words in page.text


def test_page_stands_alone_and_names_are_harmless(html: str) -> None:
    page = Page(html)
    loading = {"src", "href", "srcset", "data", "action", "poster"}
    assert not [tag for tag, given in page.tags if loading & set(given)]
    without_names = html.replace("http://www.w3.org/2000/svg", "")  # a name, nothing that is fetched
    assert not re.search(r"https?:|//\w|url\(|@import", without_names.split("<script>")[0])
    assert "<b>" not in html
    assert "&lt;b&gt;x&lt;/b&gt;&amp;y" in html


def test_page_can_be_read_by_everyone(html: str) -> None:
    page = Page(html)
    assert ("html", {"lang": "en"}) in page.tags
    plots = [given for tag, given in page.tags if tag == "svg"]
    assert len(plots) == 10  # five plots, each wide and narrow
    assert all(given["role"] == "img" and given["aria-label"] for given in plots)
    assert {float(given["width"] or 0) for given in plots} == {WIDE_PX, NARROW_PX}
    assert "prefers-color-scheme: dark" in html
    assert "width=device-width" in html
    heads = [given for tag, given in page.tags if tag == "th"]
    assert all("scope" in given for given in heads)


def test_results_of_schema_1_are_shown_without_accuracy() -> None:
    old = BenchResult.from_json(DOCS / "bench-cpu-vnni.json")
    assert old.rows[0].ms_per_frame == pytest.approx((old.rows[0].p50_ms or 0) / 32, abs=1e-4)
    page = Page(render_page(old))
    assert "No row has accuracy" in page.text
    assert "Live" not in page.text
    assert all(row.model in page.text for row in old.rows)


def test_interrupted_results_are_marked_everywhere(result: BenchResult, tmp_path: Path) -> None:
    for complete, marked in ((True, False), (False, True)):
        some = replace(result, complete=complete)
        for path in write_results(some, tmp_path):
            if path.suffix in (".md", ".html"):
                assert ("Interrupted" in path.read_text()) is marked
        assert json.loads((tmp_path / "bench.json").read_text())["complete"] is complete


def test_an_empty_result_makes_a_page() -> None:
    empty = BenchResult(machine={}, protocol={}, rows=[])
    assert "No row was timed" in Page(render_page(empty)).text
    only_errors = replace(empty, rows=[Row(model="x", runtime="ort", precision_asked=None, threads=1, error="gone")])
    assert "gone" in Page(render_page(only_errors)).text
    assert "gone" in render_markdown(only_errors)
    assert "gone" in printed(render_table, only_errors)


def test_files_are_written_and_read_back(result: BenchResult, tmp_path: Path) -> None:
    paths = write_results(result, tmp_path / "new")
    assert [path.name for path in paths] == ["bench.json", "bench.csv", "bench.md", "bench.html"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in paths)
    assert BenchResult.from_json(paths[0]) == result


def test_csv_holds_each_row_unrounded(result: BenchResult) -> None:
    lines = list(csv.DictReader(io.StringIO(render_csv(result))))
    assert len(lines) == len(result.rows)
    assert list(lines[0]) == csv_header()
    for row, line in zip(result.rows, lines, strict=True):
        assert (line["model"], line["error"]) == (row.model, row.error or "")
        for name in ("p50_ms", "p99_ms", "params", "speedup_vs_unet3d"):
            value = getattr(row, name)
            assert line[name] == ("" if value is None else str(value))
        assert line["accuracy_dice_ed"] == str((row.accuracy or {}).get("dice_ed", ""))
        assert line["live_used_p99"] == str((row.live or {}).get("used_p99", ""))
    mixed = next(line for line in lines if line["precision_run"] == "int8 15/18")
    assert mixed["convolutions_run"] == "int8:15 fp32:3"


def test_markdown_tables_are_rectangular(result: BenchResult) -> None:
    text = render_markdown(result)
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    assert text.count("\n## ") == 8
    assert r"\<b\>x\</b\>&y" in text
    assert r"not \| a model" in text


@pytest.mark.parametrize("width", [80, 120])
def test_terminal_table_with_every_field(result: BenchResult, width: int) -> None:
    text = printed(render_table, result, width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    for words in ("stream", "int8 15/18", "EF error" if width == 80 else "EF", "decode", "keeps up", "--json", "clip"):
        assert words in text
    assert FAILURE in " ".join(text.split())
    assert ("EF n" in text) is (width == 80)  # accuracy has a table of its own only where the main one has no room


def test_front_by_hand() -> None:
    row = Row(model="x", runtime="ort", precision_asked="int8", threads=1)
    slow, best, quick, beaten, twin = (Point(row, *at) for at in ((9, 0.93), (5, 0.95), (1, 0.9), (6, 0.94), (5, 0.91)))
    assert front([slow, best, quick, beaten, twin]) == [quick, best]


def test_plots_take_rows_of_one_data_set(result: BenchResult) -> None:
    rows = [replace(row) for row in result.rows]
    rows[0].accuracy = {"data": "another", "dice_ed": 1.0, "dice_es": 1.0}
    points = accuracy_points(replace(result, rows=rows))
    assert rows[0] not in [point.row for point in points]
    assert len(points) == sum(bool(row.accuracy) for row in rows) - 1
    drawing = draw_pareto(replace(result, rows=rows))
    assert drawing
    texts = ElementTree.fromstring(drawing.to_svg()).iter("{http://www.w3.org/2000/svg}text")
    names = [text.text or "" for text in texts if "strong" in (text.get("class") or "")]
    assert sorted(names) == ["cl_unet", "cl_unet_edge", "cl_unet_nano", "unet2d"]


def test_whiskers_reach_the_percentiles(result: BenchResult) -> None:
    row = replace(result.rows[0], p50_ms=32.0, ms_per_frame=1.0, p90_ms=64.0, p99_ms=320.0, frames_per_run=32)
    drawing = draw_latency([row])
    assert drawing
    whisker = next(part for part in drawing.parts if "polyline" in part and '"l2"' in part)
    start, end = (float(x) for x in re.findall(r"([\d.]+),", whisker))
    bar = next(part for part in drawing.parts if "rect" in part and '"f2"' in part)
    x, width = (float(v) for v in re.findall(r' (?:x|width)="([\d.]+)"', bar))
    assert x == pytest.approx(start, abs=0.2)
    assert width / (end - start) == pytest.approx(0.30103, abs=0.01)  # log10 of 2, over log10 of 10


def test_profile_keeps_the_slowest_layers_in_order() -> None:
    about = {"op": "Conv", "precision": "int8", "gmac_per_s": 9}
    layers = [{**about, "name": f"layer{i:03d}", "ms": i + 1} for i in range(90)]
    row = Row(model="x", runtime="ort", precision_asked="int8", threads=1, profile={"layers": layers})
    drawing = draw_profile(row)
    assert drawing
    names = re.findall(r">(layer\d+) Conv</text>", drawing.to_svg())
    assert names == [f"layer{i:03d}" for i in range(30, 90)]
    assert draw_profile(replace(row, profile={"layers": ["junk", {"ms": "x"}]})) is None


def test_ticks_are_round_and_inside() -> None:
    assert Axis(0.3, 250, 0, 100).ticks() == [0.5, 1, 2, 5, 10, 20, 50, 100, 200]
    assert Axis(0.3, 2500, 0, 100).ticks() == [1, 10, 100, 1000]
    assert Axis(0.921, 0.941, 0, 100, is_log=False).ticks() == [0.925, 0.93, 0.935, 0.94]
    assert Axis(1, 100, 10, 30).at(10) == pytest.approx(20)


def test_figures_in_words() -> None:
    figures = {0.05312: "0.0531", 0.2853: "0.285", 16.93: "16.9", 6831.1: "6 831", 0: "0.00", None: "-", "x": "-"}
    assert {value: significant(value) for value in figures} == figures
    assert [speedup(v) for v in (1, 3.8, 19.24, 748.09, 26519)] == ["1.0x", "3.8x", "19.2x", "748x", "26 519x"]
    assert number(float("nan")) == number(True) == "-"


def test_summary_says_what_is_compared_with_what(result: BenchResult) -> None:
    said = " ".join(summary(result))
    assert "cl_unet_nano, int8 in OpenVINO" in said
    assert "standard 3D U-Net's fp32" in said
    assert "that of its int8 in the same runtime" in said
    assert "Most accurate: cl_unet, fp32" in said
    assert "2 of 34 rows failed" in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"bench\.json: not JSON"),
        ("[1]", r"bench\.json: no result of edgeecho bench"),
        ('{"rows": [], "schema_version": 3}', r"schema version 3; this EdgeEcho reads 1 and 2"),
        ('{"rows": [], "schema_version": 2, "protocol": {}}', r"machine is missing"),
        ('{"rows": [7], "schema_version": 2, "machine": {}, "protocol": {}}', r"row 0 is no object"),
        (
            '{"rows": [{"model": "x"}], "schema_version": 2, "machine": {}, "protocol": {}}',
            r"row 0: runtime is missing",
        ),
        (
            '{"rows": [{"model": "x", "runtime": "ort", "threads": 1, "precision_asked": null, "p50_ms": "fast"}],'
            '"schema_version": 2, "machine": {}, "protocol": {}}',
            r"row 0: p50_ms is 'fast', expected float",
        ),
        (
            '{"rows": [{"model": "x", "runtime": "ort", "threads": 1, "precision_asked": null, "times_ms": [NaN]}],'
            '"schema_version": 2, "machine": {}, "protocol": {}}',
            r"row 0: times_ms",
        ),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        BenchResult.from_json(path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    with pytest.raises(DataError, match=r"cannot read gone\.json"):
        BenchResult.from_json(tmp_path / "gone.json")
