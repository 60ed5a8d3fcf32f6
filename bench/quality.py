"""SSIM: how alike two pictures look. Source: Wang et al., Image Quality Assessment, 2004 (11 x 11 Gaussian, 1.5)."""

import io

import numpy
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

WEIGHTS = numpy.exp(-(numpy.arange(-5, 6) ** 2) / (2 * 1.5**2)).astype("f")
WEIGHTS /= WEIGHTS.sum()
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def reference(data: bytes, size: tuple[int, int]) -> Image.Image:
    """The picture decoded in full and brought to `size` in one step by a Lanczos filter."""
    return on_white(Image.open(io.BytesIO(data))).resize(size, Image.Resampling.LANCZOS)


def ssim(encoded: bytes, wanted: Image.Image) -> float:
    """Of the brightness, 1 where nothing differs."""
    x, y = (numpy.asarray(p.convert("L"), "f") for p in (on_white(Image.open(io.BytesIO(encoded))), wanted))
    mean_x, mean_y = blurred(x), blurred(y)
    variance_x, variance_y = blurred(x * x) - mean_x**2, blurred(y * y) - mean_y**2
    covariance = blurred(x * y) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    return float((alike / ((mean_x**2 + mean_y**2 + C1) * (variance_x + variance_y + C2))).mean())


def blurred(plane: numpy.ndarray) -> numpy.ndarray:
    rows = numpy.tensordot(sliding_window_view(plane, 11, axis=0), WEIGHTS, (-1, 0))
    return sliding_window_view(rows, 11, axis=1) @ WEIGHTS


def on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture.convert("RGBA"))
    return white.convert("RGB")
