"""The scale of the E-model."""

from aybiza.speech.mos import CODECS, line_mos, loss_impairment, mos_of


def test_the_scale_is_that_of_the_e_model() -> None:
    # G.107, table B.1.
    table = {90: 4.34, 80: 4.03, 70: 3.60, 60: 3.10, 50: 2.58}
    assert all(abs(mos_of(r) - mos) < 0.01 for r, mos in table.items())
    assert (mos_of(-5.0), mos_of(130.0)) == (1.0, 4.5)


def test_jitter_loss_delay_and_a_poorer_codec_each_cost_something() -> None:
    told = [
        line_mos(0.0, 0.0),
        line_mos(30.0, 0.0),
        line_mos(30.0, 0.02),
        line_mos(30.0, 0.02, delay_ms=200.0),
        line_mos(30.0, 0.02, "g729a", 200.0),
    ]
    assert told == sorted(told, reverse=True) and len(set(told)) == len(told)
    assert all(loss_impairment(1.0, codec) > 60 for codec in CODECS)
