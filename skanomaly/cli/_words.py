"""How the command line words things: counts, lists, values, and errors of one line."""


class CommandError(Exception):
    """What the user has to hear in one line, instead of a traceback."""


def shortened(value, at_most=24):
    text = "".join(letter if letter.isprintable() else " " for letter in str(value))
    return text if len(text) <= at_most else text[: at_most - 3] + "..."


def shown(value):
    return repr(value) if isinstance(value, str) else str(value)


def listed(values, at_most=10):
    return joined([shown(value) for value in values], at_most)


def joined(parts, at_most=10):
    rest = len(parts) - at_most
    return ", ".join(parts[:at_most]) + (f" and {rest} more" if rest > 0 else "")


def count(number, one, many=None):
    return f"{number} {one if number == 1 else many or one + 's'}"


def percent(share):
    return f"{share:.0%}" if share >= 0.01 else "<1%"


def size(n_bytes):
    """Return a number of bytes as people say it."""
    for unit in ("bytes", "KiB", "MiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.0f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.1f} GiB"


def one_line(message):
    return " ".join(str(message).split())


def reason(error):
    return getattr(error, "strerror", None) or str(error)
