import pytest

from phones.netstring import BadNetstring, Decoder, encode


def test_a_message_survives_the_way_there_and_back():
    message = {"command": "dial", "params": "sip:600@asterisk", "token": "é"}
    assert Decoder().feed(encode(message)) == [message]


def test_the_length_counts_bytes_and_not_letters():
    assert encode({"a": "b"}) == b'10:{"a": "b"},'


def test_two_messages_in_one_piece_are_two_messages():
    assert Decoder().feed(encode({"a": 1}) + encode({"b": 2})) == [{"a": 1}, {"b": 2}]


def test_a_message_in_single_bytes_comes_when_its_last_byte_is_there():
    decoder = Decoder()
    came = [decoder.feed(bytes([byte])) for byte in encode({"a": 1})]
    assert came[-1] == [{"a": 1}]
    assert not any(came[:-1])


def test_what_baresip_writes_is_understood_escaped_slashes_and_raw_control_characters_too():
    payload = b'{"response":true,"ok":true,"data":"\\/about \x1b[32mOK","token":"t1"}'
    assert Decoder().feed(b"%d:%s," % (len(payload), payload))[0]["data"] == "/about \x1b[32mOK"


@pytest.mark.parametrize("data", [b"x:{},", b"2:{};", b"2:[],", b"3:{},", b"9999999999", b"99999999:"])
def test_what_is_no_netstring_of_an_object_is_refused(data):
    with pytest.raises(BadNetstring):
        Decoder().feed(data + b",")
