"""Random QONNX networks with branches: blocks that hypothesis draws, so that failures shrink."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from bitfold.compiler.reading.execute import Batched
from qonnx_nets import Net, random_bn

MODES = ("ROUND", "FLOOR", "CEIL", "HALF_UP", "HALF_DOWN", "UP", "DOWN")
CHAINS = ("none", "relu", "leaky", "clip", "tanh", "bn", "bn_relu", "falling")


@dataclass
class Made:
    """A network under construction behind codes of `channels` maps, and what it consists of."""

    net: Net
    draw: st.DrawFn
    rng: np.random.Generator
    channels: int
    size: tuple[int, int]
    x: np.ndarray
    scale: float = 0.25
    listing: list[str] = field(default_factory=list)

    def values(self):
        """What the samples are by now."""
        model = self.net.model()
        run = Batched(model, self.net.opset, exact=False)
        return run.run(list(model.graph.node), "x", self.x, self.net.last)

    def pick(self, *options):
        return self.draw(st.sampled_from(options))

    def real(self, shape=None, level=1.0):
        """Scales up to about `level`: powers of two, which meet ties, or others."""
        values = 2.0 ** (self.rng.integers(-1, 2, shape) + np.rint(np.log2(level)))
        return values if self.pick(True, False) else values * self.rng.uniform(0.6, 1.4, shape)

    def level(self):
        """How large the values are."""
        return float(np.abs(self.values()).mean() + 1e-3)

    def quant(self, signed=None, scale=None, bits=None):
        values = self.values()
        if np.abs(values.mean()) > 1.5 * values.std():
            self.net.node("Sub", float(values.mean()))
            values -= values.mean()
        some = (values > 0).mean() > 0.1 and self.pick(True, False)
        signed = int(not some) if signed is None else signed
        bits = self.pick(1, 2, 3, 5, 8) + signed if bits is None else bits
        bits = min(bits, 8)
        spread = np.abs(values).mean() + values.std() + 1e-3
        fitting = self.real(level=spread * 2 / 2**bits)
        self.scale = float(np.float32(fitting if scale is None else scale))
        narrow = self.pick(0, 1) if bits > 1 else 0
        mode = self.pick("ROUND", "ROUND", *MODES)
        self.net.quant(bits, self.scale, signed=signed, narrow=narrow, mode=mode)

    def chain(self):
        """Element-wise nodes in front of a quantiser."""
        name = self.pick(*CHAINS)
        if "bn" in name:
            gamma, *others = random_bn(self.rng, self.channels)
            self.net.bn(gamma if self.channels > 1 else gamma + 1, *others)
        if name == "falling":
            self.net.node("Mul", -0.5).node("Sub", 0.25)
        if name == "leaky":
            self.net.node("LeakyRelu", alpha=0.3)
        if name == "clip":
            self.net.node("Clip", -self.level(), self.level())
        if name == "tanh":
            self.net.node("Div", self.level()).node("Tanh")
        if "relu" in name:
            self.net.node("Relu")

    def conv(self, *, keep=False, quant=True, **quantiser):
        """Any convolution; `keep`: with as many outputs of the same size."""
        groups = self.pick(*(g for g in (1, 1, 2, 3, self.channels) if self.channels % g == 0))
        outputs = self.channels if keep else groups * self.pick(1, 2)
        kernel = [self.pick(*(k for k in (1, 2, 3) if k <= s)) for s in self.size]
        spans, dilations = list(kernel), [1, 1]
        for axis in (0, 1):
            if 2 * (kernel[axis] - 1) < self.size[axis] and self.pick(False, True):
                dilations[axis], spans[axis] = 2, 2 * (kernel[axis] - 1) + 1
        before = [self.pick(*range(s)) for s in spans]
        behind = [
            s - 1 - b if keep else self.pick(*range(s)) for s, b in zip(spans, before, strict=True)
        ]
        strides = [1, 1] if keep else [self.pick(1, 2), self.pick(1, 2)]
        bits = self.pick(0, 2, 3, 5)
        scale = self.real((outputs, 1, 1, 1) if self.pick(True, False) else (), 2.0 / 2**bits)
        weights = self.rng.normal(size=(outputs, self.channels // groups, *kernel))
        self.net.conv(
            *(weights, bits, scale),
            *([self.rng.normal(size=outputs)] if self.pick(True, False) else []),
            group=groups,
            dilations=dilations,
            strides=strides,
            pads=[*before, *behind],
        )
        self.channels = outputs
        self.size = tuple(
            (s + b + e - n) // t + 1
            for s, b, e, n, t in zip(self.size, before, behind, spans, strides, strict=True)
        )
        if quant:
            self.chain()
            self.quant(**quantiser)

    def pooled(self):
        """A max-pool, before or behind a quantiser."""
        kernel = [min(2, s) for s in self.size]
        self.conv(keep=True, quant=False)
        first = self.pick(True, False)
        if first:
            self.chain()
            self.quant()
        self.net.node("MaxPool", kernel_shape=kernel, strides=[1, 1])
        self.size = tuple(s - k + 1 for s, k in zip(self.size, kernel, strict=True))
        if not first:
            self.chain()
            self.quant()

    def averaged(self):
        """A mean that need not divide by a power of two; then Quant or Trunc."""
        if self.pick(True, False):
            self.net.node("GlobalAveragePool")
            kernel = self.size
        else:
            kernel = tuple(min(3, s) for s in self.size)
            self.net.node("AveragePool", kernel_shape=list(kernel), strides=[1, 1])
        self.size = tuple(s - k + 1 for s, k in zip(self.size, kernel, strict=True))
        self.chain()
        self.quant()

    def residual(self):
        """Two branches on one grid, or on scales that are small multiples."""
        scale = float(self.real(level=self.level() / 4))
        start, before = self.net.last, self.scale
        if self.pick(True, False):
            scale = before
        else:
            # Three times a float32 is one only where its mantissa leaves room.
            self.quant(
                scale=scale * self.pick(1, 2, 4, *([3] if np.frexp(scale)[0] == 0.5 else []))
            )
        left = self.net.last
        self.net.last = start
        self.conv(keep=True, scale=scale)
        self.net.node(self.pick("Add", "Sub"), left)
        total = self.net.last
        self.chain()
        self.quant()
        if self.pick(True, False):  # the sum is read twice
            kept = self.net.last
            self.net.last = total
            self.net.node("Relu")
            self.quant(scale=self.scale)
            self.net.node("Add", kept)
            self.chain()
            self.quant()

    def joined(self):
        """Two branches behind one another, quantised before or after."""
        start, channels = self.net.last, self.channels
        late = self.pick(True, False)
        self.conv(keep=True, quant=not late)
        left, scale = self.net.last, self.scale
        self.net.last = start
        if late:
            self.conv(keep=True, quant=False)
        else:
            self.quant(scale=scale * self.pick(1, 2), bits=3)
        self.net.node("Concat", left, axis=1)
        self.channels = 2 * channels
        if late:
            self.chain()
            self.quant()

    def moved(self):
        """Repeated pixels, zeros around, or channels to space."""
        kind = self.pick("space", "pad", "repeat")
        if kind == "space":
            weights = self.rng.normal(size=(8, self.channels, 1, 1))
            self.net.conv(weights, 3, 0.5).node("LeakyRelu", alpha=0.3)
            self.net.node("DepthToSpace", blocksize=2, mode=self.pick("CRD", "DCR"))
            self.channels, self.size = 2, tuple(2 * s for s in self.size)
            self.quant()
        elif kind == "pad":
            self.net.shape_node("Pad", [0, 1, 1, 0, 0, 2, 0, 1])
            self.channels, self.size = self.channels + 3, (self.size[0] + 1, self.size[1] + 1)
        else:
            self.net.node(
                *("Resize", np.zeros(0), np.array([1.0, 1, 1, 2])),
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
            self.size = (self.size[0], 2 * self.size[1])


BLOCKS = (Made.conv, Made.pooled, Made.averaged, Made.residual, Made.joined, Made.moved)


@st.composite
def networks(draw, most=4):
    """(Net, samples): up to `most` blocks behind an input quantiser, and maybe a dense layer."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    channels, size = draw(st.sampled_from([2, 1, 3])), draw(st.sampled_from([(4, 5), (5, 3)]))
    scale = draw(st.sampled_from([0.25, 0.3]))
    x = (rng.integers(-18, 32, (6, channels, *size)) * (scale / 2)).astype(np.float32)
    made = Made(Net(channels, *size), draw, rng, channels, size, x)
    made.quant(bits=4, scale=scale)
    for block in draw(st.lists(st.sampled_from(BLOCKS), min_size=2, max_size=most)):
        block(made)
        made.listing.append(block.__name__)
    made.conv(quant=False)
    net = made.net
    if draw(st.booleans()):
        made.quant()
        net.node("Flatten")
        features = made.channels * made.size[0] * made.size[1]
        net.gemm(rng.normal(size=(3, features)), 3, 0.5, rng.normal(size=3))
    return net, x
