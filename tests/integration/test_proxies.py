"""nginx and Apache in front of the server, configured by the examples that the package ships.

Only paths of the examples are replaced. Every answer that passes is compared with openapi.json, see conftest.py.
"""

import base64
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess

import pytest

from daemon import Policy, Server
from netns import Namespace
from programs import ROOT, peer
from rest import Rest
from wait import DEADLINE_S, wait_until

GOOD = ["[iptables]", "-A FORWARD -p udp --dport 53 -j DROP"]
BAD = ["[iptables]", "-A FORWARD -p udp --dprt 53 -j DROP"]
PORT = 8443
AUTHORIZATION = {"Authorization": "Basic " + base64.b64encode(b"controller:secret").decode()}
MODULES = "/usr/lib/apache2/modules"

NGINX = """
user root;
worker_processes 1;
daemon off;
pid {base}/pid;
error_log {base}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {base}/body;
    proxy_temp_path {base}/proxy;
    fastcgi_temp_path {base}/fastcgi;
    uwsgi_temp_path {base}/uwsgi;
    scgi_temp_path {base}/scgi;
    include {example};
}}
"""

# The modules that the example names, and those that Debian enables by itself.
APACHE_MODULES = ("mpm_event", "authn_core", "authz_core", "socache_shmcb", "proxy",
                  "ssl", "proxy_http", "headers", "env", "auth_basic", "authn_file", "authz_user")
APACHE = """
ServerRoot {base}
DefaultRuntimeDir {base}
PidFile {base}/pid
ErrorLog {base}/error.log
User nobody
Group nogroup
{modules}
Include {example}
"""


PROGRAMS = {"nginx": "nginx", "apache": "apache2"}
class Proxy:
    """One of them, running with its example in the server's namespace."""

    def __init__(self, kind, ns, base):
        self.kind, self.ns, self.base = kind, ns, base
        os.makedirs(base)
        os.chmod(base, 0o755)
        self.cert, self._passwords = os.path.join(base, "cert.pem"), os.path.join(base, "htpasswd")
        self._make_secrets()
        self.command = self._nginx() if kind == "nginx" else self._apache()
        # A process namespace of its own, so that its workers end with it.
        self.process = ns.popen("unshare", "--pid", "--fork", "--kill-child", *self.command)
        wait_until(self._serves, f"{kind} answers")

    def _make_secrets(self):
        key = os.path.join(self.base, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-subj", "/CN=switch.example.com", "-addext", "subjectAltName=DNS:switch.example.com",
                        "-days", "2", "-keyout", key, "-out", self.cert], check=True, capture_output=True)
        hashed = subprocess.run(["openssl", "passwd", "-apr1", "secret"], check=True, capture_output=True, text=True)
        with open(self._passwords, "w") as file:
            file.write(f"controller:{hashed.stdout}")

    def _example(self, passwords):
        """A copy of the shipped example with the paths of this test; each must be there to be replaced."""
        with open(os.path.join(ROOT, "aclserver", "examples", f"{self.kind}.conf")) as file:
            text = file.read()
        for path, ours in ((passwords, self._passwords), ("/etc/ssl/certs/switch.pem", self.cert),
                           ("/etc/ssl/private/switch.key", os.path.join(self.base, "key.pem"))):
            assert path in text, f"the example does not name {path}"
            text = text.replace(path, ours)
        return self._write("example.conf", text)

    def _write(self, name, text):
        path = os.path.join(self.base, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def _nginx(self):
        example = self._example("/etc/nginx/tapgate.htpasswd")
        conf = self._write("main.conf", NGINX.format(base=self.base, example=example))
        return [peer("nginx"), "-c", conf, "-e", f"{self.base}/error.log"]

    def _apache(self):
        example = self._example("/etc/apache2/tapgate.htpasswd")
        modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in APACHE_MODULES)
        conf = self._write("main.conf", APACHE.format(base=self.base, example=example, modules=modules))
        return [peer("apache2"), "-f", conf, "-D", "FOREGROUND"]

    def log(self):
        path = os.path.join(self.base, "error.log")
        return open(path).read() if os.path.exists(path) else ""

    def _serves(self):
        assert self.process.poll() is None, f"{self.kind} ended:\n{self.log()}"
        try:
            return self.bare("GET", "/acl/").status == 401
        except OSError:
            return False

    def connection(self):
        return _Connection(self.ns, self.cert)

    def bare(self, method, path, headers=None, body=None, **kwargs):
        """An answer whatever it is, with its body read."""
        connection = self.connection()
        try:
            connection.request(method, path, body, headers or {}, **kwargs)
            response = connection.getresponse()
            response.body = response.read()
            return response
        finally:
            connection.close()

    def close(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class _Connection(http.client.HTTPSConnection):
    def __init__(self, ns, cert):
        super().__init__("switch.example.com", PORT, timeout=DEADLINE_S, context=ssl.create_default_context(cafile=cert))
        self._ns = ns
        self._create_connection = lambda address, *rest: self._ns.call(
            socket.create_connection, ("127.0.0.1", PORT), DEADLINE_S)


class Client(Rest):
    """A client of the server that goes through a proxy, with the right password."""

    def __init__(self, proxy):
        super().__init__(proxy.ns)
        self._connection = proxy.connection()

    def request(self, method, path, body=None, headers=None):
        return super().request(method, path, body, {**AUTHORIZATION, **(headers or {})})


@pytest.fixture(scope="module", name="server")
def _server():
    ns, policy = Namespace(), Policy()
    try:
        with Server(ns, policy) as server:
            yield server
    finally:
        policy.close()
        ns.close()


@pytest.fixture(scope="module", name="proxy", params=["nginx", "apache"])
def _proxy(request, server):
    if not peer(PROGRAMS[request.param]):
        pytest.skip(f"{request.param} is not installed")
    proxy = Proxy(request.param, server.ns, os.path.join(server.policy.base, request.param))
    yield proxy
    proxy.close()


@pytest.fixture(name="client")
def _client(proxy):
    client = Client(proxy)
    client.remove()
    yield client
    client.close()


def test_without_the_password_nothing_passes(proxy, server, client):
    wrong = {"Authorization": "Basic " + base64.b64encode(b"controller:wrong").decode()}
    client.install("a", GOOD)
    for headers in ({}, wrong):
        for method, path in (("GET", "/acl/"), ("GET", "/acl"), ("GET", "/acl/a"), ("DELETE", "/acl/a"), ("PUT", "/acl/b"),
                             ("GET", "//acl/a"), ("GET", "/x/../acl/a"), ("GET", "/%61cl/a"), ("GET", "/acl/openapi.json")):
            reply = proxy.bare(method, path, headers, json.dumps(GOOD) if method == "PUT" else None)
            assert reply.status == 401 and reply.getheader("WWW-Authenticate", "").startswith("Basic "), (method, path)
            assert b"udp" not in reply.body
    assert server.policy.names() == ["50rest-a.rules"]


def test_there_is_nothing_but_the_acls(proxy):
    for path in ("/", "/index.html", "/server-status", "/etc/passwd", "/aclx"):
        assert proxy.bare("GET", path, AUTHORIZATION).status in (403, 404), path


def test_an_acl_is_put_read_listed_and_deleted(server, client):
    assert client.put("a_1", GOOD).status == 202
    assert client.get("a_1").json() == GOOD and client.get().json() == ["a_1"]
    assert server.policy.read("50rest-a_1.rules") == "\n".join(GOOD) + "\n"
    assert client.delete("a_1").status == 204
    assert client.get("a_1").status == 404 and server.policy.names() == []


def test_a_wait_and_its_outcome_pass(client):
    reply = client.put("a", GOOD, wait=20)
    assert (reply.status, reply.headers["Preference-Applied"]) == (200, "wait=20")
    reply = client.put("a", BAD, wait=20)
    assert (reply.status, reply.headers["Content-Type"]) == (422, "application/problem+json")
    (error,) = reply.json()["errors"]
    assert error["line"] == 2 and error["rule"] == BAD[1]


def test_the_warning_passes_until_a_commit_succeeds(client):
    client.put("a", BAD, wait=20)
    for reply in (client.get(), client.get("a"), client.get("nosuch"), client.get("lasterror"), client.put("a", BAD)):
        assert reply.warning == '199 - "check lasterror"', reply
    assert client.get("lasterror").json()["returncode"] == 1
    client.install("a", GOOD)
    assert client.get("lasterror").status == 204 and client.get().warning is None


def test_a_redirect_passes(client):
    reply = client.request("GET", "/acl")
    assert (reply.status, reply.headers["Location"]) == (308, "/acl/")


def test_refusals_and_their_reasons_pass(server, client):
    for status, method, path, body, headers in (
            (400, "PUT", "/acl/a", "nonsense", {"Content-Type": "application/json"}),
            (400, "GET", "/acl/?a=b", None, {}), (403, "PUT", "/acl/lasterror", GOOD, {}),
            (403, "PUT", "/acl/a", GOOD, {"Origin": "https://elsewhere.example"}), (404, "GET", "/acl/nosuch", None, {}),
            (405, "PUT", "/acl/", GOOD, {}), (413, "PUT", "/acl/a", ["#" + "x" * (1 << 20)], {}),
            (415, "PUT", "/acl/a", "[]", {"Content-Type": "text/plain"})):
        reply = client.request(method, path, body, headers)
        assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json"), (method, path, reply)
        assert reply.json()["detail"]
    assert server.policy.names() == []


@pytest.mark.parametrize("name", ["%61", "a%20b", "a%2fb", "a%2Fb", "%c3%a9", "a;b", "a%3bb", "a//b", "a%00b"])
def test_a_name_with_other_characters_never_becomes_another_one(server, proxy, client, name):
    """A NUL is refused by the proxies themselves, all else by the server."""
    headers = {**AUTHORIZATION, "Content-Type": "application/json"}
    reply = proxy.bare("PUT", f"/acl/{name}", headers, json.dumps(GOOD))
    assert reply.status in (400, 404) and client.get().json() == [] and server.policy.names() == []
    assert (reply.getheader("Content-Type") == "application/problem+json") == (name != "a%00b")


def test_a_big_acl_passes_both_ways(client):
    lines = ["[iptables]", *(f"# {number:06d} {'x' * 90}" for number in range(9000))]
    assert len(json.dumps(lines)) > 900000
    client.install("big", lines)
    assert client.get("big").json() == lines


def test_a_body_in_chunks_gets_its_length(server, proxy, client):
    headers = {**AUTHORIZATION, "Content-Type": "application/json"}
    reply = proxy.bare("PUT", "/acl/chunks", headers, iter([b'["#', b' x"]']), encode_chunked=True)
    assert reply.status == 202 and server.policy.read("50rest-chunks.rules") == "# x\n"
    assert client.get().json() == ["chunks"]


def test_a_server_that_was_restarted_is_found_again(server, client):
    assert client.put("a", GOOD).status == 202
    server.stop()
    server.start()
    assert client.get("a").json() == GOOD
