"""The RTL and memory images of a design as Vivado reads them: one flat folder.

Vivado looks a $readmemh file up beside the source that names it and among the project's own files,
so the images lie with the RTL and their names in the RTL lose the folder.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from bitfold.amd.vivado_top import FILE, PARTS, top_text
from bitfold.compiler.design import TOP as ACCELERATOR
from bitfold.compiler.design import Design
from bitfold.errors import ArtefactError
from bitfold.hardware import hardware_folder, needed_files, without_comments
from bitfold.synth.source import Source, design_source, reading_order

FOLDER = "src"
_IMAGE = re.compile(r'"mem/([^"]*)"')


def packaged_source(design: Design, target: str) -> Source:
    """bf_axi_top with the accelerator and what it reads; all names flat, as in `src/`.

    Raises: ConfigError, ArtefactError where an image is missing or two have one name.
    """
    inner = flat_source(design)
    more = needed_files(hardware_folder() / "rtl", *PARTS)
    rtl = {path.name: path.read_bytes() for path in more} | dict(inner.rtl)
    rtl[FILE] = top_text(design, target).encode()
    top = FILE.removesuffix(".v")
    return Source(top=top, rtl=rtl, data=inner.data, parameters={})


def flat_source(design: Design) -> Source:
    """The accelerator alone, its files without folders. Raises: as above."""
    source = design_source(design)
    rtl = _flat(design, source.rtl)
    data = _flat(design, source.data)
    text = _IMAGE.sub(r'"\1"', rtl[f"{ACCELERATOR}.sv"].decode())
    rtl[f"{ACCELERATOR}.sv"] = text.encode()
    return Source(top=ACCELERATOR, rtl=rtl, data=data, parameters={})


def _flat(design: Design, files: Mapping[str, bytes]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, content in files.items():
        flat = PurePosixPath(name).name
        if flat in found:
            raise ArtefactError(
                f"{design.folder}: two files are called {flat!r}; run `bitfold compile` again"
            )
        found[flat] = content
    return found


def source_files(source: Source) -> dict[str, bytes]:
    """Where the files lie in the build."""
    return {f"{FOLDER}/{name}": content for name, content in {**source.rtl, **source.data}.items()}


def rtl_names(source: Source) -> tuple[str, ...]:
    """RTL in reading order, with the folder."""
    return tuple(f"{FOLDER}/{name}" for name in reading_order(source.rtl))


def image_names(source: Source) -> tuple[str, ...]:
    """Memory images, with the folder."""
    return tuple(f"{FOLDER}/{name}" for name in sorted(source.data))


def image_complaints(source: Source) -> tuple[str, ...]:
    """Images that the RTL names and that are not there, and images that nothing reads.

    A module that has an image for each lane is given what their names begin with.
    """
    text = "".join(without_comments(rtl.decode()) for rtl in source.rtl.values())
    named = set(re.findall(r'File\s*\(\s*"([^"]+)"', text))
    named |= set(re.findall(r'\$readmemh\(\s*"([^"]+)"', text))
    found = [
        f"image {name!r} is named by the RTL and not there"
        for name in sorted(named)
        if not any(_reads(name, image) for image in source.data)
    ]
    return (
        *found,
        *(
            f"image {image!r} is read by nothing"
            for image in sorted(source.data)
            if not any(_reads(name, image) for name in named)
        ),
    )


def _reads(name: str, image: str) -> bool:
    if name.endswith(".mem"):
        return name == image
    return re.fullmatch(re.escape(name) + r"\d+\.mem", image) is not None
