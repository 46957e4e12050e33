"""Who gets in: https, client certificates, tokens and their scopes, IPv6, and the port between the front and HTTP."""

import hashlib
import os
import re
import shutil
import socket
import ssl
import tempfile

import pytest

from programs import server_program
from rest import Rest
from tls import PORT, Certificates, Client, connect, connect_tls
from wait import DEADLINE_S, wait_until

LINES = ["[iptables]", "-A FORWARD -p udp --dport 53 -j DROP"]
BIG = ["[iptables]"] + [f"-A FORWARD -s 10.{i // 250}.{i % 250}.0/24 -p udp -m comment --comment {'x' * 60} -j DROP"
                        for i in range(5000)]
EVERYWHERE = "127.0.0.1:8080 [::1]:8080 https://[::1]:8443 https://127.0.0.1:8443"


@pytest.fixture(scope="module")
def certificates():
    directory = tempfile.mkdtemp(prefix="tapgate-tls-")
    made = Certificates(directory)
    made.make("server", "server", "IP:127.0.0.1,IP:::1,DNS:localhost")
    made.make("noc", "Network Operations", "DNS:noc.example", usage="clientAuth")
    made.make("guest", "A Guest", usage="clientAuth")
    made.make("forged", "Network Operations", "DNS:noc.example", ca="other", usage="clientAuth")
    yield made
    shutil.rmtree(directory)


def token_line(name, scopes, token):
    return f"{name} {scopes} sha256:{hashlib.sha256(token.encode()).hexdigest()}\n"


class Trusted:
    """A server that listens for TLS and on IPv6, and its clients."""

    def __init__(self, server, certificates):
        self.server, self.ns, self.certificates = server, server.ns, certificates
        self.tokens = os.path.join(server.policy.base, "tokens")
        for name in ("crt", "key"):
            shutil.copy(certificates.path(f"server.{name}"), self.path(name))

    def path(self, name):
        return os.path.join(self.server.policy.base, f"server.{name}")

    def write_tokens(self, text, mode=0o600):
        with open(self.tokens, "w") as file:
            file.write(text)
        os.chmod(self.tokens, mode)
        self.server.write_conf(tokens=self.tokens)

    def start(self, listen=EVERYWHERE, **settings):
        if "https" in listen:
            settings = {"tls_certificate": self.path("crt"), "tls_key": self.path("key"), **settings}
        self.server.write_conf(listen=listen, **settings)
        self.server.spawn()
        wait_until(self.serves, "the server answers")
        return self

    def serves(self):
        assert self.server.process.poll() is None, self.server.log()
        try:
            return Rest(self.ns).get().status in (200, 401)
        except OSError:
            return False

    def plain(self, token=None, address="::1"):
        return Client(lambda: connect(self.ns, address, 8080), token)

    def tls(self, token=None, client=None, address="::1"):
        context = self.certificates.context(client)
        return Client(lambda: connect_tls(self.ns, context, address), token)

    def curl(self, *options):
        return self.ns.run("curl", "-sS", "-o", "/dev/stdout", "-w", "\n%{http_code}", *options, check=False)


@pytest.fixture
def trusted(own_server, certificates):
    return Trusted(own_server, certificates)


def get_request(path="/acl/"):
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def read_answers(sock, n):
    """The bodies of n answers on one connection."""
    reader, bodies = sock.makefile("rb"), []
    for _ in range(n):
        head = b"".join(iter(lambda: reader.readline().rstrip(b"\r\n") + b"\n", b"\n"))
        assert b" 200 " in head.split(b"\n")[0], head
        bodies.append(reader.read(int(re.search(rb"Content-Length: (\d+)", head)[1])))
    return bodies


def test_curl_puts_and_gets_over_https_on_both_families(trusted):
    trusted.start()
    ca = trusted.certificates.path("ca.crt")
    for host in ("127.0.0.1", "[::1]"):
        url = f"https://{host}:{PORT}/acl/a"
        done = trusted.curl("--cacert", ca, "-X", "PUT", "-H", "Content-Type: application/json", "-H",
                            "Prefer: wait=10", "--data", '["[iptables]", "-A FORWARD -p udp -j DROP"]', url)
        assert done.stdout.endswith("200"), done
        assert trusted.curl("--cacert", ca, url).stdout == '["[iptables]","-A FORWARD -p udp -j DROP"]\n200'
    # The client, too, looks whom it speaks to.
    assert trusted.curl("--cacert", trusted.certificates.path("other.crt"), url).returncode == 60
    assert trusted.curl(f"http://[::1]:{PORT}/acl/").stdout.endswith("000"), "no plain HTTP where https is"


def test_ipv6_without_tls(trusted):
    trusted.start(listen="127.0.0.1:8080 [::1]:8080")
    trusted.plain().install("a", LINES)
    assert trusted.curl("http://[::1]:8080/acl/a").stdout.endswith("200")
    assert Rest(trusted.ns).get("a").json() == LINES


def test_old_tls_and_other_protocols_are_refused(trusted):
    trusted.start()
    old = trusted.ns.run("openssl", "s_client", "-connect", f"[::1]:{PORT}", "-tls1_1", "-cipher",
                         "ALL:@SECLEVEL=0", check=False)
    assert "protocol version" in old.stderr, old
    context = trusted.certificates.context()
    context.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError, match="no application protocol|alert"):
        connect_tls(trusted.ns, context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with connect_tls(trusted.ns, context) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1" and sock.version() == "TLSv1.3"


def test_a_client_certificate_that_is_required_must_be_right(trusted):
    trusted.start(tls_client_ca=trusted.certificates.path("ca.crt"))
    assert trusted.tls(client="guest").get().status == 200, "without tokens, any of this CA"
    for client in (None, "forged"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            trusted.tls(client=client).get()
    wait_until(lambda: "did not return a certificate" in trusted.server.log(), "it is logged")


def test_a_client_certificate_has_the_scopes_of_its_name(trusted):
    trusted.write_tokens("noc read,write:ban_ cert:noc.example\nnobody admin cert:A Guest of ours\n")
    trusted.start(tls_client_ca=trusted.certificates.path("ca.crt"), tls_client="optional")
    noc = trusted.tls(client="noc")
    assert noc.get().status == 200 and noc.put("ban_a", LINES).status == 202 and noc.put("other", LINES).status == 403
    for client in (None, "guest"):
        assert trusted.tls(client=client).get().status == 401
    assert trusted.tls(client="noc", token="wrong").get().status == 401, "a token that is sent counts alone"


def test_tokens_do_what_their_scopes_say(trusted):
    trusted.write_tokens(token_line("reader", "read", "R") + token_line("bot", "write:ban_,write:x", "B") +
                         token_line("editor", "write", "E") + token_line("boss", "admin", "A"))
    trusted.start()
    boss = trusted.tls("A")
    for name in ("ban_1", "keep"):
        boss.install(name, LINES)
    expected = {  # GET one, list, lasterror; PUT ban_1, PUT keep; DELETE x, lasterror; OPTIONS, POST
        "R": [200, 200, 204, 403, 403, 403, 403, 204, 405], "B": [403, 403, 403, 202, 403, 204, 403, 204, 405],
        "E": [403, 403, 403, 202, 202, 204, 403, 204, 405], "A": [200, 200, 204, 202, 202, 204, 403, 204, 405],
        "wrong": [401] * 9, None: [401] * 9}
    requests = [("GET", "ban_1"), ("GET", ""), ("GET", "lasterror"), ("PUT", "ban_1"), ("PUT", "keep"),
                ("DELETE", "x"), ("DELETE", "lasterror"), ("OPTIONS", "keep"), ("POST", "keep")]
    for token, statuses in expected.items():
        clients = (trusted.tls(token), trusted.plain(token, "127.0.0.1"))
        for (method, name), status in zip(requests, statuses):
            for client in clients:
                reply = client.request(method, f"/acl/{name}", LINES if method == "PUT" else None)
                assert reply.status == status, (token, method, name, reply)
    reply = trusted.tls("B").put("keep", LINES)
    assert "write:keep" in reply.json()["detail"]
    for token in ("R", "B", "E"):
        reply = trusted.tls(token).delete()
        assert reply.status == 403 and "admin" in reply.json()["detail"]
    assert trusted.tls().get().headers["WWW-Authenticate"] == 'Bearer realm="tapgate"'
    assert 'error="invalid_token"' in trusted.tls("no").get().headers["WWW-Authenticate"]
    assert boss.get().json() == ["ban_1", "keep"]
    assert boss.delete().status == 204 and boss.get().json() == []
    log = trusted.server.log()
    assert "client ::1: GET /acl/ban_1 refused: the token is not known" in log and "sha256" not in log


def test_who_may_not_read_is_told_nothing_of_other_files(trusted):
    trusted.write_tokens(token_line("bot", "write", "B") + token_line("all", "read,write", "A"))
    trusted.server.policy.write("00secret.rules", "[iptables]\n-A FORWARD -s 192.0.2.77 -j NOWHERE\n")
    trusted.start()
    reply = trusted.tls("B").put("a", LINES, wait=DEADLINE_S)
    assert reply.status == 422 and set(reply.json()) == {"title", "status", "detail"}
    assert "in another file" in reply.json()["detail"] and "secret" not in reply.json()["detail"]
    reply = trusted.tls("B").put("a", ["-A FORWARD -j"], wait=DEADLINE_S)
    assert reply.status == 422 and [e["file"].endswith("50rest-a.rules") for e in reply.json()["errors"]] == [True]
    reply = trusted.tls("A").put("a", LINES, wait=DEADLINE_S)
    assert reply.status == 422 and "192.0.2.77" in reply.json()["errors"][0]["rule"]


def test_a_new_token_works_with_the_line_that_is_printed(trusted):
    made = trusted.ns.run(server_program(), "--new-token", "bot", "--scope", "read,write:ban_")
    assert re.fullmatch(r"tg_[\w-]{43}\n", made.stderr), "nothing but the token where a program reads"
    trusted.write_tokens(made.stdout)
    trusted.start(listen="127.0.0.1:8080")
    client = trusted.plain(made.stderr.strip(), "127.0.0.1")
    assert client.put("ban_a", LINES).status == 202 and client.put("a", LINES).status == 403
    for wrong in (["--new-token", "b t", "--scope", "read"], ["--new-token", "bot", "--scope", "all"],
                  ["--new-token", "bot"]):
        done = trusted.ns.run(server_program(), *wrong, check=False)
        assert done.returncode == 2 and done.stdout == "", done


def test_tokens_are_reloaded_and_a_wrong_file_changes_nothing(trusted):
    trusted.write_tokens(token_line("one", "read", "one"))
    trusted.start()
    kept = trusted.tls("one")
    assert kept.get().status == 200
    trusted.write_tokens(token_line("two", "read", "two"))
    trusted.server.reload()
    pid = trusted.server.http_pid()
    wait_until(lambda: kept.get().status == 401, "the old token counts no more")
    assert trusted.tls("two").get().status == 200 and trusted.server.http_pid() == pid, "nobody was disturbed"
    assert trusted.tls("one").get().status == 401

    trusted.write_tokens(token_line("one", "read", "one") + "three all sha256:00\n")
    assert trusted.server.check_conf().returncode == 1
    trusted.server.reload()
    wait_until(lambda: f'{trusted.tokens}:2: "all" is none of the scopes' in trusted.server.log(), "the line is named")
    trusted.write_tokens(token_line("one", "read", "one"), mode=0o644)
    done = trusted.server.check_conf()
    assert done.returncode == 1 and f"{trusted.tokens}: everybody may read the file" in done.stderr
    trusted.server.reload()
    wait_until(lambda: "everybody may read" in trusted.server.log(), "the reason is logged")
    assert trusted.tls("two").get().status == 200 and trusted.tls("one").get().status == 401


def test_a_certificate_is_reloaded_and_a_wrong_one_changes_nothing(trusted):
    trusted.start()

    def serial():
        with connect_tls(trusted.ns, trusted.certificates.context()) as sock:
            return sock.getpeercert()["serialNumber"]

    def wrong_key():
        with open(trusted.path("key")) as file:
            key = file.read()
        shutil.copy(trusted.certificates.path("noc.key"), trusted.path("key"))
        done = trusted.server.check_conf()
        with open(trusted.path("key"), "w") as file:
            file.write(key)
        return done

    old = serial()
    kept = trusted.tls()
    assert kept.get().headers["Connection"] == "keep-alive"
    assert "tls_key: does not belong to tls_certificate" in wrong_key().stderr
    trusted.certificates.make("server", "server", "IP:127.0.0.1,IP:::1,DNS:localhost")
    shutil.copy(trusted.certificates.path("server.crt"), trusted.path("crt"))
    trusted.server.reload()
    wait_until(lambda: "does not belong" in trusted.server.log(), "half of the change is refused")
    assert serial() == old
    shutil.copy(trusted.certificates.path("server.key"), trusted.path("key"))
    trusted.server.reload()
    wait_until(lambda: serial() != old, "the new certificate is served")
    assert kept.get().headers["Connection"] == "close", "a connection of before ends"


def front_port(trusted):
    """The port behind the front, as anybody on the machine can find it."""
    done = trusted.ns.run("ss", "-Hltn")
    ports = {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+) ", done.stdout)}
    return (ports - {8080, PORT}).pop()


def test_the_port_behind_the_front_is_not_for_others(trusted):
    trusted.start(listen="127.0.0.1:8080 https://[::1]:8443", tls_client_ca=trusted.certificates.path("ca.crt"))
    port = front_port(trusted)
    known = trusted.tls(client="noc")
    known.install("a", LINES)
    inside = re.search(r"127\.0\.0\.1:\d+ +(127\.[\d.]+):(\d+)",
                       trusted.ns.run("ss", "-Htn", "sport", "=", str(port)).stdout)
    # From any source, also the address that the front has at the moment for somebody who may.
    for source in ("127.0.0.1", "127.0.1.0", inside[1], "127.255.255.254"):
        sock = trusted.ns.call(socket.create_connection, ("127.0.0.1", port), DEADLINE_S, (source, 0))
        stranger = Client(lambda sock=sock: sock)
        reply = stranger.request("DELETE", "/acl/a")
        assert reply.status == 403 and "for the server itself" in reply.json()["detail"]
        assert reply.headers["Connection"] == "close"
    assert known.get("a").json() == LINES
    assert Rest(trusted.ns).get("a").status == 200, "the port for everybody here is as before"


def test_silent_connections_hold_no_thread(trusted):
    trusted.ns.ip("addr add 192.0.2.1/32 dev lo")
    trusted.start(EVERYWHERE + " 192.0.2.1:8080", threads=4, allow_unauthenticated_remote="yes")
    places = (("::1", 8080), ("::1", PORT), ("192.0.2.1", 8080))
    silent = [connect(trusted.ns, *places[i % 3]) for i in range(600)]
    for client in (trusted.plain(), trusted.tls(), trusted.plain(address="192.0.2.1"), Rest(trusted.ns)):
        client.install("a", LINES)
    for sock in silent:
        sock.close()


def test_who_may_not_get_in_and_promises_a_body_holds_no_thread_for_long(trusted):
    trusted.write_tokens(token_line("boss", "admin", "A"))
    trusted.start(threads=4, request_timeout="5min")
    request = b"PUT /acl/a HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n"
    strangers = [connect(trusted.ns, "::1", 8080) for _ in range(4)]
    for sock in strangers:
        sock.sendall(request)
    for sock in strangers:
        with sock, sock.makefile("rb") as file:
            assert b" 401 " in file.read()  # to its end


def is_closed(sock):
    """Whether the server has closed it, which sends nothing on it."""
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_the_oldest_silent_connection_makes_room(trusted):
    def closed():
        return sum(is_closed(sock) for sock in silent)

    trusted.start(connections=10)
    silent = [connect(trusted.ns, "::1", 8080 if i % 2 else PORT) for i in range(30)]
    # Each listener has a queue of its own: only when both are empty is a new connection the newest.
    wait_until(lambda: closed() == 20, "the oldest have made room")
    trusted.tls().install("a", LINES)
    assert closed() == 21
    for sock in silent:
        sock.close()


def test_big_bodies_pass_both_ways(trusted):
    trusted.start()
    for client in (trusted.tls(), trusted.plain()):
        assert client.put("big", BIG).status == 202
        assert client.get("big").json() == BIG


def test_pipelined_requests_are_answered_in_order(trusted):
    trusted.start()
    trusted.tls().put("big", BIG)
    trusted.tls().put("small", LINES)
    for sock in (connect_tls(trusted.ns, trusted.certificates.context()), connect(trusted.ns, "::1", 8080)):
        # Nothing is read before all is sent: more than any buffer on the way holds.
        sock.sendall((get_request("/acl/small") + get_request("/acl/big")) * 10)
        bodies = read_answers(sock, 20)
        assert len(set(bodies[::2])) == len(set(bodies[1::2])) == 1
        assert len(bodies[0]) < 100 and len(bodies[1]) > 400000
        sock.close()


def test_a_client_that_has_said_all_gets_its_answer(trusted):
    trusted.start()
    trusted.tls().put("big", BIG)
    with connect(trusted.ns, "::1", 8080) as sock:
        sock.sendall(get_request("/acl/big"))
        sock.shutdown(socket.SHUT_WR)
        assert len(read_answers(sock, 1)[0]) > 400000
        assert sock.recv(1) == b""


def test_what_is_cut_off_is_not_done(trusted):
    trusted.start()
    head = b"PUT /acl/cut HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
    for cut in (b"", b'["[iptables]'):
        tls = connect_tls(trusted.ns, trusted.certificates.context())
        tls.sendall(head + cut)
        # Without the end that TLS would tell.
        socket.socket(fileno=tls.detach()).close()
    garbage = connect(trusted.ns, "::1", PORT)
    garbage.sendall(b"\x16\x03\x01\x00\x64" + b"\xff" * 100)
    assert garbage.recv(100)[:1] in (b"\x15", b""), "an alert, then the end"
    assert trusted.tls().get("cut").status == 404


def test_only_addresses_that_are_allowed_get_in(trusted):
    trusted.ns.ip("addr add 192.0.2.1/32 dev lo\naddr add 192.0.2.2/32 dev lo\n"
                  "addr add 2001:db8::1/128 dev lo nodad\naddr add 2001:db8::2/128 dev lo nodad")
    trusted.start(listen="0.0.0.0:8080 [::]:8080 https://[::]:8443", allow_from="192.0.2.2 2001:db8::2/127")
    ca = trusted.certificates.path("ca.crt")
    for source, url, status in (
            ("192.0.2.2", "http://192.0.2.1:8080", "200"), ("192.0.2.1", "http://192.0.2.1:8080", "000"),
            ("2001:db8::2", "http://[2001:db8::1]:8080", "200"), ("2001:db8::1", "http://[2001:db8::1]:8080", "000"),
            ("::1", f"https://localhost:{PORT}", "200"), ("127.0.0.1", "http://127.0.0.1:8080", "200")):
        done = trusted.curl("--cacert", ca, "--interface", source, f"{url}/acl/")
        assert done.stdout.endswith(status), (source, url, done)
    assert "client 2001:db8::1: is not in allow_from" in trusted.server.log()
