"""The map of the package's wings, read from the imports in its code.

``python docs/_wings.py`` prints the table, ``python docs/_wings.py map.png`` draws the map too.
Either fails where an import would run up, that is, where wings import each other in a circle.
"""

import argparse
import ast
import itertools
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "skanomaly"
#: Wings whose imports are drawn in the colour of their floor, from the ground up.
_COLOURS = ("#5b6770", "#2a7f62", "#2f6db5", "#8250a8", "#c05a1f", "#b0304f", "#7a6a00")
#: Of imports that a way over other wings implies.
_GREY = "#d3d7da"
_STEP, _STOREY, _HEIGHT = 1.7, 1.2, 0.17  # inches: between wings, floors, a box upward


def wings(package=PACKAGE):
    """Return {wing: its Python files}: the subpackages, and the modules that stand alone."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package)
        name = inside.parts[0] if len(inside.parts) > 1 else inside.stem
        if not name.startswith("_"):
            found.setdefault(name, []).append(path)
    return found


def imports(package=PACKAGE, *, public=True):
    """Return {wing: the wings that it imports}, whether above or inside a function.

    ``from skanomaly import ThresholdedDetector`` is an import of `meta`; without `public`, only
    what is imported from a wing itself counts.
    """
    files, homes = wings(package), public_names(package) if public else {}
    arrows = {}
    for wing, paths in files.items():
        names = {name for path in paths for name in _imported(path, package.name)}
        arrows[wing] = {homes.get(name, name) for name in names} & files.keys() - {wing}
    return arrows


def public_names(package=PACKAGE):
    """Return {public name: wing it comes from}, as the package's `__init__` says."""
    tree = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
    homes = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                homes[key.value] = value.value.split(".")[1]
    return homes


def _imported(path, package):
    """Yield the first name below the package of every import in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from _below(node.module, package)
        elif isinstance(node, ast.Import):
            yield from (name for alias in node.names for name in _below(alias.name, package))


def _below(module, package):
    first, *rest = module.split(".")
    return rest[:1] if first == package else []


def floors(arrows):
    """Return {wing: its floor}: 0 for wings that import none, else one above the highest."""
    floor, left = {}, dict(arrows)
    while left:
        ready = [wing for wing, below in left.items() if below <= floor.keys()]
        if not ready:
            raise ValueError(
                f"Imports run up: {', '.join(sorted(left))} import each other in a circle. "
                "Move what they share to a wing below them."
            )
        for wing in ready:
            below = left.pop(wing)
            floor[wing] = 1 + max((floor[name] for name in below), default=-1)
    return floor


def told(paths):
    """Return the first line of a wing's docstring."""
    own = next((path for path in paths if path.stem == "__init__"), paths[0])
    text = ast.get_docstring(ast.parse(own.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ")


def table(package=PACKAGE):
    """Return rows (floor, wing, what lives there, imports, number of modules), top floor first."""
    files, arrows = wings(package), imports(package)
    floor = floors(arrows)
    return [
        (
            floor[wing],
            wing,
            told(files[wing]),
            ", ".join(sorted(arrows[wing])) or "nothing",
            sum(path.stem != "__init__" for path in files[wing]),
        )
        for wing in sorted(files, key=lambda name: (-floor[name], name))
    ]


def as_rst(rows):
    """Return the table as reStructuredText."""
    head = ("Floor", "Wing", "What lives there", "Imports", "Modules")
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 6 14 44 30 8", ""]
    for row in (head, *rows):
        for start, cell in zip("*    ", row, strict=True):
            lines.append(
                f"   {start} - {cell}".replace("`", "``") if cell != "" else f"   {start} -"
            )
    return "\n".join(lines) + "\n"


def places(floor, arrows):
    """Return {wing: (x, y)}: each floor in the order with the shortest and clearest arrows."""
    storeys = {}
    for wing in sorted(floor):
        storeys.setdefault(floor[wing], []).append(wing)
    place = {}
    for level, names in sorted(storeys.items()):
        orders = itertools.product(itertools.permutations(names), (0, -0.5, 0.5))
        rows = (_row(order, shift, level) for order, shift in itertools.islice(orders, 20_000))
        place |= min(rows, key=lambda row: _cost(row, place, arrows))
    return place


def _row(names, shift, level):
    middle = (len(names) - 1) / 2 + shift
    return {name: (_STEP * (k - middle), level * _STOREY) for k, name in enumerate(names)}


def _cost(row, below, arrows):
    """Return the length of the arrows sideways, and much more for each box behind one."""
    cost = 0.0
    for wing, (x, y) in row.items():
        for x_end, y_end in (below[other] for other in arrows[wing]):
            cost += abs(x - x_end)
            for x_box, y_box in below.values():
                share = (y - y_box) / (y - y_end)
                hidden = 0 < share < 1 and abs(x + share * (x_end - x) - x_box) < 0.6 * _STEP
                cost += 3 * _STEP * hidden
    return cost


def implied(arrows):
    """Return the (wing, other) of `arrows` that a way over a third wing replaces."""
    reached = {}
    for wing in sorted(arrows, key=floors(arrows).get):
        reached[wing] = arrows[wing].union(*(reached[other] for other in arrows[wing]))
    return {
        (wing, other)
        for wing, below in arrows.items()
        for other in below
        if any(other in reached[third] for third in below)
    }


def draw(path, package=PACKAGE):
    """Draw the map: a box for a wing, an arrow down to each wing that it imports."""
    from matplotlib.figure import Figure

    arrows, direct = imports(package), imports(package, public=False)
    floor, shorter = floors(arrows), implied(arrows)
    place = places(floor, {w: {o for o in arrows[w] if (w, o) not in shorter} for w in arrows})
    xs, ys = zip(*place.values(), strict=True)
    figure = Figure(figsize=(max(xs) - min(xs) + 2, max(ys) + 1))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(min(xs) - 1, max(xs) + 1), ylim=(-0.5, max(ys) + 0.5))
    ax.set_axis_off()
    for wing, at in place.items():
        _box(ax, wing, at, _colour(floor[wing]))
        for other in arrows[wing]:
            style = {"color": _colour(floor[wing]), "lw": 1.6, "zorder": 2}
            if (wing, other) in shorter:
                style = {"color": _GREY, "lw": 0.9, "zorder": 1}
            dashes = "-" if other in direct[wing] else "--"
            _arrow(ax, at, place[other], linestyle=dashes, **style)
    figure.savefig(path, dpi=150)


def _colour(level):
    return _COLOURS[level % len(_COLOURS)]


def _arrow(ax, start, end, **style):
    start, end = (start[0], start[1] - _HEIGHT), (end[0], end[1] + _HEIGHT)
    style = {"arrowstyle": "-|>", "shrinkA": 0, "mutation_scale": 11, **style}
    ax.annotate("", xy=end, xytext=start, arrowprops=style, zorder=style.pop("zorder"))


def _box(ax, wing, at, colour):
    ax.text(
        *at, wing, ha="center", va="center", fontsize=11, color="white", zorder=3,
        bbox={"boxstyle": "round,pad=0.4", "facecolor": colour, "edgecolor": "white"},
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("picture", nargs="?", help="file to draw the map to (.png or .svg)")
    arguments = parser.parse_args()
    for floor, wing, about, below, _ in table():
        print(f"{floor}  {wing:16} {about}\n   {'':16} imports {below}")
    if arguments.picture:
        draw(arguments.picture)


if __name__ == "__main__":
    main()
