"""``python -m standin``: a stand-in for a controller in a process of its own, until it is ended.

Its address and account are the first line that it prints, as JSON.
"""

import json
import sys
import threading

from standin.controller import StandIn

with StandIn() as running:
    running.delay = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    account = {"url": running.url, "user": running.user, "token": running.token}
    print(json.dumps(account), flush=True)
    threading.Event().wait()
