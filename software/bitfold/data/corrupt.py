"""Corruptions of images by the published CIFAR-10-C recipe, severities 1 to 5.

Hendrycks and Dietterich, Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations, ICLR 2019, arXiv:1903.12261; formulas and parameters are those of the authors' script
for CIFAR-10-C, results cut to 8 bits as there. Differs: random draws are numpy's newer generator,
so that noise is alike in distribution, not in value; brightness scales channels together, which is
what their way over HSV does; images may have one channel and any size.
"""

import io
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image

from bitfold.errors import ConfigError

Floats = npt.NDArray[np.float64]
Draw = np.random.Generator
CLEAN = "clean"
TRUNCATE = 4.0  # standard deviations that a blur reaches


def gaussian_noise(x: Floats, sigma: float, draw: Draw) -> Floats:
    """Add normal noise."""
    return x + draw.normal(scale=sigma, size=x.shape)


def shot_noise(x: Floats, photons: float, draw: Draw) -> Floats:
    """Count photons: Poisson with mean x * photons."""
    return draw.poisson(x * photons) / photons


def impulse_noise(x: Floats, share: float, draw: Draw) -> Floats:
    """Salt and pepper, half each, on this share of all values."""
    hit, salt = draw.random(x.shape) <= share, draw.random(x.shape) <= 0.5
    return np.where(hit, salt.astype(np.float64), x)


def speckle_noise(x: Floats, sigma: float, draw: Draw) -> Floats:
    """Add normal noise in proportion to the value."""
    return x + x * draw.normal(scale=sigma, size=x.shape)


def gaussian_blur(x: Floats, sigma: float, draw: Draw) -> Floats:
    """Convolve rows and columns with a Gaussian cut at four sigma; edges repeat."""
    reach = int(TRUNCATE * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in (2, 3):
        pads = [(reach, reach) if a == axis else (0, 0) for a in range(4)]
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(x, pads, mode="edge"), 2 * reach + 1, axis=axis
        )
        x = windows @ kernel
    return x


def contrast(x: Floats, share: float, draw: Draw) -> Floats:
    """Shrink the distance to each channel's mean to this share."""
    mean: Floats = x.mean(axis=(2, 3), keepdims=True)
    return (x - mean) * share + mean


def brightness(x: Floats, more: float, draw: Draw) -> Floats:
    """Add to the value of HSV, its hue and saturation kept; black has none and becomes grey."""
    value: Floats = x.max(axis=1, keepdims=True)
    raised: Floats = np.clip(value + more, 0, 1)
    return np.where(value > 0, x * raised / np.where(value > 0, value, 1), raised)


def jpeg(x: Floats, quality: float, draw: Draw) -> Floats:
    """Through a JPEG file of this quality and back."""

    def through(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(quality))
        return Image.open(file)

    return _by_image(x, through)


def pixelate(x: Floats, share: float, draw: Draw) -> Floats:
    """Shrink each side to this share and enlarge it again, averaging boxes."""

    def through(image: Image.Image) -> Image.Image:
        small = (int(image.width * share), int(image.height * share))
        return image.resize(small, Image.Resampling.BOX).resize(image.size, Image.Resampling.BOX)

    return _by_image(x, through)


# name -> (function, its parameter at severities 1..5)
CORRUPTIONS: Mapping[str, tuple[Callable[[Floats, float, Draw], Floats], tuple[float, ...]]] = {
    "gaussian_noise": (gaussian_noise, (0.04, 0.06, 0.08, 0.09, 0.10)),
    "shot_noise": (shot_noise, (500, 250, 100, 75, 50)),
    "impulse_noise": (impulse_noise, (0.01, 0.02, 0.03, 0.05, 0.07)),
    "speckle_noise": (speckle_noise, (0.06, 0.10, 0.12, 0.16, 0.20)),
    "gaussian_blur": (gaussian_blur, (0.4, 0.6, 0.7, 0.8, 1.0)),
    "contrast": (contrast, (0.75, 0.5, 0.4, 0.3, 0.15)),
    "brightness": (brightness, (0.05, 0.1, 0.15, 0.2, 0.3)),
    "jpeg": (jpeg, (80, 65, 58, 50, 40)),
    "pixelate": (pixelate, (0.95, 0.9, 0.85, 0.75, 0.65)),
}


def parse_quality(text: str) -> tuple[str, int]:
    """Name and severity of a quality such as "gaussian_noise:3"; that of "clean" is 0.

    Raises: ConfigError.
    """
    name, _, severity = text.partition(":")
    if text == CLEAN:
        return CLEAN, 0
    if name not in CORRUPTIONS or severity not in ("1", "2", "3", "4", "5"):
        raise ConfigError(
            f"quality {text!r} is unknown; write 'clean', or one of {', '.join(CORRUPTIONS)} with "
            "a severity from 1 to 5, such as 'gaussian_noise:3'"
        )
    return name, int(severity)


def corrupt(x: npt.NDArray[np.float32], quality: str, seed: int) -> npt.NDArray[np.float32]:
    """Images of this quality. x (N, C, H, W) in [0, 1] with C 1 or 3; same shape and range.

    A corrupted image has 8 bits (n / 255, rounded down); a clean one comes back as it is. The seed
    decides every draw. Raises: ConfigError for an unknown quality.
    """
    name, severity = parse_quality(quality)
    if name == CLEAN:
        return x
    function, parameters = CORRUPTIONS[name]
    # Through 8 bits, which the recipe starts from.
    bytes_in = np.rint(x.astype(np.float64) * 255) / 255
    changed = function(bytes_in, parameters[severity - 1], np.random.default_rng(seed))
    # The margin keeps n / 255 * 255 from falling below n.
    cut = np.floor(np.clip(changed, 0, 1) * 255 + 1e-9)
    return (cut / 255).astype(np.float32)


def _by_image(x: Floats, change: Callable[[Image.Image], Image.Image]) -> Floats:
    """Apply a change of 8-bit pictures to each image."""
    grey = x.shape[1] == 1
    pictures = np.rint(x * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    made = [
        np.asarray(change(Image.fromarray(picture[:, :, 0] if grey else picture)))
        for picture in pictures
    ]
    return np.stack(made).reshape(pictures.shape).transpose(0, 3, 1, 2) / 255.0
