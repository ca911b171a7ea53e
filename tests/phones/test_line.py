from phones.line import Line


def event(kind, call="a", **more):
    return {"event": True, "type": kind, "id": call, "peeruri": "sip:5550100@asterisk", "direction": "incoming", **more}


def line_after(*events):
    line = Line()
    for one in events:
        for each in line.complete(one):
            line.apply(each)
    return line


def test_a_phone_is_registered_until_it_fails_to_be():
    assert not Line().registered
    assert line_after({"type": "REGISTER_OK"}).registered
    assert not line_after({"type": "REGISTER_OK"}, {"type": "REGISTER_FAIL"}).registered


def test_a_call_rings_is_established_and_is_gone():
    assert line_after(event("CALL_INCOMING")).calls["a"].state == "incoming"
    assert line_after(event("CALL_INCOMING"), event("CALL_ESTABLISHED")).calls["a"].state == "established"
    assert not line_after(event("CALL_INCOMING"), event("CALL_CLOSED")).calls


def test_a_call_is_on_hold_when_the_other_side_has_agreed_to_it():
    up = event("CALL_ESTABLISHED")
    held = event("CALL_REMOTE_SDP", param="answer", remoteaudiodir="sendonly")
    back = event("CALL_REMOTE_SDP", param="answer", remoteaudiodir="sendrecv")
    asked = event("CALL_REMOTE_SDP", param="offer", remoteaudiodir="sendonly")
    assert not line_after(up, asked).calls["a"].held
    assert line_after(up, held).calls["a"].held
    assert not line_after(up, held, back).calls["a"].held


def test_a_failed_transfer_closes_the_call_although_baresip_does_not_say_so():
    line = line_after(event("CALL_ESTABLISHED"))
    said = list(line.complete(event("TRANSFER_FAILED", param="503 Service Unavailable")))
    assert [one["type"] for one in said] == ["TRANSFER_FAILED", "CALL_CLOSED"]
    assert said[1]["param"] == "transfer failed: 503 Service Unavailable"


def test_a_client_that_comes_late_knows_what_all_know():
    line = line_after({"type": "REGISTER_OK"}, event("CALL_INCOMING"), event("CALL_ESTABLISHED", "b"))
    late = line_after(line.to_message())
    assert late == line


def test_the_newest_call_in_a_state_is_the_one_that_is_meant():
    line = line_after(event("CALL_ESTABLISHED", "a"), event("CALL_INCOMING", "b"), event("CALL_ESTABLISHED", "c"))
    assert line.the_call("established").id == "c"
    assert line.the_call("incoming").id == "b"
    assert line.the_call("ringing") is None
