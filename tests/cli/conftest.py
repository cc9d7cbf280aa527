import pytest
from click.testing import CliRunner

from driftkit.cli import main


@pytest.fixture
def run():
    """Run driftkit with arguments, in this process, and give click's result."""

    def invoke(*args, **settings):
        return CliRunner().invoke(main, [str(arg) for arg in args], **settings)

    return invoke
