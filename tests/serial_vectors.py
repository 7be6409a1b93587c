"""Serial requests and their answers as literal bytes, for a board that takes 12 bytes and gives
three integers, output k = k - 5 * (sum of the bytes), design id 0x0123456789abcdef.

Both the host software and the RTL are held against them, so that they cannot drift together.
"""

FRAME_BYTES, OUTPUTS, DESIGN_ID = 12, 3, 0x0123456789ABCDEF
FRAME = bytes(range(250, 256)) + bytes(range(6))

# name -> (request, answer), hexadecimal.
VECTORS = {
    "ping": (
        "b1f0010000fbac",
        "b1f0810d00010c0003000123456789abcdef93d1",
    ),
    "run": (
        "b1f0020c00fafbfcfdfeff000102030405acbf",
        "b1f0820c001ee2ffff1fe2ffff20e2ffff36f9",
    ),
    "garbage before": (
        "00b1b1f0020c00fafbfcfdfeff000102030405acbf",
        "b1f0820c001ee2ffff1fe2ffff20e2ffff36f9",
    ),
    "wrong checksum": (
        "b1f0020c00fafbfcfdfeff000102030405acbe",
        "b1f0ff010001e872",
    ),
    "one byte short": (
        "b1f0020b00fafbfcfdfeff0001020304955f",
        "b1f0ff010002d811",
    ),
    "one byte long": (
        "b1f0020d00fafbfcfdfeff00010203040500659a",
        "b1f0ff010002d811",
    ),
    "ping with payload": (
        "b1f0010100783adb",
        "b1f0ff010002d811",
    ),
    "broken off": (
        "b1f0020c00fafbfcfdfeff000102030405ac",
        "b1f0ff010003c830",
    ),
    "unknown command": (
        "b1f055000079a2",
        "b1f0ff010004b8d7",
    ),
}
