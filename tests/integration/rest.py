"""A client for the REST interface; its connections are made inside a namespace."""

import http.client
import json
import socket

from wait import DEADLINE_S

PORT = 8080

# Each is called with (method, path, reply) for every answer.
observers = []


class Reply:
    """One answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def warning(self):
        return self.headers.get("Warning")

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body!r}>"


class _Connection(http.client.HTTPConnection):
    def __init__(self, ns, port):
        super().__init__("127.0.0.1", port, timeout=DEADLINE_S)
        self._ns = ns

    def connect(self):
        self.sock = connect(self._ns, self.port)


def connect(ns, port=PORT):
    """A TCP connection to the server, for what an HTTP library would not send."""
    sock = ns.call(socket.create_connection, ("127.0.0.1", port), DEADLINE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Rest:
    """One client with one connection, which is kept alive.

    retry  a request is sent again, once, on a new connection when a kept one turns out to be closed, as HTTP clients
           do; all requests are idempotent
    """

    def __init__(self, ns, port=PORT, retry=True):
        self._connection, self._retry = _Connection(ns, port), retry

    def request(self, method, path, body=None, headers=None):
        """body: text, bytes or None; anything else is sent as JSON, with its content type."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        was_kept = self._connection.sock is not None
        try:
            return self._exchange(method, path, body, headers)
        except ConnectionError:
            if not (self._retry and was_kept):
                raise
            return self._exchange(method, path, body, headers)

    def _exchange(self, method, path, body, headers):
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            reply = Reply(response.status, response.headers, response.read())
        except BaseException:
            self._connection.close()
            raise
        for observe in observers:
            observe(method, path, reply)
        return reply

    def get(self, name=""):
        return self.request("GET", f"/acl/{name}")

    def put(self, name, lines, wait=None):
        return self.request("PUT", f"/acl/{name}", lines, {"Prefer": f"wait={wait:g}"} if wait is not None else None)

    def delete(self, name="", wait=None):
        return self.request("DELETE", f"/acl/{name}", None, {"Prefer": f"wait={wait:g}"} if wait is not None else None)

    def install(self, name, lines):
        """PUT, and the commit must succeed."""
        reply = self.put(name, lines, wait=DEADLINE_S)
        assert reply.status in (200, 204), reply

    def remove(self, name=""):
        """DELETE, and the commit must succeed."""
        reply = self.delete(name, wait=DEADLINE_S)
        assert reply.status in (200, 204), reply

    def close(self):
        self._connection.close()
