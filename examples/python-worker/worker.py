#!/usr/bin/env python3
"""A worker for Outrigger in Python, with the standard library only.

It runs tasks of the kind `report.words`, which the server knows by its setting
`tasks.external_kinds = ["report.words"]`: it counts the words of a text.

    OUTRIGGER_URL=http://127.0.0.1:8000 OUTRIGGER_EMAIL=worker@example.com \
    OUTRIGGER_PASSWORD=... python3 worker.py [QUEUE]

The user needs the role `worker`. SIGTERM or SIGINT: nothing more is leased, what runs is finished.
"""

import collections
import itertools
import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

# A task whose lease we no longer extend goes to another worker after so many seconds.
LEASE_S = int(os.environ.get("OUTRIGGER_LEASE_S", "10"))
WAIT_S = 5  # so long the server holds a request while there is nothing to do
PAUSES = (0.5, 1, 2, 5)  # seconds between tries while the server is away


class Refused(Exception):
    """The server's answer to a request that it does not do."""

    def __init__(self, status, code, detail):
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code = status, code


class Fatal(Exception):
    """A task that would fail at each attempt."""


class Server:
    """The API, as somebody who has signed in."""

    def __init__(self, url, email, password):
        self.url, self.login = url.rstrip("/"), {"email": email, "password": password}
        self.token, self.lock = None, threading.Lock()

    def send(self, path, body, token):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=WAIT_S + 10) as answer:
                return json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            text = error.read()
            problem = json.loads(text) if text.startswith(b"{") else {}
            detail = problem.get("detail", error.reason)
            raise Refused(error.code, problem.get("code"), detail) from None

    def post(self, path, body):
        """Signs in when there is no token, or it has expired."""
        for may_sign_in in (True, False):
            with self.lock:
                if self.token is None:
                    login = self.send("/api/v1/auth/login", self.login, None)
                    self.token = login["access_token"]
                token = self.token
            try:
                return self.send(path, body, token)
            except Refused as refused:
                if refused.status != 401 or not may_sign_in:
                    raise
                with self.lock:
                    if self.token == token:
                        self.token = None


def patiently(call, stopping):
    """Tries until the server has answered, or we stop: an outage is not the end of a worker."""
    for number in itertools.count():
        try:
            return call()
        except (OSError, Refused) as error:
            is_away = not isinstance(error, Refused) or error.status in (429, 503)
            if not is_away or stopping.is_set():
                raise
            say(f"the server is away: {error}")
            stopping.wait(PAUSES[min(number, len(PAUSES) - 1)])


class Lease:
    """The right to run one task; kept by heartbeats from another thread until it is ended."""

    def __init__(self, server, task, stopping):
        self.server, self.task, self.stopping = server, task, stopping
        self.progress, self.stop = None, threading.Event()  # stop: cancelled, or lost
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.keep, daemon=True)
        self.thread.start()

    def call(self, verb, **body):
        body["token"] = self.task["token"]
        return self.server.post(f"/api/v1/tasks/{self.task['id']}/{verb}", body)

    def keep(self):
        while not self.ended.wait(LEASE_S / 3):
            try:
                beat = self.call("heartbeat", lease_s=LEASE_S, progress=self.progress)
            except Refused as refused:
                if refused.code == "lease_lost":
                    self.stop.set()
                    return
            except OSError as error:
                say(f"no heartbeat: {error}")
            else:
                if beat["cancelled"]:
                    self.stop.set()

    def end(self, verb, **body):
        """Says how it ended; nothing that is said of a lost lease changes anything."""
        self.ended.set()
        self.thread.join()
        try:
            patiently(lambda: self.call(verb, **body), self.stopping)
        except (OSError, Refused) as error:
            say(f"{self.task['id']}: {error}")


def count_words(payload, lease):
    """The work: how often each word is in the text. It may run more than once."""
    if not isinstance(payload, dict) or not isinstance(payload.get("text"), str):
        raise Fatal("the payload needs a text")
    words, counts = payload["text"].split(), collections.Counter()
    for number, word in enumerate(words, 1):
        if lease.stop.is_set():
            raise RuntimeError("told to stop")
        counts[word.lower()] += 1
        lease.progress = {"done": number, "of": len(words)}
        time.sleep(payload.get("pause_s", 0))
    return dict(counts)


KINDS = {"report.words": count_words}


def run(server, task, stopping):
    lease = Lease(server, task, stopping)
    say(f"{task['id']}: {task['kind']}, attempt {task['attempt']}")
    try:
        result = KINDS[task["kind"]](task["payload"], lease)
    except Fatal as error:
        lease.end("fail", code="invalid", message=str(error), retry=False)
    except Exception as error:  # whatever it is, another attempt may mend it
        lease.end("fail", code=type(error).__name__, message=str(error))
    else:
        lease.end("complete", result=result)


def say(text):
    print(text, flush=True)


def main():
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    setting = os.environ
    server = Server(
        setting["OUTRIGGER_URL"], setting["OUTRIGGER_EMAIL"], setting["OUTRIGGER_PASSWORD"]
    )
    queue = sys.argv[1] if len(sys.argv) > 1 else "default"
    ask = {"kinds": list(KINDS), "limit": 1, "wait_s": WAIT_S, "lease_s": LEASE_S}
    while not stopping.is_set():
        try:
            leased = patiently(lambda: server.post(f"/api/v1/queues/{queue}/lease", ask), stopping)
        except OSError:
            break  # we were told to stop while the server was away
        for task in leased["items"]:
            run(server, task, stopping)
    say("stopped")


if __name__ == "__main__":
    main()
