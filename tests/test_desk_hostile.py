"""Titles, bylines, claims and addresses that try to break out: nothing of them runs, on no page and in no export."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import browser as chromium
import httpx
import pytest
from browser import PHONE, Visit
from desk_crawl import Found, crawl, routes
from desk_poison import FORMULA, OVERRIDE, POISON, SUM, poison
from desk_site import Site, served
from lxml import etree

from pipeline.adapters.postgres import EmbeddedServer

# What the poison would leave behind in a document that took it for markup.
TRACES = """() => [
  ...[...document.querySelectorAll("script")].filter((e) => !(e.getAttribute("src") || "").startsWith("/static/")),
  ...document.querySelectorAll("[onerror], [onload], [onclick], base, img[src='/x'], form[action*=evil], style"),
  ...[...document.querySelectorAll("a[href], area[href], form[action], iframe")].filter(
    (e) => !/^(https?:|mailto:)/.test(e.href || e.action || "")),
].map((e) => e.outerHTML.slice(0, 200))"""
# Blocks of text in which something follows the override that nothing keeps apart from it.
TURNED = """(mark) => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    if (!node.data.includes(mark)) continue;
    let depth = 0;
    for (const c of node.data) {
      if ("\\u202a\\u202b\\u202d\\u202e\\u2066\\u2067\\u2068".includes(c)) depth += 1;
      if ("\\u202c\\u2069".includes(c)) depth -= 1;
    }
    if (depth <= 0) continue;
    let held = false;
    for (let e = node.parentElement; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      held = held || style.unicodeBidi.includes("isolate");
      if (style.display !== "inline") break;
    }
    if (!held) found.push(node.parentElement.outerHTML.slice(0, 160));
  }
  return found;
}"""
csv.field_size_limit(2**24)  # the longest title is above the default
pytestmark = pytest.mark.timeout(900)  # every page, in a browser, on whatever machine
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def site(pg: EmbeddedServer, newsroom_2024: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(pg, newsroom_2024, tmp_path_factory.mktemp("hostile"), poison) as one:
        yield one


@pytest.fixture(scope="module")
def found(site: Site) -> list[Found]:
    with httpx.Client(base_url=site.base, timeout=60) as client:
        return crawl(client, site.app)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium.launched() as one:
        yield one


def test_pages_show_it_and_run_nothing(site: Site, found: list[Found], browser: Any) -> None:
    wrong: dict[str, list[str]] = {}
    shown = 0
    with Visit(browser, site.base) as visit:
        for one in found:
            assert one.status == 200, one.path
            if not one.html:
                continue
            page = visit.to(one.path)
            traces = page.evaluate(TRACES) + [f"turns: {t}" for t in page.evaluate(TURNED, OVERRIDE)]
            traces += visit.troubles()
            if ran := page.evaluate("window.pwned"):
                traces.append(f"ran: {ran}")
            text = page.evaluate("document.documentElement.textContent")
            shown += POISON in text
            if SUM in text:
                traces.append("a template was read twice")
            if traces:
                wrong[one.path] = traces[:6]
    assert not wrong, "\n".join(f"{path}:\n  " + "\n  ".join(traces) for path, traces in wrong.items())
    assert shown > 5, "what is not shown proves nothing"


def test_a_title_of_a_megabyte_does_not_make_a_page_of_megabytes(found: list[Found]) -> None:
    sizes = {one.path: len(one.body) for one in found if one.html}
    assert max(sizes.values()) < 1_500_000, sizes


def test_a_phone_is_not_made_to_scroll(site: Site, found: list[Found], browser: Any) -> None:
    with Visit(browser, site.base, size=PHONE) as visit:
        for one in found:
            if one.html and one.first:
                visit.to(one.path)
                assert visit.overflow() == [], one.path


def test_exports_hold_it_as_text(found: list[Found]) -> None:
    kinds = {one.type.split(";")[0] for one in found}
    for one in found:
        if one.type.startswith("application/atom+xml"):
            check_atom(one)
        elif one.type.startswith("text/csv"):
            check_csv(one.body.decode("utf-8-sig"))
        elif one.type.startswith("application/zip"):
            check_zip(one.body)
        elif one.type.startswith("application/json"):
            json.loads(one.body)
    assert {"application/atom+xml", "text/csv", "application/zip"} <= kinds, kinds


def check_atom(one: Found) -> None:
    tree = etree.fromstring(one.body, etree.XMLParser(resolve_entities=False))
    assert tree.tag == f"{ATOM}feed"
    assert {element.tag.partition("}")[0].strip("{") for element in tree.iter(etree.Element)} <= {ATOM.strip("{}")}
    for link in tree.iter(f"{ATOM}link"):
        assert urlsplit(link.get("href")).scheme in ("http", "https"), link.get("href")
    for content in tree.iter(f"{ATOM}content", f"{ATOM}summary", f"{ATOM}title"):
        if content.get("type") == "html":  # read as HTML by the feed reader: the escaped text must be escaped again
            inner = etree.HTML(f"<div>{content.text}</div>")
            assert not inner.xpath("//script | //img | //svg | //form | //*[@onerror or @onload]")
            assert not [a for a in inner.xpath("//a/@href") if not a.startswith(("http://", "https://"))]


def check_csv(text: str) -> None:
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            dangerous = cell.startswith(("=", "+", "@", "\t", "\r")) or (cell.startswith("-") and not number(cell))
            assert not dangerous, cell[:80]


def number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def check_zip(body: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(body)) as packet:
        assert packet.testzip() is None
        for name in packet.namelist():
            assert not name.startswith("/") and ".." not in Path(name).parts and name.isprintable(), name
            content = packet.read(name)
            if name.endswith(".csv"):
                check_csv(content.decode("utf-8-sig"))
            elif name.endswith((".html", ".svg")):
                tree = etree.HTML(content.decode())
                assert not tree.xpath("//script | //img[@src='/x'] | //form | //base | //*[@onerror or @onload]"), name
                assert not [a for a in tree.xpath("//a/@href") if a.lower().startswith(("javascript:", "data:"))], name
            elif name.endswith((".json", ".jsonld")):
                json.loads(content)


HOSTILE_VALUES = (
    "\0",
    "'",
    '"><script>',
    "%",
    "\\",
    "🜁" * 50,
    "-1",
    "9" * 40,
    "nan",
    "2024-02-31",
    "9999-12-31",
    "{{1}}",
)


@pytest.mark.parametrize("value", HOSTILE_VALUES, ids=ascii)
def test_no_value_breaks_a_page(site: Site, value: str) -> None:
    """In the path and in every parameter that a page takes: an answer in words, never a fault of ours."""
    with httpx.Client(base_url=site.base, timeout=60) as client:
        for route in routes(site.app):
            path = route.path
            for part in route.param_convertors:
                path = path.replace(f"{{{part}}}", quote(value, safe=""))
            if route.param_convertors:
                check_answer(client.get(path), value)
            for parameter in query_names(route):
                if not route.param_convertors:
                    check_answer(client.get(path, params={parameter: value}), value)


def query_names(route: Any) -> list[str]:
    flat = list(route.dependant.query_params)
    for inner in route.dependant.dependencies:
        flat += inner.query_params
    return [parameter.alias for parameter in flat]


def check_answer(answer: httpx.Response, value: str) -> None:
    assert answer.status_code < 500, (str(answer.url), answer.text[:300])
    if "<script>" in value and answer.headers.get("content-type", "").startswith("text/html"):
        assert value not in answer.text, str(answer.url)


def test_login_page_escapes_where_it_leads(
    pg: EmbeddedServer, newsroom_2024: str, tmp_path: Path, browser: Any
) -> None:
    with (
        served(pg, newsroom_2024, tmp_path, password="correct horse") as one,
        Visit(browser, one.base) as visit,
    ):
        page = visit.to("/login?next=" + quote(POISON))
        assert page.evaluate(TRACES) + visit.troubles() == []
        assert page.locator("input[name=next]").input_value() == "/"


def test_the_poison_is_poisonous(browser: Any) -> None:
    """In a page that forgets to escape, it does run: else the tests above would prove nothing."""
    context = browser.new_context()
    page = context.new_page()
    page.route("**/*", lambda route: route.fulfill(body=f"<p>{POISON}</p>", content_type="text/html"))
    page.goto("http://careless.example/")
    assert page.evaluate("window.pwned") in ("tag", "svg", "image")
    assert page.evaluate(TRACES)
    assert FORMULA.startswith("=")
    context.close()
