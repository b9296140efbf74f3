"""Packages that not everybody needs: imported where they are used, named where they lack.

Owns the message alone.
"""

import importlib


def import_extra(module, extra, user):
    """Return a module of an optional package.

    Parameters
    ----------
    module : str
        Full name of the module.
    extra : str
        The extra of skanomaly that installs it.
    user : str
        What needs it, for the message.

    Raises
    ------
    ImportError
        If it is not installed.

    Examples
    --------
    >>> from skanomaly.utils._extras import import_extra
    >>> import_extra("json", "io", "This example").dumps([1])
    '[1]'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.split(".")[0]
        raise ImportError(
            f"{user} needs the package {package}, which is not installed or does not load "
            f"({error}). Install it with: pip install 'skanomaly[{extra}]'"
        ) from error
