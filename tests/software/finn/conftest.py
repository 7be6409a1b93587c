import sys
from pathlib import Path

import pytest

from bitfold.errors import ToolNotFound
from bitfold.finn.estimate import environment
from bitfold.synth.environment import make_environment
from programs import lacking

sys.path.insert(0, str(Path(__file__).parent))
HOME = Path(__file__).parents[3] / "build" / "finn"


@pytest.fixture(scope="session")
def home() -> Path:
    """FINN's environment; without the package index the tests are skipped, and fail in CI."""
    try:
        make_environment(environment(), HOME)
    except ToolNotFound as error:
        lacking(str(error))
    return HOME
