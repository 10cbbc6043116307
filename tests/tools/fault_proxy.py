#!/usr/bin/env python3
"""A TCP proxy that cuts connections, for tests of what a client makes of a bad network. It knows just enough of HTTP/1.1 to tell
where a request and an answer begin and end.

    fault_proxy.py --to 127.0.0.1:7070 --cut before-answer --cut none [--match /invocations]

It listens on a free port of the loopback and prints that as its first line. The requests that it sees get the given cuts, one
after the other; when all are used up, requests pass. `--match TEXT`: only requests whose first line contains the text count and
are cut, all others pass. `--listen PORT` takes that port. More cuts can be given later: each line on standard input is a cut, or
`reset`, which forgets those that are left; each is answered with `ok`. At the end of its input it goes on until it is killed;
with `--until-eof` it ends.

For each request that counts it prints a line of JSON: {"request": 1, "cut": "before-answer", "to_gateway": bytes, "to_client": bytes}.

Cuts (a connection is cut by a reset, as a phone's is that goes out of reach):

    none            the request and its answer pass
    before-request  cut before anything is passed on
    in-request      the gateway gets the first half of the body (of the head, if there is no body)
    before-answer   the gateway gets the whole request; its answer is read, and none of it is passed on
    leave           the gateway gets the whole request, and both sides are cut at once: its caller leaves while it runs
    in-answer       the client gets the head of the answer and half of its body
    after-answer    the client gets the whole answer, and then the connection is cut

Standard library only, so that tests in any language can start it."""

import argparse
import contextlib
import json
import queue
import socket
import struct
import sys
import threading

CUTS = ("none", "before-request", "in-request", "before-answer", "leave", "in-answer", "after-answer")
# Cuts after which the client still has something to read.
AFTER_ANSWER = ("in-answer", "after-answer")
HEAD_MAX = 1 << 16
BODY_MAX = 64 << 20
IDLE_SECONDS = 120


class Closed(Exception):
    """The other side closed its connection, or broke the protocol."""


class Stream:
    """A socket that is read in pieces of a message."""

    def __init__(self, connection):
        self.socket = connection
        self.buffer = b""

    def more(self):
        chunk = self.socket.recv(65536)
        if not chunk:
            raise Closed
        self.buffer += chunk

    def until(self, mark):
        while mark not in self.buffer:
            if len(self.buffer) > HEAD_MAX:
                raise Closed
            self.more()
        at = self.buffer.index(mark) + len(mark)
        taken, self.buffer = self.buffer[:at], self.buffer[at:]
        return taken

    def exactly(self, length):
        if length > BODY_MAX:
            raise Closed
        while len(self.buffer) < length:
            self.more()
        taken, self.buffer = self.buffer[:length], self.buffer[length:]
        return taken

    def rest(self):
        try:
            while len(self.buffer) < BODY_MAX:
                self.more()
        except Closed:
            pass
        taken, self.buffer = self.buffer, b""
        return taken

    def message(self, *, is_answer=False, has_body=True):
        """Head and body of the next message; 1xx answers stand before the head of the one that follows."""
        head = self.until(b"\r\n\r\n")
        while is_answer and head.split(b"\r\n\r\n")[-2].split(b" ")[1].startswith(b"1"):
            head += self.until(b"\r\n\r\n")
        last = head.split(b"\r\n\r\n")[-2]
        fields = {}
        for line in last.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            fields[name.strip().lower()] = value.strip().lower()
        if not has_body or (is_answer and last.split(b" ")[1] in (b"204", b"304")):
            return head, b""
        if b"chunked" in fields.get(b"transfer-encoding", b""):
            body = b""
            while True:
                line = self.until(b"\r\n")
                size = int(line.split(b";")[0], 16)
                body += line + self.exactly(size + 2) if size else line
                if size == 0:
                    while (trailer := self.until(b"\r\n")) != b"\r\n":
                        body += trailer
                    return head, body + b"\r\n"
        if b"content-length" in fields:
            return head, self.exactly(int(fields[b"content-length"]))
        return head, self.rest() if is_answer else b""


def reset(connection):
    """Closes with a reset, and not with a farewell."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    connection.close()


class Proxy:
    def __init__(self, to, cuts, match, out):
        self.to = to
        self.match = match.encode()
        self.cuts = queue.SimpleQueue()
        for cut in cuts:
            self.cuts.put(cut)
        self.out = out
        self.lock = threading.Lock()
        self.count = 0
        self.told = threading.Condition()
        self.open = 0

    def say(self, line):
        with self.lock:
            print(line, file=self.out, flush=True)

    @contextlib.contextmanager
    def under_way(self, counts):
        """While a request that counts is passed on: the end of the proxy waits for it to be told."""
        with self.told:
            self.open += counts
        try:
            yield
        finally:
            with self.told:
                self.open -= counts
                self.told.notify_all()

    def finish(self):
        with self.told:
            self.told.wait_for(lambda: self.open == 0, IDLE_SECONDS)

    def next_cut(self):
        try:
            return self.cuts.get_nowait()
        except queue.Empty:
            return "none"

    def serve(self, listener):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self.client, args=(connection,), daemon=True).start()

    def client(self, connection):
        connection.settimeout(IDLE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        gateway = None
        try:
            client = Stream(connection)
            while True:
                # A head that waits for leave to send its body gets it from here: the gateway sees the whole request or half of it.
                head = client.until(b"\r\n\r\n")
                if b"100-continue" in head.lower():
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"expect:")]
                    head = b"\r\n".join(lines)
                client.buffer = head + client.buffer
                head, body = client.message()
                counts = self.match in head.split(b"\r\n", 1)[0]
                cut = self.next_cut() if counts else "none"
                if gateway is None and cut != "before-request":
                    gateway = socket.create_connection(self.to, timeout=IDLE_SECONDS)
                    gateway.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self.under_way(counts):
                    sent, got, goes_on = self.exchange(cut, head, body, connection, gateway)
                    if counts:
                        with self.lock:
                            self.count += 1
                            report = {"request": self.count, "cut": cut, "to_gateway": sent, "to_client": got}
                            print(json.dumps(report), file=self.out, flush=True)
                if cut in AFTER_ANSWER:
                    # A reset would take away what the client has not read yet.
                    connection.close()
                if not goes_on:
                    return
        except (Closed, OSError, ValueError, IndexError):
            pass
        finally:
            reset(connection)
            if gateway is not None:
                reset(gateway)

    @staticmethod
    def exchange(cut, head, body, client, gateway):
        """Passes one request and its answer on as far as the cut says: bytes to each side, and whether the connection lives."""
        if cut == "before-request":
            return 0, 0, False
        request = head + body
        if cut == "in-request":
            half = len(head) + len(body) // 2 if body else len(head) // 2
            gateway.sendall(request[:half])
            return half, 0, False
        gateway.sendall(request)
        if cut == "leave":
            return len(request), 0, False
        answer_head, answer_body = Stream(gateway).message(is_answer=True, has_body=not head.startswith(b"HEAD "))
        if cut == "before-answer":
            return len(request), 0, False
        if cut == "in-answer":
            half = answer_head + answer_body[: len(answer_body) // 2]
            client.sendall(half)
            # Delivered before the reset, which would overtake it.
            client.shutdown(socket.SHUT_WR)
            return len(request), len(half), False
        client.sendall(answer_head + answer_body)
        if cut == "after-answer":
            client.shutdown(socket.SHUT_WR)
            return len(request), len(answer_head) + len(answer_body), False
        closes = b"connection: close" in answer_head.lower()
        return len(request), len(answer_head) + len(answer_body), not closes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", required=True, metavar="HOST:PORT", help="where the gateway listens")
    parser.add_argument("--cut", action="append", default=[], choices=CUTS, help="the next request's cut; may be repeated")
    parser.add_argument("--match", default="", metavar="TEXT", help="only requests whose first line has this text count")
    parser.add_argument("--listen", type=int, default=0, metavar="PORT", help="the port to listen on; any free one unless given")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    arguments = parser.parse_args()
    host, _, port = arguments.to.rpartition(":")
    listener = socket.create_server(("127.0.0.1", arguments.listen))
    proxy = Proxy((host, int(port)), arguments.cut, arguments.match, sys.stdout)
    proxy.say(listener.getsockname()[1])
    threading.Thread(target=proxy.serve, args=(listener,), daemon=True).start()
    for line in sys.stdin:
        word = line.strip()
        if word == "reset":
            while proxy.next_cut() != "none" or not proxy.cuts.empty():
                pass
        elif word in CUTS:
            proxy.cuts.put(word)
        elif word:
            proxy.say(json.dumps({"error": f"no such cut: {word}"}))
            continue
        proxy.say("ok")
    if not arguments.until_eof:
        threading.Event().wait()
    proxy.finish()


if __name__ == "__main__":
    main()
