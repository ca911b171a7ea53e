"""cacofonisk with its own reporter, which writes a line at each step of a call: the nearest to acd that PyPI has."""

import asyncio
import json
import logging
import sys
import threading
from collections import Counter
from pathlib import Path

from cacofonisk.reporters import LoggingReporter
from cacofonisk.runners.ami_runner import AmiRunner

seen: Counter[str] = Counter()


class Reporter(LoggingReporter):
    def on_up(self, caller, target):
        seen["answered"] += 1
        super().on_up(caller, target)

    def on_queue_caller_abandon(self, caller):
        seen["abandoned"] += 1
        super().on_queue_caller_abandon(caller)

    def on_hangup(self, caller, reason):
        seen["calls ended"] += 1
        super().on_hangup(caller, reason)


host, port, user, secret = sys.argv[1:5]
logging.basicConfig(filename=Path(__file__).with_suffix(".log").name, level=logging.INFO, filemode="w")
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
runner = AmiRunner([f"tcp://{user}:{secret}@{host}:{port}"], Reporter(logging.getLogger("calls")))
runner.attach_all()
print("listening", flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(loop.stop)), daemon=True).start()
loop.run_forever()
print(json.dumps(seen), flush=True)
