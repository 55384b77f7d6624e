"""The shape of a signature."""

import pytest

from aybiza.emulators.bedrock import sigv4

SIGNATURE = "0123456789abcdef" * 4
GOOD = {
    "authorization": (
        "AWS4-HMAC-SHA256 Credential=KEY/20261120/us-east-1/bedrock/aws4_request, "
        f"SignedHeaders=content-type;host;x-amz-date, Signature={SIGNATURE}"
    ),
    "x-amz-date": "20261120T101112Z",
}


def changed(old: str, new: str) -> dict[str, str]:
    return {**GOOD, "authorization": GOOD["authorization"].replace(old, new)}


def test_a_well_formed_signature_is_taken() -> None:
    assert sigv4.refusal(GOOD) is None


def test_any_key_and_any_signature_will_do() -> None:
    assert sigv4.refusal(changed("KEY", "another.key")) is None
    assert sigv4.refusal(changed(SIGNATURE, "f" * 64)) is None


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "MissingAuthenticationTokenException"),
        ({"authorization": "Bearer token"}, "IncompleteSignatureException"),
        (changed("Signature=", "Sig="), "IncompleteSignatureException"),
        (changed(SIGNATURE, "f" * 63), "IncompleteSignatureException"),
        (changed("/bedrock/", "/s3/"), "InvalidSignatureException"),
        (changed("host;", ""), "InvalidSignatureException"),
        (changed("20261120", "20261119"), "InvalidSignatureException"),
        ({**GOOD, "x-amz-date": "yesterday"}, "InvalidSignatureException"),
    ],
)
def test_what_is_not_in_order_is_refused(headers: dict[str, str], code: str) -> None:
    refusal = sigv4.refusal(headers)
    assert refusal is not None
    assert refusal[0] == code
    assert refusal[1]
