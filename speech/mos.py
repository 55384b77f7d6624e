"""How speech over a telephone line is judged: the MOS by the E-model. Pure.

    r = R_DEFAULT - delay_impairment(150.0) - loss_impairment(0.01, "g711")
    mos_of(r)                                                    4.2

R is what is left of 93.2 when delay and loss are taken off; the MOS goes from 1 to 4.5. It is an
estimate that compares lines, and no listening test.

Errors: `KeyError` for a codec that is not in `CODECS`.
Source: ITU-T G.107 (E-model), G.113, appendix I (Ie and Bpl of codecs).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

R_DEFAULT: Final = 93.2


class Codec(NamedTuple):
    """ie: what the codec itself takes from R; bpl: how well it bears loss."""

    ie: float
    bpl: float


CODECS: Final[Mapping[str, Codec]] = {
    "g711": Codec(0.0, 25.1),
    "g711 without concealment": Codec(0.0, 4.3),
    "g729a": Codec(11.0, 19.0),
}
"""Those of G.113 that telephones bring; mu-law and A-law are `g711`."""


def mos_of(r: float) -> float:
    """The MOS of a rating R, 1 to 4.5 (G.107, annex B).

    >>> round(mos_of(93.2), 2), mos_of(0.0), mos_of(120.0)
    (4.41, 1.0, 4.5)
    """
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1.0, 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6)


def delay_impairment(ms: float) -> float:
    """What a one-way delay takes from R (G.107, simplified: a bend at 177.3 ms).

    >>> delay_impairment(100.0), round(delay_impairment(300.0), 1)
    (2.4, 20.7)
    """
    return 0.024 * ms + 0.11 * max(0.0, ms - 177.3)


def loss_impairment(share: float, codec: str = "g711") -> float:
    """What the codec and random loss take from R.

    >>> loss_impairment(0.0), round(loss_impairment(0.05), 1), loss_impairment(0.0, "g729a")
    (0.0, 15.8, 11.0)
    """
    known = CODECS[codec]
    percent = 100.0 * share
    return known.ie + (95.0 - known.ie) * percent / (percent + known.bpl)


def line_mos(jitter_ms: float, loss: float, codec: str = "g711", delay_ms: float = 0.0) -> float:
    """The MOS of a line: a buffer of twice the jitter is taken for what bears it.

    >>> round(line_mos(2.0, 0.0), 2), round(line_mos(20.0, 0.05), 2)
    (4.41, 3.88)
    """
    r = R_DEFAULT - delay_impairment(delay_ms + 2.0 * jitter_ms) - loss_impairment(loss, codec)
    return mos_of(r)
