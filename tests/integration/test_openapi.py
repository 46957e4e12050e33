"""openapi.json against the server: every answer that it describes is made to happen, and each is as described.

The other direction, that every answer which other tests see is described, is in conftest.py.
"""

import hashlib
import http.client
import json
import os
import signal
import subprocess

import jsonschema
import pytest

from daemon import USER
from openapi import Description, METHODS
from rest import Reply, connect
from wait import wait_until

GOOD = ["[iptables]", "-A FORWARD -p udp --dport 53 -j DROP"]
BAD = ["[iptables]", "-A FORWARD -p udp --dprt 53 -j DROP"]
DESCRIPTION = Description.load()
MAX_ACLS, MAX_BODY = 3, 4096
WAIT = {"Prefer": "wait=30"}
READER = "a-token"


# The document itself.


def test_the_server_serves_the_file_of_the_source_with_its_version(shared_server, acl):
    reply = acl.request("GET", "/acl/openapi.json")
    version = shared_server.ns.run(*shared_server.command("--version")).stdout.split()[-1]
    doc = json.loads(json.dumps(DESCRIPTION.doc).replace("@VERSION@", version))
    assert (reply.status, reply.headers["Content-Type"], reply.json()) == (200, "application/json", doc)


@pytest.mark.unprivileged
def test_the_description_is_well_formed():
    doc = DESCRIPTION.doc
    assert doc["openapi"].startswith("3.1.") and doc["info"]["title"] and doc["info"]["version"]
    for path, item in DESCRIPTION.paths.items():
        named = {parameter["name"] for parameter in item.get("parameters", ()) if parameter["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}, path
        assert set(item) <= {"parameters", *METHODS}, path
    names = [operation["operationId"] for _, _, operation in DESCRIPTION.operations()]
    assert len(names) == len(set(names))
    for path, method, operation in DESCRIPTION.operations():
        assert operation["summary"] and operation["responses"], (path, method)
        for status, response in operation["responses"].items():
            assert 200 <= int(status) <= 599 and response["description"], (path, method, status)
    for schema in _schemas(DESCRIPTION.paths):
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.unprivileged
def test_every_component_is_used():
    doc = json.dumps(DESCRIPTION.doc)
    schemes = {name for holder in (DESCRIPTION.doc, *(operation for _, _, operation in DESCRIPTION.operations()))
               for choice in holder.get("security", ()) for name in choice}
    assert schemes == set(DESCRIPTION.doc["components"]["securitySchemes"])
    for kind in ("parameters", "headers", "schemas", "responses"):
        for name in DESCRIPTION.doc["components"][kind]:
            assert f'"#/components/{kind}/{name}"' in doc, f"{kind}/{name} is used nowhere"


def _schemas(node):
    """Every schema in node."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "schema":
                yield value
            else:
                yield from _schemas(value)
    elif isinstance(node, list):
        for value in node:
            yield from _schemas(value)


def _reply(status, body=None, media="application/json", **headers):
    message = http.client.HTTPMessage()
    if body is not None:
        message["Content-Type"] = media
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return Reply(status, message, b"" if body is None else json.dumps(body).encode())


@pytest.mark.unprivileged
@pytest.mark.parametrize("method, path, reply", [
    ("GET", "/acl/", _reply(418)), ("GET", "/acl/", _reply(200, {"a": 1})), ("GET", "/acl/", _reply(200)),
    ("GET", "/acl/", _reply(200, ["a"], "text/plain")), ("GET", "/acl/", _reply(200, ["a"], X_New="1")),
    ("GET", "/acl/", _reply(200, ["a"], Warning="something else")), ("PUT", "/acl/a", _reply(202, [])),
    ("GET", "/acl/a", _reply(404, {"title": "", "status": 404}, "application/problem+json")),
    ("GET", "/acl/a", _reply(404, {"title": "", "status": 403, "detail": "x"}, "application/problem+json")),
    ("GET", "/acl", _reply(308)), ("OPTIONS", "/acl/", _reply(204, Allow="GET")), ("GET", "/other", _reply(200, []))])
def test_an_answer_that_is_not_described_is_found(method, path, reply):
    with pytest.raises(AssertionError):
        DESCRIPTION.check(method, path, reply)


# Every described answer, by the state that the server has to be in.


class Prober:
    """Makes requests, checks the answers with the description and collects which ones there were."""

    def __init__(self, server):
        self.server, self.seen = server, set()

    def send(self, method, path, headers=None, body=None, version="1.1"):
        """The connection on which a request was sent."""
        lines = {"Host": "x", **(headers or {})}
        if body is not None:
            lines.setdefault("Content-Type", "application/json")
            lines.setdefault("Content-Length", len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
        sock = connect(self.server.ns)
        sock.sendall(f"{method} {path} HTTP/{version}\r\n{head}\r\n".encode() + (body or b""))
        return sock

    def receive(self, sock, method, path):
        with sock:
            response = http.client.HTTPResponse(sock, method=method)
            response.begin()
            reply = Reply(response.status, response.headers, response.read())
        DESCRIPTION.check(method, path, reply)
        self.seen.add((DESCRIPTION.find(path), method, reply.status))
        return reply

    def probe(self, status, method, path, **request):
        """One request that must have this answer."""
        reply = self.receive(self.send(method, path, **request), method, path)
        assert reply.status == status, f"{method} {path} {request}: {reply}"

    def probe_all(self, status, **request):
        """The same for every operation."""
        for path, method, _ in DESCRIPTION.operations():
            self.probe(status, method, path.replace("{name}", "a"), **request)


def _body(lines):
    return json.dumps(lines).encode()


def _put(prober, status, name, lines, **headers):
    prober.probe(status, "PUT", f"/acl/{name}", headers=headers, body=_body(lines))


def _read(prober, status, path):
    for method in ("GET", "HEAD"):
        prober.probe(status, method, path)


def prove_success(prober):
    _put(prober, 202, "a", GOOD)
    _put(prober, 200, "a", GOOD, **WAIT)
    for path in ("/acl/", "/acl/a", "/acl/openapi.json"):
        _read(prober, 200, path)
    _read(prober, 204, "/acl/lasterror")
    for path in DESCRIPTION.paths:
        if path != "/acl":
            prober.probe(204, "OPTIONS", path.replace("{name}", "a"))
    for path in ("/acl/a", "/acl/"):
        prober.probe(204, "DELETE", path)
        prober.probe(204, "DELETE", path, headers=WAIT)
    for method in DESCRIPTION.paths["/acl"]:
        prober.probe(308, method.upper(), "/acl")
    _read(prober, 404, "/acl/a")


def prove_refusals(prober):
    prober.probe_all(400, headers={"Host": None})
    prober.probe_all(403, headers={"Origin": "http://elsewhere.example"})
    prober.probe_all(411, headers={"Transfer-Encoding": "chunked"})
    prober.probe_all(417, headers={"Expect": "something"})
    prober.probe_all(431, headers={"Prefer": "x" * 600})
    prober.probe_all(505, version="1.2")
    _put(prober, 400, "a", [1])
    prober.probe(411, "PUT", "/acl/a")
    _put(prober, 413, "a", ["#" * MAX_BODY])
    _put(prober, 415, "a", GOOD, **{"Content-Type": "text/plain"})


def prove_limits(prober):
    """Too many ACLs; a file of the name that is not the server's own."""
    policy = prober.server.policy
    policy.write("50rest-b.rules", "# the operator's\n")
    prober.probe(409, "DELETE", "/acl/b")
    _put(prober, 409, "b", GOOD)
    policy.remove("50rest-b.rules")
    for number in range(MAX_ACLS):
        _put(prober, 202, f"n{number}", [])
    _put(prober, 409, "one_more", [])
    prober.probe(204, "DELETE", "/acl/", headers=WAIT)


def prove_failed_commits(prober):
    policy = prober.server.policy
    _put(prober, 422, "a", BAD, **WAIT)
    _read(prober, 200, "/acl/lasterror")
    policy.write("10broken.rules", "[iptables]\nnonsense\n")
    prober.probe(422, "DELETE", "/acl/a", headers=WAIT)
    prober.probe(422, "DELETE", "/acl/", headers=WAIT)
    policy.remove("10broken.rules")
    prober.probe(204, "DELETE", "/acl/", headers=WAIT)


def prove_waiting(prober):
    """The committer does not get to it in time."""
    server = prober.server
    os.kill(server.pid, signal.SIGSTOP)
    try:
        _put(prober, 202, "a", GOOD, Prefer="wait=0")
        for path in ("/acl/a", "/acl/"):
            prober.probe(202, "DELETE", path, headers={"Prefer": "wait=0"})
    finally:
        os.kill(server.pid, signal.SIGCONT)
    prober.probe(204, "DELETE", "/acl/", headers=WAIT)


def prove_unreadable_files(prober):
    policy = prober.server.policy
    _put(prober, 202, "a", GOOD)
    os.chmod(policy.directory, 0o700)
    try:
        for path in ("/acl/", "/acl/a"):
            _read(prober, 500, path)
            prober.probe(500, "DELETE", path)
        _put(prober, 500, "a", [])
    finally:
        os.chmod(policy.directory, 0o1775)


def prove_stopping(prober):
    """While one request holds up the end, all others are sent away. The last to be called: the server stops."""
    held = prober.send("PUT", "/acl/held", headers={"Content-Length": 10, "Content-Type": "application/json"})
    wait_until(lambda: "held" not in prober.server.client().get().json(), "the server serves")
    # All but the last byte of each was sent before, so that it takes no time.
    requests = [(path.replace("{name}", "a"), method) for path, method, _ in DESCRIPTION.operations()]
    waiting = []
    for path, method in requests:
        sock = connect(prober.server.ns)
        sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r".encode())
        waiting.append(sock)
    prober.server.process.terminate()
    wait_until(lambda: prober.server.client().get().status == 503, "the server says that it stops")
    for sock, (path, method) in zip(waiting, requests):
        sock.sendall(b"\n")
        assert prober.receive(sock, method, path).status == 503
    held.close()
    prober.server.wait_ended()


def prove_full_disk_and_no_time(prober):
    _put(prober, 507, "a", ["# x"])
    prober.probe(408, "PUT", "/acl/a", headers={"Content-Length": 10, "Content-Type": "application/json"})


def prove_tokens(prober):
    prober.probe_all(401)
    prober.probe_all(401, headers={"Authorization": "Bearer wrong"})
    reader = {"Authorization": "Bearer " + READER}
    prober.probe(200, "GET", "/acl/", headers=reader)
    prober.probe(403, "DELETE", "/acl/", headers=reader)
    _put(prober, 403, "a", GOOD, **reader)


class OnFullDisk:
    """The server of a policy whose directory is on a full disk, which nobody else sees."""

    def __init__(self, server):
        self.server, self.command = server, server.command

    def __call__(self, *options):
        directory = self.server.policy.directory
        script = (f"mount -t tmpfs -o size=64k,mode=1775,gid={USER} tmpfs {directory} && "
                  f"{{ cat /dev/zero >{directory}/.filled 2>/dev/null; exec \"$@\"; }}")
        return ["unshare", "--mount", "sh", "-c", script, "sh", *self.command(*options)]


def prove_what_tokens_do(server, prober):
    """The server starts once with tokens, and again without."""
    tokens = os.path.join(server.policy.base, "tokens")
    with open(tokens, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(f"reader read sha256:{hashlib.sha256(READER.encode()).hexdigest()}\n")
    server.write_conf(tokens=tokens)
    server.spawn()
    wait_until(lambda: _listens(server), "the server listens")
    prove_tokens(prober)
    server.stop()
    del server.policy.settings["tokens"]
    server.write_conf()


def _listens(server):
    assert server.process.poll() is None, server.log()
    try:
        return server.client().get().status == 401
    except OSError:
        return False


def test_every_answer_that_is_described_happens(own_server):
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no mounts of its own, and so no full disk, for a test in a chroot that is no mount point")
    prober = Prober(own_server)
    plain = own_server.command
    own_server.write_conf(max_acls=MAX_ACLS, max_body=MAX_BODY, request_timeout=1)
    own_server.command = OnFullDisk(own_server)
    own_server.start()
    prove_full_disk_and_no_time(prober)
    own_server.stop()
    own_server.command = plain
    own_server.write_conf(request_timeout=30)
    prove_what_tokens_do(own_server, prober)
    own_server.start()
    for prove in (prove_success, prove_refusals, prove_limits, prove_failed_commits, prove_waiting,
                  prove_unreadable_files, prove_stopping):
        prove(prober)
    assert DESCRIPTION.outcomes() - prober.seen == set(), "described, but did not happen"
