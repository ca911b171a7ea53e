"""An agent that is a program: it logs on at a phone that answers by itself and prints its figures after each call.

    ACD_URL=http://127.0.0.1:8080 ACD_API_TOKEN=... ACD_PIN=4711 python examples/bot.py 1001 support PJSIP/1001

The agent is there already; the token may be his own. Ctrl-C or SIGTERM logs him off, after the call if there is one.
"""

import asyncio
import os
import signal
import sys

from acd.client import AgentSessionEvent, AgentState, SessionState, TapiEvent, connect

URL = os.environ.get("ACD_URL", "http://127.0.0.1:8080")


async def main(id: str, group: str, address: str) -> None:
    async with connect(URL, token=os.environ["ACD_API_TOKEN"]) as call_center:
        agent = await (await call_center.agent_handler()).agent(id)
        session = await agent.create_session_with_pin(group, address, os.environ["ACD_PIN"])
        async with call_center.events(TapiEvent.AGENTSESSION, agent=id) as events:
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, events.close)
            await session.put_state(SessionState.READY)
            await agent.put_state(AgentState.READY)
            print(f"{agent.user} takes calls for {group} at {address}", flush=True)
            calls = 0
            async for event in events:
                seen = event.session if isinstance(event, AgentSessionEvent) else await session.refresh()  # a Reset
                if seen == session and seen.number_of_calls > calls and "BUSY" not in seen.state.name:
                    calls = seen.number_of_calls
                    times = f"{seen.total_talk_time} s of talk, {seen.total_wrap_up_time} s of wrap-up"
                    print(f"{calls} calls, {times}, {seen.acd_call_rate} calls an hour", flush=True)
        await session.put_state(SessionState.SESSION_ENDED)
        print("logged off", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
