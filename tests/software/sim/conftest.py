from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def verilator_cache() -> Path:
    """Simulators are kept between runs."""
    return Path(__file__).resolve().parents[3] / "build" / "verilator"
