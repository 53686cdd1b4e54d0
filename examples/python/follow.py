"""Follows a plan live and prints each of its events as one line of JSON.

    AGENT_TOKEN=… python3 follow.py http://127.0.0.1:8000 1
"""

import json
import logging
import os
import random
import sys
import time

from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import reconnect

ENDED = ("completed", "failed", "cancelled")


def follow(server, plan, token):
    """Yields each event once and in order, up to the one that says how the plan ended."""
    last = 0
    connections = reconnect(
        server.replace("http", "ws", 1) + "/ws/follow.py",
        additional_headers={"Authorization": f"Bearer {token}"},
        max_size=None,  # a task's result may be larger than the 1 MiB that the library takes by itself
    )
    for connection in connections:  # waits longer and longer while there is no server
        try:
            connection.send(json.dumps({"action": "subscribe", "topic": f"plan_{plan}", "after": last}))
            for message in map(json.loads, connection):
                if message.get("type") == "error":
                    sys.exit(f"refused: {message['detail']}")
                if "event" in message:
                    yield message
                    last = message["seq"]
                    if message["event"] == "plan_updated" and message["status"] in ENDED:
                        return connection.close()
        except ConnectionClosedError as error:
            logging.info("lost after event %d: %s", last, error)
        if connection.close_code == 1000:
            sys.exit("the server closed the connection before the plan ended")
        time.sleep(random.random())  # so that not everybody is back at the same moment


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    for event in follow(*sys.argv[1:], os.environ["AGENT_TOKEN"]):
        print(json.dumps(event), flush=True)
