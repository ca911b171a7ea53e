"""What each field says, with its unit and an example: once, for answers, bodies and queries alike.

A field is found by `Type.name`, where it means something of its own there, else by its name. `<name>_exact` needs no
line. The examples tell of one call center: the agent 1001, alice, answers the queue support at the phone PJSIP/1001.
"""

from typing import Any, NamedTuple

EXACT = "_exact"


class Field(NamedTuple):
    """The meaning, and a value as it could be."""

    text: str
    example: Any = None


def field_of(kind: str, name: str) -> Field:
    """What the field `name` of the type `kind` says. Raises KeyError where nobody wrote it down."""
    found = FIELDS.get(f"{kind}.{name}") or FIELDS.get(name)
    if found is None and name.endswith(EXACT):
        whole = field_of(kind, name.removesuffix(EXACT))
        exact = None if whole.example is None else whole.example + 0.25
        return Field(f"`{name.removesuffix(EXACT)}` before rounding, in seconds.", exact)
    if found is None:
        raise KeyError(f"{kind}.{name} has no line in {__name__}.FIELDS")
    return found


FIELDS: dict[str, Field] = {
    # Who and what
    "name": Field("Its name.", "support"),
    "handler": Field("The name of a configured Asterisk server.", "main"),
    "agent": Field("The agent's name in addresses: the id, or the user of an agent without one.", "1001"),
    "id": Field("The id, as it stands in addresses.", "c0ffee1234567890"),
    "user": Field("The account name of the person.", "alice"),
    "session": Field("The id of the agent's session.", "c0ffee1234567890"),
    "queue": Field("The name of the queue.", "support"),
    "group": Field("The name of an ACD group.", "support"),
    "acd_group": Field("The name of the ACD group for which the agent is logged on.", "support"),
    "address": Field("The phone, as Asterisk's queues ring it.", "PJSIP/1001"),
    "call": Field("The call: Asterisk's Uniqueid of the caller's channel.", "1763716500.42"),
    "caller": Field("The caller's number, empty when it is withheld.", "+49305551234"),
    "role": Field("What its bearer may do at all.", "supervisor"),
    "groups": Field("The ACD groups within a supervisor's reach; null: all.", ["support"]),
    "expires": Field("When it ends by itself; null: never.", "2026-11-20T21:15:00.000000Z"),
    # Lists
    "items": Field("What is on this page."),
    "next": Field("The `cursor` of the page behind this one; null on the last.", None),
    "limit": Field("At most so many items on one page.", 100),
    "cursor": Field("Go on behind a page: the `next` that it gave. Nobody need understand it.", "WyIiLCAiMTAwMSJd"),
    "sort": Field("The field to sort by, with `-` in front for the other way round; empty: the usual order.", ""),
    "from": Field("From this time on, ISO 8601; without a time zone it is UTC.", "2026-11-20T08:00:00Z"),
    "to": Field("Before this time, ISO 8601; without a time zone it is UTC.", "2026-11-21T08:00:00Z"),
    # ITAgentHandler, ITACDGroup, ITAddress
    "Handler.name": Field("The name of the Asterisk server in the settings.", "main"),
    "Handler.linked": Field("Asterisk is connected, and its picture was taken.", True),
    "Handler.agents": Field("How many agents there are.", 12),
    "Handler.sessions": Field("How many live sessions there are.", 9),
    "Handler.queues": Field("How many queues there are.", 2),
    "Handler.acd_groups": Field("How many ACD groups there are.", 2),
    "calls_waiting": Field("How many callers wait at this moment, in all queues.", 3),
    "queues": Field("The queues that feed the group, by name.", ["support"]),
    "address_name": Field("ITAddress.AddressName; the same as `address`.", "PJSIP/1001"),
    "dialable_address": Field("ITAddress.DialableAddress: the address without its technology.", "1001"),
    "service_provider_name": Field("ITAddress.ServiceProviderName: Asterisk's channel technology.", "PJSIP"),
    "Address.state": Field("ADDRESS_STATE: whether the phone can be reached.", "INSERVICE"),
    "sessions": Field("The ids of the live sessions.", ["c0ffee1234567890"]),
    # ITAgent
    "AgentView.id": Field("The agent's id; null for an agent known by account name alone.", "1001"),
    "state": Field("The present state.", "READY"),
    "state_since": Field("When the present state began, on Asterisk's clock.", "2026-11-20T09:15:00.000000Z"),
    "reason": Field("Why, in the agent's or acd's words; empty where there is nothing to say.", ""),
    "measurement_period": Field("Seconds over which the counters run before they start at zero again.", 86400),
    "number_of_acd_calls": Field("ACD calls that were handled.", 31),
    "number_of_incoming_calls": Field("Calls that came in outside the ACD, as far as they were connected.", 2),
    "number_of_outgoing_calls": Field("Calls that went out, as far as they were connected.", 4),
    "overall_call_rate": Field("ACD calls per hour with at least one session, with four places.", "12.5000"),
    "total_acd_call_time": Field("Seconds of talk and wrap-up of ACD calls.", 7260),
    "total_acd_talk_time": Field("Seconds of talk in ACD calls, hold included.", 6420),
    "total_wrap_up_time": Field("Seconds of after-call work for ACD calls.", 840),
    "AgentView.wrap_up": Field("The agent's own seconds of after-call work; null: as the queue has it.", None),
    # ITAgentSession
    "next_state": Field("The state that was asked for during a call and follows it; null: none was.", None),
    "wrap_up_until": Field("When the present after-call work ends; null while there is none.", None),
    "session_start_time": Field("When the agent logged on.", "2026-11-20T08:00:00.000000Z"),
    "session_duration": Field("Seconds since the log-on; after the end of the session, until then.", 4500),
    "number_of_calls": Field("ACD calls that were handled in this session.", 18),
    "total_talk_time": Field("Seconds of talk in the ACD calls of this session, hold included.", 3600),
    "average_talk_time": Field("`total_talk_time` / `number_of_calls`, in seconds; 0 without calls.", 200),
    "total_call_time": Field("Seconds of talk and wrap-up of this session.", 4086),
    "average_call_time": Field("`total_call_time` / `number_of_calls`, in seconds; 0 without calls.", 227),
    "SessionView.total_wrap_up_time": Field("Seconds of after-call work in this session.", 486),
    "average_wrap_up_time": Field("`total_wrap_up_time` / `number_of_calls`, in seconds; 0 without calls.", 27),
    "acd_call_rate": Field("ACD calls per hour of this session, with four places.", "14.4000"),
    "longest_time_to_answer": Field("The longest that a phone rang before the answer, in seconds.", 11),
    "average_time_to_answer": Field("Seconds from ringing to the answer, on average; 0 without calls.", 4),
    # ITQueue
    "in_service": Field("Asterisk is connected and has this queue.", True),
    "QueueView.wrap_up": Field("Seconds of after-call work for a call of this queue.", 15.0),
    "total_calls_queued": Field("Calls that came in.", 240),
    "current_calls_queued": Field("Calls that wait at this moment.", 3),
    "total_calls_answered": Field("Calls that an agent answered.", 219),
    "total_calls_abandoned": Field("Calls whose caller hung up while waiting.", 11),
    "total_calls_flowed_in": Field("Calls that came from another queue.", 5),
    "total_calls_flowed_out": Field("Calls that went on to another queue.", 4),
    "total_calls_refused": Field("Calls that Asterisk did not let in, for instance because the queue was full.", 0),
    "longest_ever_wait_time": Field("The longest wait of the measurement period, in seconds.", 311),
    "current_longest_wait_time": Field("Seconds for which the caller who has waited longest waits by now.", 48),
    "average_wait_time": Field("Seconds in the queue, on average over those who left it; 0 while nobody did.", 37),
    "final_disposition": Field("Calls that left the queue unanswered in another way: time-out, key, nobody there.", 3),
    # Waiting callers and the ledger
    "position": Field("The place in the order in which they will be served, from 1.", 1),
    "waiting_since": Field("When the caller came into the queue.", "2026-11-20T09:14:12.000000Z"),
    "priority": Field("The caller's priority, a higher one first; null while nothing has told it.", None),
    "Call.agent": Field("Who answered, or was the last to be offered the call; null: nobody.", "1001"),
    "Call.session": Field("The session in which it was answered; null: in none.", "c0ffee1234567890"),
    "outcome": Field("How the visit to the queue ended; null while it lasts.", "answered"),
    "disposition": Field("The code that the agent gave in after-call work; null: none.", None),
    "estimated": Field("A time in this row was concluded, not observed.", False),
    "entered": Field("When the caller came into the queue.", "2026-11-20T09:14:12.000000Z"),
    "answered": Field("When an agent answered; null: not, or not yet.", "2026-11-20T09:14:49.000000Z"),
    "ended": Field("When the agent's leg or the visit ended; null while it lasts.", "2026-11-20T09:18:09.000000Z"),
    "ring_time": Field("Seconds for which the phone rang before the answer; null: unknown or not answered.", 5),
    "wait_time": Field("Seconds from entry to the answer or the exit; null while the caller waits.", 37),
    "talk_time": Field("Seconds from the answer to the end of the agent's leg, hold included; null: none yet.", 200),
    "hold_time": Field("Seconds on hold, which are part of `talk_time`.", 0),
    "wrap_up_time": Field("Seconds of after-call work; null until it is over.", 14),
    # Who comes in
    "Session.name": Field("Who you are, as the log of commands shows it.", "agent 1001"),
    "Session.role": Field("What you may do at all.", "agent"),
    "Session.handler": Field("The Asterisk server to which an agent belongs; null for all others.", "main"),
    "Session.agent": Field("The agent's name in addresses; null for who is none.", "1001"),
    "Session.groups": Field("The ACD groups within a supervisor's reach; null: no such limit.", None),
    "Session.expires": Field("When the session or token ends by itself; null: never.", "2026-11-20T21:15:00.000000Z"),
    "Token.id": Field("The id, which may be known; it is the middle part of the token.", "0123456789abcdef"),
    "Token.name": Field("What it is for, as the log of commands shows it.", "wallboard"),
    "Token.role": Field("What its bearer may do at all.", "integration"),
    "Token.handler": Field("The Asterisk server to which the agent belongs; null for other roles.", None),
    "Token.agent": Field("The agent whose token it is; null for other roles.", None),
    "Token.groups": Field("The ACD groups within a supervisor's reach; null: no such limit.", None),
    "created": Field("When it was made.", "2026-11-20T08:00:00.000000Z"),
    "created_by": Field("Who made it.", "api-token"),
    "Token.token": Field("The token itself, in the answer that made it and never again.", "acd_0123456789abcdef_Zm9v"),
    "Account.name": Field("The name to log in with.", "carol"),
    "changed": Field("When the account was last changed.", "2026-11-20T08:00:00.000000Z"),
    # The log of commands
    "Command.id": Field("The id of this entry.", "5f0c6c1e9a3b4d7f8e2a1b0c9d8e7f6a"),
    "at": Field("When it happened.", "2026-11-20T09:15:00.000000Z"),
    "who": Field("Who asked for it.", "carol"),
    "Command.role": Field("The role in which it was asked for.", "supervisor"),
    "source": Field("The network address that it came from.", "192.0.2.17"),
    "method": Field("The method of the request.", "PUT"),
    "Command.path": Field("The path of the request.", "/api/v1/handlers/main/agents/1001/state"),
    "Command.body": Field("What was sent, without secrets; null: nothing.", {"state": "NOT_READY", "reason": "lunch"}),
    "status": Field("The status of the answer.", 200),
    "Command.code": Field("The code of the refusal; null: it was not refused.", None),
    "CommandsQuery.path": Field("Only requests whose path begins so.", "/api/v1/handlers/main"),
    "CommandsQuery.who": Field("Only what this one asked for.", "carol"),
    # Bodies
    "pin": Field("The agent's PIN.", "4711"),
    "NewAgent.id": Field("The agent's id, with `pin`; null or left out for an agent known by `user` alone.", "1001"),
    "NewAgent.pin": Field("The agent's PIN, with `id`: the new agent's, or the present one's to be compared.", "4711"),
    "NewAgent.user": Field("The account name of the person; null or left out: the id.", "alice"),
    "NewSession.acd_group": Field("The ACD group to log on for.", "support"),
    "NewSession.address": Field("The phone at which the calls are to come.", "PJSIP/1001"),
    "NewSession.pin": Field("The agent's PIN (CreateSessionWithPIN); null or left out: CreateSession.", "4711"),
    "AgentStateBody.state": Field("READY or NOT_READY; only the switch sets the others.", "NOT_READY"),
    "AgentStateBody.reason": Field("Why, for everybody to see; blanks around it are dropped.", "lunch"),
    "SessionStateBody.state": Field("READY, NOT_READY or SESSION_ENDED; only the switch sets the others.", "READY"),
    "SessionStateBody.reason": Field("Why, for everybody to see; blanks around it are dropped.", ""),
    "extend_seconds": Field("So many seconds more of after-call work.", 30),
    "WrapUpBody.end": Field("true: after-call work ends now.", None),
    "PeriodBody.seconds": Field("The new measurement period in seconds.", 3600),
    "WrapUpTimeBody.seconds": Field("Seconds of after-call work; null: back to the default.", 20),
    "GroupBody.queues": Field("The queues that shall feed the group, by name.", ["support", "sales"]),
    "LogIn.handler": Field("The Asterisk server to which the agent belongs.", "main"),
    "LogIn.agent": Field("An agent's id, with `pin`.", "1001"),
    "LogIn.user": Field("The name of an account, with `password`.", None),
    "password": Field("The password of the account; null or left out: the present one stays.", "correct horse battery"),
    "LogIn.password": Field("The password of the account.", None),
    "LogIn.token": Field("Instead of all else: a token.", None),
    "NewToken.name": Field("What it is for, as the log of commands shows it.", "wallboard"),
    "NewToken.role": Field("What its bearer may do at all.", "integration"),
    "NewToken.agent": Field("Whose token it is, for the role agent and for no other.", None),
    "NewToken.groups": Field("For the role supervisor: the ACD groups within reach; null: all.", None),
    "expires_in_days": Field("So many days it is valid; null: until it is revoked.", 365),
    # Queries
    "AgentsQuery.state": Field("Only agents in this state.", "READY"),
    "AgentsQuery.group": Field("Only agents who are logged on for this ACD group.", "support"),
    "SessionsQuery.state": Field("Only sessions in this state.", "READY"),
    "SessionsQuery.group": Field("Only sessions for this ACD group.", "support"),
    "SessionsQuery.agent": Field("Only sessions of this agent.", "1001"),
    "QueuesQuery.group": Field("Only queues that feed this ACD group.", "support"),
    "QueuesQuery.in_service": Field("Only queues that Asterisk has, or has not, at this moment.", True),
    "CallsQuery.queue": Field("Only visits to this queue.", "support"),
    "CallsQuery.agent": Field("Only visits that this agent answered. An agent sees his own in any case.", "1001"),
    "CallsQuery.call": Field("Only visits of this call.", "1763716500.42"),
    # Errors
    "Problem.status": Field("The status of the answer.", 409),
    "Problem.title": Field("The words of the status.", "Conflict"),
    "Problem.detail": Field("What is wrong, for people.", "Agents are logged on for this group."),
    "Problem.code": Field("What is wrong, for programs. Never renamed.", "group-in-use"),
    "hresult": Field("TAPI's HRESULT, where TAPI has one.", "0x80040049"),
    "lineerr": Field("TAPI's LINEERR, where TAPI has one.", "0x80000058"),
    "errors": Field("With 422: every field that does not fit.", None),
    "loc": Field("Where the field stands: body, query, path or header, then the names.", ["body", "seconds"]),
    "msg": Field("What it would have to be.", "Input should be greater than 0"),
    "FieldError.type": Field("The kind of error, for programs.", "greater_than"),
    # Health
    "ready": Field("Everything is as it should be.", True),
    "Readiness.linked": Field("Of every handler: Asterisk is connected, and its picture was taken.", {"main": True}),
    "Readiness.store": Field("`ok`, or why the database cannot be written.", "ok"),
    "Health.status": Field("`ok`: the process lives.", "ok"),
}
