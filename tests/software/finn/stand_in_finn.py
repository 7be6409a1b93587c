"""A stand-in for FINN's clone and for Docker: scripts that note what they are called with."""

from pathlib import Path

from click.testing import CliRunner

from bitfold.cli.main import cli

RUN_DOCKER = """#!/bin/sh
# A stand-in for FINN's script: what it is called with, and what a build would leave.
[ -t 0 ] && exit 9
printf '%s\\n' "$PWD" "${FINN_DOCKER_EXTRA%--name*}" "$FINN_HOST_BUILD_DIR" "$@" > "$CALLS"
echo "${FINN_DOCKER_EXTRA##* --name }" > "$CALLS.name"
docker run finn "$@"
folder=$(dirname "$2")
cd "$folder" || exit 8
[ -f model.onnx ] && [ -f dataflow_build_config.json ] || exit 7
case $MANNER in
  good) mkdir -p out/bitfile out/report
        echo bits > out/bitfile/finn-accel.bit; echo hwh > out/bitfile/finn-accel.hwh
        [ ! -f bitserial.json ] || cp bitserial.json out/report/bit_serial.json
        echo '{"LUT": 12}' > out/report/post_synth_resources.json ;;
  none) echo "build failed"; exit 0 ;;
  licence) echo "ERROR: [Common 17-345] A valid license was not found"; exit 1 ;;
  interrupted) kill -INT $PPID; exit 130 ;;
  full) echo "OSError: No space left on device"; exit 1 ;;
  layers) echo "FINNUserError: Unsupported/unmapped layer(s) found, starting with Mul_0"; exit 1 ;;
  names) echo '    raise ValueError(f"{name!r} is no MVAU of FINN'"'"'s; there are: {found}")'
         echo "ValueError: 'fc' is no MVAU of FINN's; there are: MVAU_rtl_0"; exit 1 ;;
  kept) echo "ValueError: MVAU_hls_0 cannot be bit-serial: its activations are bipolar"; exit 1 ;;
  versal) echo "ConfigError: part 'xcvc1902': bitfold has no table of prices for its family" ;;
esac
"""
DOCKER = """#!/bin/sh
echo "$@" >> "$CALLS.docker"
[ "$1" != ps ] || cat "$CALLS.running" 2>&-
[ "$1 $MANNER" = "info dead" ] || exit 0
echo "Cannot connect to the Docker daemon" >&2
exit 1
"""


def build(demo: Path, around: Path, *more: str) -> str:
    """What `bitfold finn` says, or the error that ends it."""
    given = ["finn", str(demo), "--finn", str(around / "clone"), "-o", str(around / "made"), *more]
    done = CliRunner().invoke(cli, given)
    return (
        done.output if done.exit_code == 0 else f"{type(done.exception).__name__}: {done.exception}"
    )
