"""Short messages in PDU mode: known octets, the limits of one message, nothing lost on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.sms import LONGEST_ANY, LONGEST_GSM, submit_pdu, text_message

GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = {20: "^", 40: "{", 41: "}", 47: "\\", 60: "[", 61: "~", 62: "]", 64: "|", 101: "€"}


def received(pdu: str, octets: int) -> tuple[str, str]:
    """Number and text as a receiver reads them (TS 23.040, 9.2.2.2), written independently of the sender."""
    raw = bytes.fromhex(pdu)
    assert raw[0] == 0
    tpdu = raw[1:]
    assert len(tpdu) == octets
    digits, kind = tpdu[2], tpdu[3]
    end = 4 + (digits + 1) // 2
    number = "".join(f"{octet & 15:X}{octet >> 4:X}" for octet in tpdu[4:end])[:digits]
    coding, length, data = tpdu[end + 1], tpdu[end + 2], tpdu[end + 3 :]
    if coding == 8:
        assert length == len(data)
        return ("+" if kind == 0x91 else "") + number, data.decode("utf-16-be")
    bits = "".join(f"{octet:08b}"[::-1] for octet in data)
    codes = [int(bits[at : at + 7][::-1], 2) for at in range(0, 7 * length, 7)]
    text, escaped = "", False
    for code in codes:
        if escaped:
            text, escaped = text + EXTENDED[code], False
        elif code == 27:
            escaped = True
        else:
            text += GSM[code]
    return ("+" if kind == 0x91 else "") + number, text


def test_known_octets() -> None:
    """The packing that is everywhere the example: "hellohello" is E8329BFD4697D9EC37."""
    pdu, octets = submit_pdu(text_message("+46708251358", "hellohello"))
    assert pdu == "0001000B916407281553F800000AE8329BFD4697D9EC37"
    assert octets == len(pdu) // 2 - 1


@pytest.mark.parametrize("number", ["+33612345678", "0612345678", "112", "+1234567"])
def test_numbers_of_odd_and_even_length(number: str) -> None:
    """With and without the country."""
    assert received(*submit_pdu(text_message(number, "x")))[0] == number


@given(
    text=st.text(
        alphabet=st.sampled_from(sorted(set(GSM) - set("\r\x1b")) + list(EXTENDED.values())), min_size=1
    )
)
def test_gsm_text_arrives(text: str) -> None:
    """Every character of the GSM alphabet; those of its extension take two places."""
    places = sum(2 if char in EXTENDED.values() else 1 for char in text)
    if not text.strip():
        with pytest.raises(ValueError, match="empty"):
            text_message("112", text)
    elif places > LONGEST_GSM:
        with pytest.raises(ValueError, match="160"):
            text_message("112", text)
    else:
        assert received(*submit_pdu(text_message("112", text))) == ("112", text)


@given(text=st.text(min_size=1, max_size=90))
def test_any_text_arrives_or_is_refused(text: str) -> None:
    """Never cut, never changed, never another exception."""
    try:
        message = text_message("112", text)
    except ValueError:
        return
    assert received(*submit_pdu(message)) == ("112", text)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("é" * LONGEST_GSM, True),
        ("é" * (LONGEST_GSM + 1), False),
        ("€" * (LONGEST_GSM // 2), True),
        ("€" * (LONGEST_GSM // 2 + 1), False),
        ("ç" * LONGEST_ANY, True),
        ("ç" * (LONGEST_ANY + 1), False),
        ("📶" * (LONGEST_ANY // 2), True),
        ("📶" * (LONGEST_ANY // 2 + 1), False),
    ],
)
def test_one_message_has_a_length(text: str, fits: bool) -> None:
    """160 places of the GSM alphabet, or 70 units of any."""
    if fits:
        assert received(*submit_pdu(text_message("112", text)))[1] == text
    else:
        with pytest.raises(ValueError, match="one message holds"):
            text_message("112", text)


@pytest.mark.parametrize("text", ["", "  ", "a\x00b", "a\x1ab", "a\rb", "a\x1bb", "\ud800"])
def test_control_characters_are_refused(text: str) -> None:
    """They would end the message in the modem, or worse."""
    with pytest.raises(ValueError, match=r"control|empty"):
        text_message("112", text)


@pytest.mark.parametrize(
    "number", ["", "12", "1" * 16, "+", "06 12", "٠٦١٢٣٤٥", "06-12-34", "+33612\n", "*100#"]
)
def test_what_is_no_number_is_refused(number: str) -> None:
    """The message says what is allowed."""
    with pytest.raises(ValueError, match="3 to 15 digits"):
        text_message(number, "x")
