"""Programs that no Python package brings."""

import os
import shutil

import pytest


def needed_program(*names: str, package: str) -> str:
    """Path of the first that is there; without any the test is skipped, and fails in CI."""
    for name in names:
        if found := shutil.which(name):
            return found
    message = f"{names[0]} not found; install it with: apt-get install {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
