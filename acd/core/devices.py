"""Names of phones: the device of a channel and of an address, as Asterisk makes them."""


def device_of_channel(channel: str) -> str:
    """PJSIP/1001-0000002a is one of PJSIP/1001. "" for the half of a Local channel that runs the dialplan."""
    return "" if channel.endswith(";2") else channel.rpartition("-")[0]


def device_of_address(address: str) -> str:
    """Local/1001@phones/n is Local/1001@phones with an option; every other address is a device."""
    technology, _, rest = address.partition("/")
    return f"{technology}/{rest.partition('/')[0]}" if technology == "Local" else address
