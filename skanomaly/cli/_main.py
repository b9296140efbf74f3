"""The command line: ``skanomaly detect``, ``fit``, ``score``, ``explain``, ``info``, ``compare``.

Owns the exit codes, and what becomes of errors and interrupts. Each command is a module of its
name, the arguments are in ``cli._arguments``. Everything heavy is imported inside functions, so
that ``--help`` is quick.

Results go to standard output; progress, notes and errors go to standard error. A wrong argument
or a bad file ends in one line and exit code 2, drift that ``--fail-on-drift`` minds in 3, an
interrupt in 130, a closed pipe in 141, a request to end in 143.
"""

import contextlib
import importlib
import os
import signal
import sys
import warnings

from skanomaly.cli._arguments import make_parser
from skanomaly.cli._cache import use_cache
from skanomaly.cli._outputs import remove_unfinished
from skanomaly.cli._saying import say, show_warning
from skanomaly.cli._words import CommandError, one_line, reason

_NAMES = ("detect", "fit", "score", "explain", "info", "compare")


def run():
    """Run the command line as a process of its own, which signals end without a trace."""
    _occupy_closed_streams()
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        signal.signal(number, lambda *_, code=code: _end(code))
    use_cache()
    sys.exit(main())


def _end(code):
    """End the process at once, wherever it is: libraries swallow exceptions in odd places."""
    remove_unfinished()
    with contextlib.suppress(Exception):
        os.write(2, b"\nskanomaly: interrupted\n" if code == 130 else b"\nskanomaly: ended\n")
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    os._exit(code)


def _occupy_closed_streams():
    """Open the null device for closed streams, lest another file gets their number."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def main(argv=None):
    """Run the command line and return the exit code.

    Parameters
    ----------
    argv : list of str, default=None
        The arguments after the program's name. None takes those of the process.

    Returns
    -------
    code : int
        0 when all went well, 2 for a wrong argument or a bad file, 3 for drift that was to be
        told so, 130 after an interrupt, 141 when whoever read the output stopped reading.

    Examples
    --------
    >>> from skanomaly.cli._main import main
    >>> main(["--version"])
    skanomaly ...
    0
    """
    try:
        code = _run(argv)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except CommandError as error:
        return _stop(error, 2)
    except MemoryError:
        return _stop("not enough memory for this table", 2)
    except KeyboardInterrupt:
        say("skanomaly: interrupted")
        return 130
    except BrokenPipeError:
        _silence(sys.stdout)
        return 141
    except OSError as error:  # such as a full disk behind standard output
        _silence(sys.stdout)
        return _stop(reason(error), 2)


def _run(argv):
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack letters that a file has
    parser = _parser()
    try:
        arguments, unknown = parser.parse_known_args(argv)
    except SystemExit as done:  # --help and --version
        return done.code or 0
    if unknown:
        which = " ".join(["skanomaly", *([arguments.command] if arguments.command else [])])
        raise CommandError(f"unrecognized arguments: {' '.join(unknown)} (see {which} --help)")
    if arguments.command is None:
        parser.print_help()
        return 0
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        for meant_for_developers in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", meant_for_developers)
        warnings.showwarning = show_warning
        return arguments.run(arguments) or 0


def _parser():
    return make_parser({name: _command(name) for name in _NAMES})


def _command(name):
    """Return what runs a command; its module is loaded only then."""

    def run(arguments):
        return getattr(importlib.import_module(f"skanomaly.cli._{name}"), name)(arguments)

    return run


def _stop(message, code):
    say(f"skanomaly: error: {one_line(message)}")
    return code


def _silence(stream):
    """Keep the interpreter from complaining once more, when it flushes the stream at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError, AttributeError):
        return  # not a file of the operating system, so there is nothing to close
