"""The page in a real browser: nothing sticks out, nothing complains, nothing is fetched."""

import re
import subprocess
from pathlib import Path

import pytest

from bitfold.report import read_run_folder, render
from programs import needed_program

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# A page of ours around the report: a frame of the wanted width, and what the browser finds in it.
PROBE = """<!doctype html><meta charset="utf-8"><body style="margin:0">
<iframe id="page" style="border:0;width:{width}px;height:9000px" srcdoc="{page}"></iframe>
<pre id="out"></pre>
<script>
const frame = document.getElementById("page");
frame.onload = () => setTimeout(() => {{
  const doc = frame.contentDocument, body = doc.body, view = doc.documentElement.clientWidth;
  const scrolls = e => e.closest(".scroll") || e.closest(".ticks") || e.closest(".ys");
  const wide = [...body.querySelectorAll("*")].filter(
    e => e.getBoundingClientRect().right > view + 1 && !scrolls(e)
  ).map(e => e.className || e.tagName);
  const style = frame.contentWindow.getComputedStyle(body);
  document.getElementById("out").textContent = JSON.stringify({{
    view, wide, overflow: doc.documentElement.scrollWidth - view,
    sections: doc.querySelectorAll("section").length,
    columns: frame.contentWindow.getComputedStyle(doc.querySelector(".page")).gridTemplateColumns
      .split(" ").length,
    fetched: frame.contentWindow.performance.getEntriesByType("resource").length,
    ink: style.color, page: style.backgroundColor, high: body.scrollHeight}});
}}, 300);
</script>"""


def look(page: str, width: int, tmp_path: Path) -> tuple[dict, str]:
    """What the browser finds on the page at a window width, and what it logs."""
    import html
    import json

    path = tmp_path / f"probe{width}.html"
    path.write_text(PROBE.format(width=width, page=html.escape(page, quote=True)))
    profile = tmp_path / f"profile{width}"
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    flags += ["--virtual-time-budget=5000", f"--user-data-dir={profile}", "--dump-dom"]
    done = subprocess.run(
        [needed_program(*BROWSERS, package="chromium"), *flags, path.as_uri()],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = re.search(r'<pre id="out">(.*?)</pre>', done.stdout)
    assert found, done.stderr[-2000:]
    assert found[1], done.stderr[-2000:]
    return json.loads(html.unescape(found[1])), done.stderr


@pytest.mark.parametrize(("width", "columns"), [(400, 1), (1280, 2)])
def test_the_page_fits_a_phone_and_a_desk(
    run_folder: Path, tmp_path: Path, width: int, columns: int
) -> None:
    found, log = look(render(read_run_folder(run_folder)), width, tmp_path)
    assert found["view"] == width
    assert found["wide"] == []
    assert found["overflow"] <= 0
    assert found["sections"] == 11
    assert found["columns"] == columns
    assert found["fetched"] == 0
    assert found["ink"] != found["page"]
    assert "CONSOLE" not in log, log


def test_a_console_message_would_be_seen(run_folder: Path, tmp_path: Path) -> None:
    """The check above can fail: the page's own policy makes a script in it complain."""
    page = render(read_run_folder(run_folder)).replace("</main>", "<script>1</script></main>")
    _, log = look(page, 400, tmp_path)
    assert "CONSOLE" in log
