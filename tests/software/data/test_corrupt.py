"""Corruptions against the formulas of the published recipe."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from bitfold.data.corrupt import CORRUPTIONS, corrupt, parse_quality
from bitfold.errors import ConfigError

ALL = [f"{name}:{severity}" for name in CORRUPTIONS for severity in range(1, 6)]


def images(channels: int = 3, count: int = 6, size: int = 16) -> np.ndarray:
    values = np.random.default_rng(0).integers(0, 256, (count, channels, size, size))
    return (values / 255).astype(np.float32)


def grey(level: float, count: int = 40) -> np.ndarray:
    return np.full((count, 3, 32, 32), level, np.float32)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", ALL)
def test_every_corruption_gives_bytes_and_the_same_for_a_seed(quality: str, channels: int) -> None:
    x = images(channels, size=8)
    made = corrupt(x, quality, 7)
    assert made.shape == x.shape
    assert made.dtype == np.float32
    levels = made.astype(np.float64) * 255
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
    assert made.min() >= 0
    assert made.max() <= 1
    assert not np.array_equal(made, x)
    np.testing.assert_array_equal(made, corrupt(x, quality, 7))


def test_clean_is_left_alone() -> None:
    x = images() * np.float32(0.3)
    assert corrupt(x, "clean", 0) is x


def test_a_seed_changes_noise() -> None:
    assert not np.array_equal(
        corrupt(images(), "shot_noise:1", 0), corrupt(images(), "shot_noise:1", 1)
    )


# Standard deviation that the recipe adds at severity 3 to grey 0.5. Cutting to bytes moves the
# mean by half a level at most and adds nothing to speak of.
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("gaussian_noise", 0.08),
        ("shot_noise", (0.5 / 100) ** 0.5),
        ("impulse_noise", 0.5 * 0.03**0.5),
        ("speckle_noise", 0.5 * 0.12),
    ],
)
def test_noise_has_the_published_spread(name: str, wanted: float) -> None:
    x = grey(127 / 255)
    change = corrupt(x, f"{name}:3", 0) - x
    assert change.std() == pytest.approx(wanted, rel=0.02)
    assert -1 / 255 < change.mean() < 0.5 / 255


def test_impulses_are_black_or_white_on_the_published_share() -> None:
    changed = corrupt(grey(0.4), "impulse_noise:5", 0)
    hit = np.abs(changed - 0.4) > 0.01
    assert hit.mean() == pytest.approx(0.07, rel=0.05)
    assert set(np.unique(changed[hit])) == {0.0, 1.0}


@pytest.mark.parametrize("severity", [1, 5])
def test_blur_is_scipys(severity: int) -> None:
    x = images()
    sigma = (0.4, 0.6, 0.7, 0.8, 1.0)[severity - 1]
    wanted = gaussian_filter(
        x.astype(np.float64), sigma=(0, 0, sigma, sigma), mode="nearest", truncate=4
    )
    made = corrupt(x, f"gaussian_blur:{severity}", 0)
    np.testing.assert_allclose(made, np.floor(wanted * 255 + 1e-6) / 255, atol=1.1 / 255)
    assert np.mean(np.abs(made - np.floor(wanted * 255 + 1e-6) / 255) > 0.5 / 255) < 0.001


def test_contrast_shrinks_to_the_mean_of_each_channel() -> None:
    x = images()
    mean = x.mean(axis=(2, 3), keepdims=True)
    wanted = (x - mean) * 0.4 + mean
    assert np.abs(corrupt(x, "contrast:3", 0) - wanted).max() <= 1.01 / 255


def test_brightness_keeps_hue_and_saturation() -> None:
    import colorsys

    x = images(count=1, size=4)
    x[0, :, 0, 0] = 0
    made = corrupt(x, "brightness:4", 0)
    for before, after in zip(x[0].reshape(3, -1).T, made[0].reshape(3, -1).T, strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*(float(v) for v in before))
        wanted = colorsys.hsv_to_rgb(hue, saturation, min(value + 0.2, 1))
        np.testing.assert_allclose(after, np.floor(np.array(wanted) * 255 + 1e-3) / 255, atol=3e-3)


def test_jpeg_is_pillows_at_the_published_quality() -> None:
    x = images(size=32)
    picture = Image.fromarray(np.rint(x[0] * 255).astype(np.uint8).transpose(1, 2, 0))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=58)
    wanted = np.asarray(Image.open(file)).transpose(2, 0, 1)
    made = corrupt(x, "jpeg:3", 0)[0]
    np.testing.assert_array_equal(np.rint(made * 255).astype(np.uint8), wanted)


def test_pixelate_repeats_boxes() -> None:
    x = images(channels=1, size=32)
    made = corrupt(x, "pixelate:5", 0)  # 32 -> 20 -> 32
    same = (made[:, :, :, 1:] == made[:, :, :, :-1]).mean()
    assert same > 0.2
    assert (x[:, :, :, 1:] == x[:, :, :, :-1]).mean() < 0.05


@pytest.mark.parametrize("text", ["clean:1", "fog:3", "jpeg", "jpeg:0", "jpeg:6", ""])
def test_an_unknown_quality_says_what_is_known(text: str) -> None:
    with pytest.raises(ConfigError, match="write 'clean', or one of gaussian_noise, shot_noise"):
        parse_quality(text)
