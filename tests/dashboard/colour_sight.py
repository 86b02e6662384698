"""How far apart colours look, to whom sees all colours and to whom does not, and how they stand out from a ground.

OKLab is Ottosson's (2020, https://bottosson.github.io/posts/oklab/); what people with a missing kind of cone see is the
matrices of Machado, Oliveira and Fernandes (2009, doi:10.1109/TVCG.2009.113) at full severity, in linear RGB; contrast
is that of WCAG 2.2.
"""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
SIGHTS: dict[str, Matrix] = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def linear(colour: str) -> Matrix:
    """(3,) light of a colour such as ``#0072b2``, 0..1."""
    values = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def seen(colour: str, sight: str = "all cones") -> Matrix:
    """(3,) where a colour lies in OKLab for somebody with this sight."""
    light = np.clip(SIGHTS[sight] @ linear(colour), 0.0, 1.0)
    return _LAB @ np.cbrt(_CONES @ light)


def apart(one: str, other: str, sight: str = "all cones") -> float:
    """How far two colours are apart: 0 none, about 0.02 just to be told, 1 black and white."""
    return float(np.linalg.norm(seen(one, sight) - seen(other, sight)))


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1..21."""
    low, high = sorted(float(_LUMINANCE @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)
