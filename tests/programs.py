"""What a test needs and this machine may lack: skipped there, but a failure in CI."""

import os
import shutil
from typing import NoReturn

import pytest


def needed_program(*names: str, package: str) -> str:
    """Path of the first that is there; without any the test is skipped, and fails in CI."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        lacking(f"{names[0]} not found; install it with: apt-get install {package}")
    return found


def lacking(message: str) -> NoReturn:
    """Skip the test; in CI, which installs everything, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
