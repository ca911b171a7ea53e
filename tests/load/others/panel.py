"""A queue panel by pyfreepbx: asks QueueStatus of all queues every two seconds, as panels of this kind do."""

import json
import sys
import threading

from pyfreepbx.clients.ami import AMIClient
from pyfreepbx.config import AMIConfig

EVERY = 2.0  # seconds

host, port, user, secret = sys.argv[1:5]
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
taken = {}
with AMIClient(AMIConfig(host=host, port=int(port), username=user, secret=secret)) as ami:
    ami.connect()
    ami.login()
    print("listening", flush=True)
    while not over.wait(EVERY):
        events = ami.queue_status()
        queues = [one for one in events if one.get("Event") == "QueueParams"]
        members = [one for one in events if one.get("Event") == "QueueMember"]
        taken = {
            "answered": sum(int(queue["Completed"]) for queue in queues),
            "abandoned": sum(int(queue["Abandoned"]) for queue in queues),
            "members": len(members),
        }
print(json.dumps(taken), flush=True)
