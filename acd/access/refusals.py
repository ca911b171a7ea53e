"""What is refused to somebody because of who he is."""

from acd.core.refusals import LINEERR_INVALPASSWORD, TAPI_E_CALLCENTER_INVALPASSWORD, Refusal


class Unauthorized(Refusal):
    """A valid bearer token or session is needed."""

    code = "unauthorized"


class Forbidden(Refusal):
    """Your role may not do this."""

    code = "forbidden"


class WrongPassword(Refusal):
    """The name or the password is wrong."""

    code, hresult, lineerr = "wrong-password", TAPI_E_CALLCENTER_INVALPASSWORD, LINEERR_INVALPASSWORD


class ForeignOrigin(Refusal):
    """A page of another site may not do this in your name."""

    code = "foreign-origin"


class TooManyAttempts(Refusal):
    """Too many failed attempts. Wait a little."""

    code = "too-many-attempts"

    def __init__(self, seconds: float) -> None:
        """`seconds`: until another attempt is allowed."""
        super().__init__(f"Too many failed attempts. Try again in {seconds:.0f} s.")
        self.seconds = seconds


class UnknownToken(Refusal):
    """There is no such token."""

    code = "unknown-token"


class UnknownAccount(Refusal):
    """There is no such account."""

    code = "unknown-account"
