"""Every error as application/problem+json (RFC 9457), with TAPI's codes where TAPI has them."""

import json
import logging
import math
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from acd.access import refusals as access
from acd.browser_phones import NoBrowserPhones, NoPhoneFree, PhonesUnreachable
from acd.core import refusals as no
from acd.core.refusals import Refusal
from acd.webhooks import TooManyWebhooks, UnknownWebhook

log = logging.getLogger(__name__)
CODE = web.ResponseKey("code", str)  # of a refusal, for the log of commands


class KeyReused(Refusal):
    """This Idempotency-Key was sent with another request."""

    code = "idempotency-key-reused"


STATUS: dict[type[Refusal], HTTPStatus] = {
    no.UnknownAgent: HTTPStatus.NOT_FOUND,
    no.UnknownGroup: HTTPStatus.NOT_FOUND,
    no.UnknownQueue: HTTPStatus.NOT_FOUND,
    no.UnknownSession: HTTPStatus.NOT_FOUND,
    no.UnknownAddress: HTTPStatus.NOT_FOUND,
    no.AgentExists: HTTPStatus.CONFLICT,
    no.AddressInUse: HTTPStatus.CONFLICT,
    no.SessionExists: HTTPStatus.CONFLICT,
    no.GroupEmpty: HTTPStatus.CONFLICT,
    no.GroupInUse: HTTPStatus.CONFLICT,
    no.StateNotSettable: HTTPStatus.CONFLICT,
    no.StateNotReachable: HTTPStatus.CONFLICT,
    no.NotInWrapUp: HTTPStatus.CONFLICT,
    no.UnknownCall: HTTPStatus.NOT_FOUND,
    no.UnknownMonitor: HTTPStatus.NOT_FOUND,
    no.UnknownDisposition: HTTPStatus.NOT_FOUND,
    no.NoCall: HTTPStatus.CONFLICT,
    no.QueueEmpty: HTTPStatus.CONFLICT,
    no.DispositionMissing: HTTPStatus.CONFLICT,
    no.NoAgentId: HTTPStatus.CONFLICT,
    no.PinOfSettings: HTTPStatus.CONFLICT,
    KeyReused: HTTPStatus.CONFLICT,
    no.PeriodInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoBrowserPhones: HTTPStatus.NOT_FOUND,
    NoPhoneFree: HTTPStatus.CONFLICT,
    PhonesUnreachable: HTTPStatus.SERVICE_UNAVAILABLE,
    access.Unauthorized: HTTPStatus.UNAUTHORIZED,
    access.Forbidden: HTTPStatus.FORBIDDEN,
    access.WrongPassword: HTTPStatus.FORBIDDEN,
    access.ForeignOrigin: HTTPStatus.FORBIDDEN,
    access.TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
    access.UnknownToken: HTTPStatus.NOT_FOUND,
    access.UnknownAccount: HTTPStatus.NOT_FOUND,
    UnknownWebhook: HTTPStatus.NOT_FOUND,
    TooManyWebhooks: HTTPStatus.CONFLICT,
    no.WrongPin: HTTPStatus.FORBIDDEN,
    no.PinLocked: HTTPStatus.FORBIDDEN,
    no.NotLinked: HTTPStatus.SERVICE_UNAVAILABLE,
    no.StoreFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    no.Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    no.AsteriskRefused: HTTPStatus.BAD_GATEWAY,
    no.AsteriskSilent: HTTPStatus.GATEWAY_TIMEOUT,
}


class Invalid(Exception):
    """A body or parameter does not fit; `errors` names each field as [{loc, msg, type}]."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors[0]["msg"])
        self.errors = errors

    @classmethod
    def of(cls, error: ValidationError, where: str) -> "Invalid":
        """The same in our shape, without the input, which may be a PIN."""
        return cls(
            [
                {"loc": [where, *each["loc"]], "msg": each["msg"].removeprefix("Value error, "), "type": each["type"]}
                for each in error.errors(include_input=False, include_url=False, include_context=False)
            ]
        )


def title_of(status: HTTPStatus) -> str:
    """Its name in RFC 9110, whichever Python knows it by."""
    return {413: "Content Too Large", 422: "Unprocessable Content"}.get(status, status.phrase)


def problem(status: HTTPStatus, code: str, detail: str, **more: Any) -> web.Response:
    """An answer that says what is wrong: `code` is for programs and never renamed, `detail` is for people."""
    body = {"status": status.value, "title": title_of(status), "detail": detail, "code": code, **more}
    answer = web.Response(status=status.value, text=json.dumps(body), content_type="application/problem+json")
    if status is HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    answer[CODE] = code
    return answer


def of_refusal(refusal: Refusal) -> web.Response:
    """The one place where a refusal becomes a status."""
    answer = problem(
        STATUS[type(refusal)],
        refusal.code,
        str(refusal),
        hresult=f"0x{refusal.hresult:08X}",
        lineerr=f"0x{refusal.lineerr:08X}",
    )
    if isinstance(refusal, access.TooManyAttempts):
        answer.headers["Retry-After"] = str(math.ceil(refusal.seconds))
    return answer


def of_invalid(invalid: Invalid) -> web.Response:
    """422, naming each field; to TAPI an argument that is not acceptable."""
    fields = "; ".join(f"{_dotted(error['loc'])}: {error['msg']}" for error in invalid.errors)
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid",
        fields,
        hresult=f"0x{no.E_INVALIDARG:08X}",
        lineerr=f"0x{no.LINEERR_INVALPARAM:08X}",
        errors=invalid.errors,
    )


def _dotted(loc: Iterable[Any]) -> str:
    return ".".join(str(part) for part in loc)


@web.middleware
async def problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turns whatever goes wrong into a problem; no stack ever leaves the house."""
    try:
        return await handler(request)
    except ConnectionResetError:  # the client is gone, and nobody waits for an answer
        raise
    except Exception as error:
        return answer_to(error, request)


def answer_to(error: Exception, request: web.Request) -> web.Response:
    """The one place where something that went wrong becomes an answer."""
    match error:
        case Refusal():
            return of_refusal(error)
        case Invalid():
            return of_invalid(error)
        case web.HTTPException():
            status = HTTPStatus(error.status)
            answer = problem(status, title_of(status).lower().replace(" ", "-"), _of_http(error, request))
            if "Allow" in error.headers:
                answer.headers["Allow"] = error.headers["Allow"]
            return answer
        case _:
            log.error("A request failed: %s %s", request.method, request.rel_url.path, exc_info=error)
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", "Something went wrong inside acd.")


def _of_http(error: web.HTTPException, request: web.Request) -> str:
    match error:
        case web.HTTPNotFound():
            return f"There is nothing at {request.rel_url.path}."
        case web.HTTPMethodNotAllowed():
            return f"{request.method} is not possible here."
        case web.HTTPRequestEntityTooLarge():
            return "The body is too large."
        case web.HTTPPreconditionFailed():
            return "Somebody has changed it meanwhile: look again, and decide anew."
        case _:
            return error.reason
