"""Follows every link between built pages; ``python docs/check_links.py docs/_build/html``.

Needs no network: links to other sites are not followed. Fails where a page, a picture, a download
or a place on a page that a link names does not exist.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, and the places on it that links can name."""

    def __init__(self, path):
        super().__init__()
        self.links, self.places = [], {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        """Collect what matters of a tag."""
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.places.add(value)
            elif value and name in ("href", "src"):
                self.links.append(value)


def broken_links(folder):
    """Return (page, link) of those that lead nowhere."""
    folder = folder.resolve()
    paths = (path for path in folder.rglob("*.html") if "_static" not in path.parts)
    pages = {path: Page(path) for path in paths}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            address = urlsplit(link)
            if address.scheme or address.netloc:
                continue
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            target = target / "index.html" if target.is_dir() else target
            places = pages[target].places if target in pages else {unquote(address.fragment)}
            if not target.exists() or unquote(address.fragment) not in places:
                broken.append((path.relative_to(folder).as_posix(), link))
    return sorted(set(broken))


def main():
    """Print links that lead nowhere and return the exit status."""
    broken = broken_links(Path(sys.argv[1]))
    for page, link in broken:
        print(f"{page}: {link}")
    print(f"{len(broken)} links lead nowhere")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
