from pathlib import Path

from phones.baresip import PhoneSettings, accounts_file, config_file, password, write_files
from phones.hearing import PIPE
from phones.host import extensions

DESK = Path("/desk")


def test_the_password_is_the_one_that_asterisk_knows():
    assert password("labsecret", 1001) == "6629697ecbd1a55530a865e793efaa62"


def test_two_phones_share_no_port():
    first, second = (config_file(PhoneSettings(one, "x"), DESK) for one in (1001, 1002))
    assert not lines_with_ports(first) & lines_with_ports(second)


def test_each_phone_has_a_tone_of_its_own_and_plays_into_its_pipe():
    first, second = (config_file(PhoneSettings(one, "x"), DESK).splitlines() for one in (1001, 1002))
    (tone,) = [line for line in first if line.startswith("audio_source ausine,")]
    assert tone not in second
    assert f"audio_player aufile,/desk/{PIPE}" in first


def lines_with_ports(text):
    return {line for line in text.splitlines() if "listen" in line or line.startswith("rtp_ports")}


def test_the_account_names_the_server_and_the_password():
    account = accounts_file(PhoneSettings(1001, "geheim", "pbx"))
    assert account == "<sip:1001@pbx>;auth_user=1001;auth_pass=geheim;regint=60\n"


def test_a_phones_folder_is_not_for_others_to_read(tmp_path):
    write_files(PhoneSettings(1001, "geheim"), tmp_path / "1001")
    assert (tmp_path / "1001").stat().st_mode & 0o077 == 0


def test_phones_are_listed_or_counted():
    assert extensions({"ACD_PHONE_LIST": "1003, 1007"}) == [1003, 1007]
    assert extensions({"ACD_PHONE_LIST": "", "ACD_SOFTPHONES": "3"}) == [1001, 1002, 1003]
    assert len(extensions({})) == 10
