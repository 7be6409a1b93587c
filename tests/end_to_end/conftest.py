"""One small run, made with the command line, that the tests of this folder share."""

from pathlib import Path

import pytest

from bitfold.cli import main

RUN_FILE = """
[data]
name = "digits"
[model]
name = "convnet"
channels = [4, 6]
pools = [1, 2]
[train]
float_epochs = 4
finetune_epochs = 3
compare_epochs = 1
[search]
method = "limpq"
bits = [2, 3, 4]
first_last = "search"
epochs = 1
[budget]
kind = "bitops"
like_uniform = 3
"""


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `bitfold search` filled; tests copy it before they change it."""
    base = tmp_path_factory.mktemp("path")
    (base / "tiny.toml").write_text(RUN_FILE)
    folder = base / "build" / "digits"
    assert main.run(["search", str(base / "tiny.toml"), "-o", str(folder)]) == 0
    return folder
