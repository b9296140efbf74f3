"""Looks at every page in a headless Chromium: nothing may stick out, everything must be legible.

``python docs/check_pages.py docs/_build/html`` opens each page at 1300 and 390 pixels, light and
dark, and measures: whether the page scrolls sideways, whether something sticks out, whether code
is cut where there is room for it, whether the navigation stands on one line, and the contrast of
text with its ground (4.5 to 1, or 3 to 1 for large text, as WCAG 2 has it). The exit status is 1
where a page fails, 77 where there is no Chromium. ``--shots FOLDER`` keeps pictures of them.
"""

import argparse
import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

SIZES = ((1300, 2000), (390, 2600))
SCHEMES = ("light", "dark")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip
#: Pages that one browser looks at.
AT_ONCE = 5
#: Programs that may be Chromium.
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
#: Measures the page in the frame and writes what it finds into the page around it.
PROBE = """
const luminance = ([r, g, b]) => {
  const part = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const rgba = text => {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
};
const over = (top, under) => [0, 1, 2].map(k => top[k] * top[3] + under[k] * (1 - top[3]));
function ground(element, view) {
  const layers = [];
  for (let e = element; e; e = e.parentElement) {
    const colour = rgba(view.getComputedStyle(e).backgroundColor);
    if (colour[3] > 0) layers.push(colour);
    if (colour[3] >= 1) break;
  }
  return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
}
function measure(view) {
  const page = view.document, found = [], wide = page.documentElement.clientWidth;
  const say = (kind, element, more) => found.push(
    `${kind}: ${element.tagName.toLowerCase()}.${element.className} ` +
    `"${(element.textContent || element.alt || "").trim().slice(0, 40)}" ${more}`);
  if (page.documentElement.scrollWidth > wide + 1)
    found.push(`scrolls sideways: ${page.documentElement.scrollWidth} of ${wide} pixels`);
  const scrolls = e => {
    for (; e && e !== page.body; e = e.parentElement)
      if (/auto|scroll|hidden/.test(view.getComputedStyle(e).overflowX)) return true;
    return false;
  };
  for (const e of page.querySelectorAll("main *")) {
    const box = e.getBoundingClientRect();
    if (box.width && box.right > wide + 1 && !scrolls(e.parentElement) && !scrolls(e))
      { say("sticks out", e, Math.round(box.right - wide) + " pixels"); break; }
  }
  for (const e of page.querySelectorAll("main pre"))
    if (wide > 1000 && e.clientWidth && e.scrollWidth > e.clientWidth + 1)
      say("code is cut", e, e.scrollWidth - e.clientWidth + " pixels");
  const links = [...page.querySelectorAll(".bd-header .navbar-nav > li > .nav-link")]
    .filter(e => e.offsetParent);
  if (new Set(links.map(e => Math.round(e.getBoundingClientRect().top))).size > 1)
    found.push("the navigation takes more than one line");
  const seen = new Set();
  for (const e of page.querySelectorAll("body *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.offsetParent || !e.getClientRects().length) continue;
    const style = view.getComputedStyle(e);
    if (style.visibility !== "visible" || +style.opacity < 0.1) continue;
    const under = ground(e, view), text = over(rgba(style.color), under);
    const [a, b] = [luminance(text), luminance(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.6 && +style.fontWeight >= 700);
    const key = style.color + under;
    if (ratio < (large ? 3 : 4.5) && !seen.has(key))
      { seen.add(key); say("contrast", e, ratio.toFixed(2)); }
  }
  for (const e of page.querySelectorAll("main img"))
    if (e.complete && !e.naturalWidth) say("picture is missing", e, e.getAttribute("src"));
  return found;
}
"""
FRAME = """<!doctype html><meta charset="utf-8"><style>body{margin:0}iframe{border:0;display:block}
</style><script>%(probe)s
const jobs = %(jobs)s, results = {};
async function next() {
  for (const job of jobs) {
    const frame = document.createElement("iframe");
    frame.width = job.width; frame.height = 1200; frame.src = job.page;
    document.body.append(frame);
    await new Promise(done => { frame.onload = done; setTimeout(done, 20000); });
    const root = frame.contentDocument.documentElement;
    // colours at once, not halfway from one scheme to the other
    const still = frame.contentDocument.createElement("style");
    still.textContent = "* { transition: none !important; animation: none !important; }";
    frame.contentDocument.head.append(still);
    root.dataset.mode = root.dataset.theme = job.scheme;
    await new Promise(done => setTimeout(done, 60));
    results[`${job.page} ${job.width} ${job.scheme}`] = measure(frame.contentWindow);
    frame.remove();
  }
  await fetch("/results", {method: "POST", body: JSON.stringify(results)});
}
window.onload = next;
</script><body></body>"""


class Server(http.server.SimpleHTTPRequestHandler):
    """Serves the pages, the page that measures them, and takes what it has found."""

    def do_GET(self):
        if self.path != "/_check":
            return super().do_GET()
        body = self.server.frame.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.results = json.loads(self.rfile.read(length))
        self.send_response(204)
        self.end_headers()
        self.server.done.set()

    def log_message(self, *arguments):
        """Say nothing."""


def find_chromium():
    """Return the program, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def pages_of(folder):
    """Return the pages below a folder that readers see."""
    left_out = re.compile(
        r"^(_modules|_static|_sources|_images)/|^(genindex|py-modindex|search)\."
    )
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    return sorted(path for path in paths if not left_out.search(path))


def measure(chromium, folder, pages, timeout):
    """Return {page, size and scheme: what is wrong}."""
    jobs = [
        {"page": f"/{page}", "width": width, "scheme": scheme}
        for page in pages
        for width, _ in SIZES
        for scheme in SCHEMES
    ]
    handler = functools.partial(Server, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.frame = FRAME % {"probe": PROBE, "jobs": json.dumps(jobs)}
        server.done, server.results = threading.Event(), None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with tempfile.TemporaryDirectory() as profile:
            address = f"http://127.0.0.1:{server.server_port}/_check"
            options = [*FLAGS, f"--user-data-dir={profile}", "--remote-debugging-port=0", address]
            silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            browser = subprocess.Popen([chromium, *options], **silent)
            try:
                if not server.done.wait(timeout):
                    raise SystemExit(f"Chromium has not finished in {timeout} seconds")
            finally:
                browser.terminate()
                browser.wait()
                server.shutdown()
    return server.results


def take_shots(chromium, folder, pages, shots):
    """Write a picture of each page and size into a folder."""
    shots.mkdir(parents=True, exist_ok=True)
    for page in pages:
        for width, height in SIZES:
            name = f"{page.removesuffix('.html').replace('/', '_')}_{width}.png"
            with tempfile.TemporaryDirectory() as profile:
                options = [
                    *FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}",
                    f"--screenshot={shots / name}", (folder / page).resolve().as_uri(),
                ]  # fmt: skip
                subprocess.run([chromium, *options], check=True, capture_output=True, timeout=120)


def main():
    parser = argparse.ArgumentParser(description=html.unescape(__doc__.split("\n")[0]))
    parser.add_argument("folder", type=Path, help="where sphinx-build has written the pages")
    parser.add_argument("--only", default="", help="pages whose name holds this")
    parser.add_argument("--shots", type=Path, help="folder to write pictures of the pages to")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for five pages")
    arguments = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        print("no Chromium, pages were not looked at: install it (apt-get install chromium)")
        return 77
    pages = [page for page in pages_of(arguments.folder) if arguments.only in page]
    if not pages:
        raise SystemExit(f"no pages in {arguments.folder}: run sphinx-build first")
    if arguments.shots:
        take_shots(chromium, arguments.folder, pages, arguments.shots)
    n_views = n_wrong = 0
    for start in range(0, len(pages), AT_ONCE):
        some = pages[start : start + AT_ONCE]
        results = measure(chromium, arguments.folder, some, arguments.timeout)
        wrong = {where: found for where, found in results.items() if found}
        for where, found in wrong.items():
            print(where, *found, sep="\n    ", flush=True)
        n_views, n_wrong = n_views + len(results), n_wrong + len(wrong)
    print(f"{len(pages)} pages, {n_views} views, {n_wrong} with something wrong")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
