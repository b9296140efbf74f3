"""The command line as a fixture, on stand-ins for the detectors."""

import pytest
from command_line import stand_ins
from sklearn.datasets import load_wine

from skanomaly.cli import _main


@pytest.fixture
def quick():
    with stand_ins():
        yield


@pytest.fixture
def run(quick, capsys):
    """Run the command; return its exit code, standard output and standard error."""

    def call(*arguments):
        code = _main.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def wine(tmp_path):
    path = tmp_path / "wine.csv"
    load_wine(as_frame=True).frame.to_csv(path, index=False)
    return path
