"""What the call center says no to. One class a refusal; its docstring is its message."""

E_INVALIDARG = 0x80070057
TAPI_E_TIMEOUT = 0x80040044
TAPI_E_OPERATIONFAILED = 0x80040005
TAPI_E_RESOURCEUNAVAIL = 0x80040052
TAPI_E_SERVICE_NOT_RUNNING = 0x8004005A
TAPI_E_CALLCENTER_NO_AGENT_ID = 0x80040047
TAPI_E_CALLCENTER_INVALAGENTID = 0x80040048
TAPI_E_CALLCENTER_INVALAGENTGROUP = 0x80040049
TAPI_E_CALLCENTER_INVALPASSWORD = 0x8004004A
TAPI_E_CALLCENTER_INVALAGENTSTATE = 0x8004004B
LINEERR_INVALADDRESSID = 0x80000011
LINEERR_INVALPARAM = 0x80000032
LINEERR_OPERATIONFAILED = 0x80000048
LINEERR_RESOURCEUNAVAIL = 0x8000004B
LINEERR_INVALAGENTID = 0x80000057
LINEERR_INVALAGENTGROUP = 0x80000058
LINEERR_INVALPASSWORD = 0x80000059
LINEERR_INVALAGENTSTATE = 0x8000005A
LINEERR_SERVICE_NOT_RUNNING = 0x80000061


class Refusal(Exception):
    """The request is refused."""

    code = "refused"  # public, never renamed
    hresult = TAPI_E_OPERATIONFAILED
    lineerr = LINEERR_OPERATIONFAILED

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or (self.__doc__ or "").splitlines()[0])


class UnknownAgent(Refusal):
    """There is no such agent."""

    code, hresult, lineerr = "unknown-agent", TAPI_E_CALLCENTER_INVALAGENTID, LINEERR_INVALAGENTID


class UnknownGroup(Refusal):
    """There is no such ACD group."""

    code, hresult, lineerr = "unknown-group", TAPI_E_CALLCENTER_INVALAGENTGROUP, LINEERR_INVALAGENTGROUP


class UnknownQueue(Refusal):
    """There is no such queue."""

    code, hresult, lineerr = "unknown-queue", E_INVALIDARG, LINEERR_INVALPARAM


class UnknownSession(Refusal):
    """There is no such session."""

    code, hresult, lineerr = "unknown-session", E_INVALIDARG, LINEERR_INVALPARAM


class UnknownAddress(Refusal):
    """There is no such phone, or it may not be used for ACD calls."""

    code, hresult, lineerr = "unknown-address", E_INVALIDARG, LINEERR_INVALADDRESSID


class AgentExists(Refusal):
    """Another agent already has this account name."""

    code, hresult, lineerr = "agent-exists", E_INVALIDARG, LINEERR_INVALPARAM


class AddressInUse(Refusal):
    """Another agent is logged on at this phone."""

    code, hresult, lineerr = "address-in-use", E_INVALIDARG, LINEERR_INVALADDRESSID


class SessionExists(Refusal):
    """The agent already has a live session for this group."""

    code, hresult, lineerr = "session-exists", E_INVALIDARG, LINEERR_INVALPARAM


class GroupEmpty(Refusal):
    """Asterisk has no queue that feeds this group, so nobody can log on to it."""

    code, hresult, lineerr = "group-empty", TAPI_E_CALLCENTER_INVALAGENTGROUP, LINEERR_INVALAGENTGROUP


class GroupInUse(Refusal):
    """Agents are logged on for this group."""

    code, hresult, lineerr = "group-in-use", TAPI_E_CALLCENTER_INVALAGENTGROUP, LINEERR_INVALAGENTGROUP


class StateNotSettable(Refusal):
    """Only the switch sets this state."""

    code = "state-not-settable"
    hresult, lineerr = TAPI_E_CALLCENTER_INVALAGENTSTATE, LINEERR_INVALAGENTSTATE


class StateNotReachable(Refusal):
    """This state cannot be reached from the present one."""

    code = "state-not-reachable"
    hresult, lineerr = TAPI_E_CALLCENTER_INVALAGENTSTATE, LINEERR_INVALAGENTSTATE


class NotInWrapUp(Refusal):
    """The session is not in wrap-up."""

    code = "not-in-wrap-up"
    hresult, lineerr = TAPI_E_CALLCENTER_INVALAGENTSTATE, LINEERR_INVALAGENTSTATE


class UnknownCall(Refusal):
    """There is no such call, or it does not wait there any more."""

    code, hresult, lineerr = "unknown-call", E_INVALIDARG, LINEERR_INVALPARAM


class UnknownMonitor(Refusal):
    """Nobody listens by that name, or no more."""

    code, hresult, lineerr = "unknown-monitor", E_INVALIDARG, LINEERR_INVALPARAM


class UnknownDisposition(Refusal):
    """There is no such after-call code."""

    code, hresult, lineerr = "unknown-disposition", E_INVALIDARG, LINEERR_INVALPARAM


class NoCall(Refusal):
    """There is no call to do this with."""

    code, hresult, lineerr = "no-call", TAPI_E_OPERATIONFAILED, LINEERR_OPERATIONFAILED


class QueueEmpty(Refusal):
    """Nobody serves this queue: Asterisk would hang up on the caller."""

    code, hresult, lineerr = "queue-empty", TAPI_E_OPERATIONFAILED, LINEERR_OPERATIONFAILED


class DispositionMissing(Refusal):
    """This queue wants an after-call code before wrap-up is ended early."""

    code = "disposition-missing"
    hresult, lineerr = TAPI_E_CALLCENTER_INVALAGENTSTATE, LINEERR_INVALAGENTSTATE


class PeriodInvalid(Refusal):
    """A measurement period is at least one second."""

    code, hresult, lineerr = "period-invalid", E_INVALIDARG, LINEERR_INVALPARAM


class NoAgentId(Refusal):
    """The agent was made without an ID, so there is no PIN to log on with."""

    code, hresult, lineerr = "no-agent-id", TAPI_E_CALLCENTER_NO_AGENT_ID, LINEERR_INVALAGENTID


class WrongPin(Refusal):
    """The PIN is wrong."""

    code, hresult, lineerr = "wrong-pin", TAPI_E_CALLCENTER_INVALPASSWORD, LINEERR_INVALPASSWORD


class PinLocked(Refusal):
    """Too many wrong PINs: this agent ID is locked for a while."""

    code, hresult, lineerr = "pin-locked", TAPI_E_CALLCENTER_INVALPASSWORD, LINEERR_INVALPASSWORD


class PinOfSettings(Refusal):
    """The agent's PIN stands in the settings and can be changed there alone."""

    code = "pin-of-settings"


class NotLinked(Refusal):
    """Asterisk is not connected."""

    code = "not-linked"
    hresult, lineerr = TAPI_E_SERVICE_NOT_RUNNING, LINEERR_SERVICE_NOT_RUNNING


class AsteriskRefused(Refusal):
    """Asterisk said no."""

    code, hresult, lineerr = "asterisk-refused", TAPI_E_OPERATIONFAILED, LINEERR_OPERATIONFAILED


class AsteriskSilent(Refusal):
    """Asterisk did not answer in time. Should it do so later, the state will tell."""

    code, hresult, lineerr = "asterisk-silent", TAPI_E_TIMEOUT, LINEERR_OPERATIONFAILED


class StoreFailed(Refusal):
    """The store cannot be written, so nothing was changed."""

    code, hresult, lineerr = "store-failed", TAPI_E_RESOURCEUNAVAIL, LINEERR_RESOURCEUNAVAIL


class Busy(Refusal):
    """Too much is asked for at present: try again in a while."""

    code, hresult, lineerr = "busy", TAPI_E_RESOURCEUNAVAIL, LINEERR_RESOURCEUNAVAIL
