"""The driver of a PYNQ board, with a stand-in for pynq whose accelerator is the golden model."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import stand_in_pynq
from stand_in_pynq import Buffer, Fabric

from bitfold.amd.vivado_driver import driver_files, driver_json
from bitfold.amd.vivado_system import Addresses
from bitfold.compiler.compile import compile_graph
from bitfold.compiler.design import Design, stream_order
from bitfold.compiler.design import frame_bytes as design_frames
from bitfold.compiler.mode_file import Kept
from bitfold.compiler.modes import masked_modes
from bitfold.host.pynq_driver import (
    BoardError,
    frame_bytes,
    main,
    open_board,
    quantise,
    read_about,
    reals,
)
from bitfold.ir import Graph, quantise_input, run
from bitfold.sim.modes import held_run
from bitfold.sim.samples import random_samples
from integer_graphs import branching, mlp
from mode_graphs import modes_of

AT = Addresses(control=0x4000_0000, modes=0x4000_1000, dma=0x4001_0000)
MEMORY = 512 << 20


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Design:
    folder = tmp_path_factory.mktemp("images") / "design"
    return compile_graph(branching(), folder, source={}, fps=20_000)


@pytest.fixture(scope="module")
def modal(tmp_path_factory: pytest.TempPathFactory) -> Design:
    graph = mlp()
    modes = modes_of(graph, [{}, {"fc2": 1, "q1": 1}, {"fc3": 2, "in": 1}])
    folder = tmp_path_factory.mktemp("modal") / "design"
    return compile_graph(graph, folder, source={}, modes=modes, fps=50_000)


def codes_of(graph: Graph, frames: np.ndarray) -> np.ndarray:
    """The inverse of the driver's packing: integers (N, *shape) of frames (N, bytes)."""
    kind = graph.input_type
    shape = kind.shape if len(kind.shape) == 1 else (*kind.shape[1:], kind.shape[0])
    values = frames.reshape(len(frames), *shape).astype(np.int64)
    codes = values.transpose(0, 3, 1, 2) if values.ndim == 4 else values
    return (codes ^ 0x80) - 0x80 if kind.signed else codes


def computes(design: Design) -> Callable[[np.ndarray, int], np.ndarray]:
    graph = design.graph()

    def compute(frames: np.ndarray, mode: int) -> np.ndarray:
        codes = codes_of(graph, frames)
        return held_run(design, len(codes), mode if design.modes else None).golden(codes)

    return compute


Loaded = tuple[Path, Fabric]


def load(design: Design, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """A folder as it lies on the board, and the stand-in for what is loaded."""
    folder.mkdir(exist_ok=True)
    for name, content in driver_files(design, AT, MEMORY).items():
        (folder / name).write_bytes(content)
    for name in ("top.bit", "top.hwh"):
        (folder / name).write_text("x")
    fabric = Fabric(dict(read_about(folder)), computes(design))
    monkeypatch.setitem(sys.modules, "pynq", stand_in_pynq.module(fabric))
    return folder, fabric


@pytest.fixture
def loaded(images: Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    return load(images, tmp_path / "board", monkeypatch)


def test_frames_come_back_as_golden_integers(images: Design, loaded: Loaded) -> None:
    folder, fabric = loaded
    graph = images.graph()
    codes = random_samples(graph, 5, seed=7)
    golden = stream_order(graph, run(graph, codes))
    with open_board(folder) as board:
        assert board.ping().design_id == int(board.about["design_id"], 16)
        frames = frame_bytes(board.about, codes)
        assert (board.run_frames(frames) == golden).all()
        one = board.run(frames[3].tobytes())
        assert one.dtype == np.int64
        assert one.tolist() == golden[3].tolist()
    assert fabric.batches == [5, 1]
    assert fabric.recvchannel.waited == fabric.sendchannel.waited == 2
    assert Buffer.alive == 0


def test_long_runs_go_in_transfers_that_the_dma_can_count(images: Design, loaded: Loaded) -> None:
    folder, fabric = loaded
    graph = images.graph()
    codes = random_samples(graph, 7, seed=1)
    with open_board(folder) as board:
        stream = board.about["stream"]
        fabric.about["longest"] = 3 * stream["bus_bytes"] * stream["beats"] + 1
        board.about["longest"] = fabric.about["longest"]
        found = board.run_frames(frame_bytes(board.about, codes))
    assert (found == stream_order(graph, run(graph, codes))).all()
    assert fabric.batches == [3, 3, 1]


def test_modes_are_picked_by_the_register(
    modal: Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, fabric = load(modal, tmp_path / "board", monkeypatch)
    codes = random_samples(modal.graph(), 4, seed=3)
    with open_board(folder) as board:
        frames = frame_bytes(board.about, codes)
        for mode in (2, 0, 1, None):
            wanted = held_run(modal, 4, mode)
            golden = wanted.golden(codes)
            assert (board.run_frames(frames, mode) == golden).all()
            assert fabric.mode == (mode or 0)
            assert (reals(board.about, golden, mode) == wanted.reals(golden)).all()
        with pytest.raises(BoardError, match="mode 3 is asked for; the design has modes 0 to 2"):
            board.run_frames(frames, 3)


def test_planes_are_written_where_the_design_holds_them(
    modal: Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = mlp()
    kept = [{}, {"fc2": Kept(w_bits=1, a_bits=1), "fc3": Kept(w_bits=1, a_bits=None)}]
    masked = masked_modes(tmp_path, graph, kept)
    design = compile_graph(graph, tmp_path / "design", source={}, modes=masked, fps=50_000)
    listed = json.loads((design.folder / "driver" / "registers.json").read_text())["planes"]
    at = {(each["mode"], each["layer"]): each for each in listed}
    folder, fabric = load(design, tmp_path / "board", monkeypatch)
    with open_board(folder) as board:
        low = at[1, "fc2"]
        board.choose_planes(0, {"fc2": (low["w_planes"], low["a_planes"])})
        word = low["w_planes"] | low["a_planes"] << 8
        assert fabric.planes == {at[0, "fc2"]["offset"]: word}
        with pytest.raises(BoardError, match="'fc2': 1 weight and 2 activation planes are asked"):
            board.choose_planes(0, {"fc3": (1, 4), "fc2": (1, 2)})
        with pytest.raises(BoardError, match="'fc9' in mode 0 cannot be chosen; layers that can: "):
            board.choose_planes(0, {"fc9": (1, 1)})
        with pytest.raises(BoardError, match="'fc2' in mode 2 cannot be chosen"):
            board.choose_planes(2, {"fc2": (1, 1)})
        assert len(fabric.planes) == 1
    folder, fabric = load(modal, tmp_path / "fixed", monkeypatch)
    with open_board(folder) as board, pytest.raises(BoardError, match="layers that can: none"):
        board.choose_planes(0, {"fc2": (2, 3)})


@pytest.mark.parametrize("bipolar", [False, True])
def test_reals_are_quantised_and_packed_as_bitfold_does(tmp_path: Path, bipolar: bool) -> None:
    graph = mlp(bipolar=bipolar)
    design = compile_graph(graph, tmp_path / "design", source={}, fps=50_000)
    about = driver_json(design, AT, MEMORY)
    scale = float(np.asarray(graph.input_map.scale))
    x = np.random.default_rng(2).normal(0, 4 * scale, (50, *graph.sample_shape))
    x[0, :8] = np.arange(-4, 4) * scale + scale / 2  # ties
    codes = quantise(about, x)
    assert (codes == quantise_input(graph, x)).all()
    assert frame_bytes(about, codes).tobytes() == design_frames(graph, codes)


def test_images_are_packed_channels_last(images: Design) -> None:
    graph = images.graph()
    codes = random_samples(graph, 3)
    packed = frame_bytes(driver_json(images, AT, MEMORY), codes)
    assert packed.tobytes() == design_frames(graph, codes)
    assert (codes_of(graph, packed) == codes).all()


def test_the_command_line_compares_with_the_golden_model(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    folder, fabric = loaded
    monkeypatch.setattr("bitfold.host.pynq_driver.__file__", str(folder / "driver.py"))
    assert main(["--count", "6"]) == 0
    said = capsys.readouterr().out.splitlines()
    count = fabric.about["output"]["count"]
    assert said[-1] == f"6 frames, {6 * count} integers, 0 differ from the golden model"
    assert said[0].startswith("0: ")
    right = fabric.compute

    def wrong(frames: np.ndarray, mode: int) -> np.ndarray:
        found = right(frames, mode).copy()
        found[2, 1] += 1
        return found

    fabric.compute = wrong
    assert main(["--count", "6"]) == 2
    assert capsys.readouterr().out.endswith("1 differ from the golden model\n")


def test_own_samples_show_classes_and_labels(
    modal: Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    folder, _ = load(modal, tmp_path / "board", monkeypatch)
    monkeypatch.setattr("bitfold.host.pynq_driver.__file__", str(folder / "driver.py"))
    graph = modal.graph()
    x = graph.input_map.to_real(random_samples(graph, 3)).astype(np.float32)
    np.savez(tmp_path / "own.npz", x=x, y=np.array([4, 0, 2]))
    assert main(["--samples", str(tmp_path / "own.npz"), "--mode", "1"]) == 0
    said = capsys.readouterr().out.splitlines()
    wanted = held_run(modal, 3, 1)
    golden = wanted.golden(quantise_input(graph, x))
    classes = wanted.reals(golden).argmax(1)
    assert said == [
        *(
            f"{n}: {' '.join(map(str, row))}  class {classes[n]}  label {label}"
            for n, (row, label) in enumerate(zip(golden, (4, 0, 2), strict=True))
        ),
        f"3 frames, {golden.size} integers",
    ]
    np.savez(tmp_path / "bad.npz", x=x[:, :-1])
    assert main(["--samples", str(tmp_path / "bad.npz")]) == 2
    assert "x has shape" in capsys.readouterr().err
    assert main(["--samples", str(tmp_path / "gone.npz")]) == 2
    assert "no readable samples" in capsys.readouterr().err


def test_another_design_is_refused(loaded: Loaded) -> None:
    folder, fabric = loaded
    low = fabric.about["registers"]["DESIGN_LOW"]
    fabric.registers[low] ^= 1
    with pytest.raises(BoardError, match="the board carries design"), open_board(folder):
        pass
    fabric.registers[fabric.about["registers"]["ID"]] = 0
    with pytest.raises(BoardError, match="answers 0x00000000 where"), open_board(folder):
        pass


def test_a_board_that_stops_is_one_message(loaded: Loaded) -> None:
    folder, fabric = loaded
    frame = bytes(fabric.about["input"]["bytes_per_frame"])
    fabric.deaf = True
    with open_board(folder, timeout_s=0.05) as board:
        with pytest.raises(BoardError, match=r"did not take the inputs within 0\.05 s"):
            board.run(frame)
        fabric.halted = True
        with pytest.raises(BoardError, match="stopped the DMA"):
            board.run(frame)
    assert Buffer.alive == 0


def test_errors_of_the_accelerator_are_told_and_cleared(loaded: Loaded) -> None:
    folder, fabric = loaded
    error = fabric.about["registers"]["ERROR"]
    frame = bytes(fabric.about["input"]["bytes_per_frame"])
    fabric.registers[error] = 1
    with open_board(folder) as board:
        with pytest.raises(BoardError, match="reports: a transfer ended inside a frame"):
            board.run(frame)
        assert fabric.registers[error] == 0
        board.run(frame)


def test_bad_frames_and_far_buffers_are_refused(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, fabric = loaded
    size = fabric.about["input"]["bytes_per_frame"]
    with open_board(folder) as board:
        with pytest.raises(BoardError, match=rf"the design takes \(N, {size}\)"):
            board.run(bytes(size + 1))
        with pytest.raises(BoardError, match="mode 0 is asked for; the design has no precision"):
            board.run(bytes(size), 0)
        monkeypatch.setattr(Buffer, "physical_address", MEMORY - 8)
        with pytest.raises(BoardError, match="the DMA reaches to 0x20000000"):
            board.run(bytes(size))


def test_what_is_missing_on_the_board_is_named(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = loaded
    (folder / "top.hwh").unlink()
    with (
        pytest.raises(BoardError, match=r"top\.hwh: not found; copy the whole"),
        open_board(folder),
    ):
        pass
    about = json.loads((folder / "driver.json").read_text())
    (folder / "driver.json").write_text(json.dumps(about | {"schema": 99}))
    with pytest.raises(BoardError, match="not a driver file of this version"), open_board(folder):
        pass
    (folder / "driver.json").unlink()
    with pytest.raises(BoardError, match=r"driver\.json: cannot be read"), open_board(folder):
        pass
    monkeypatch.setitem(sys.modules, "pynq", None)
    with pytest.raises(BoardError, match="run this on a PYNQ board"), open_board(folder):
        pass


def test_the_copied_files_need_no_bitfold(images: Design, tmp_path: Path) -> None:
    """In a process that cannot import bitfold: driver.py with pynq's stand-in, to its last line."""
    folder = tmp_path / "board"
    folder.mkdir()
    for name, content in driver_files(images, AT, MEMORY).items():
        (folder / name).write_bytes(content)
    for name in ("top.bit", "top.hwh"):
        (folder / name).write_text("x")
    (tmp_path / "go.py").write_text(
        "import sys, json\n"
        "import numpy as np\n"
        "sys.modules['bitfold'] = None\n"
        f"sys.path[:0] = [{str(folder)!r}, {str(Path(__file__).parent)!r}]\n"
        "import driver, stand_in_pynq\n"
        f"about = driver.read_about(driver.Path({str(folder)!r}))\n"
        f"golden = np.load({str(folder / 'golden.npz')!r})\n"
        "def compute(frames, mode):\n"
        "    assert (frames == golden['frames'][:len(frames)]).all()\n"
        "    return golden['mode0'][:len(frames)]\n"
        "sys.modules['pynq'] = stand_in_pynq.module(stand_in_pynq.Fabric(about, compute))\n"
        "sys.exit(driver.main(['--count', '9']))\n"
    )
    done = subprocess.run(
        [sys.executable, "go.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "9 frames" in done.stdout
    assert "0 differ from the golden model" in done.stdout
