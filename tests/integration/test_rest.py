"""The REST interface, row by row of its table, every refusal, and HTTP as clients speak it."""

import json
import os
import re
import socket

import pytest

from rest import connect
from wait import wait_until

GOOD = ["[iptables]", "-A FORWARD -p udp --dport 53 -j DROP"]
BAD = ["[iptables]", "-A FORWARD -p udp --dprt 53 -j DROP"]
JSON = {"Content-Type": "application/json"}


def rest_file(server, name):
    return server.policy.read(f"50rest-{name}.rules")


def identity(server, name):
    status = os.stat(server.policy.path(f"50rest-{name}.rules"))
    return status.st_ino, status.st_mtime_ns


# What the table of the interface says.


def test_put_is_accepted_and_the_file_is_there_before_the_answer(shared_server, acl):
    reply = acl.put("ddos1", GOOD)
    assert (reply.status, reply.body) == (202, b"")
    assert rest_file(shared_server, "ddos1") == "\n".join(GOOD) + "\n"


def test_get_returns_the_array_as_it_was_sent(acl):
    lines = ["# comment", "", "[iptables]", "  -A FORWARD  -j DROP ", "\t# tab, ünïcode, \"quotes\", \\ and /"]
    assert acl.put("a_1", lines).status == 202
    reply = acl.get("a_1")
    assert (reply.status, reply.headers["Content-Type"], reply.json()) == (200, "application/json", lines)


def test_get_of_nothing_is_404_with_problem_details(acl):
    reply = acl.get("nosuch")
    assert (reply.status, reply.headers["Content-Type"]) == (404, "application/problem+json")
    assert reply.json()["status"] == 404


def test_get_of_all_is_the_sorted_array_of_names(acl):
    assert acl.get().json() == []
    for name in ("b", "a", "c_10", "c_9"):
        assert acl.put(name, GOOD).status == 202
    reply = acl.get()
    assert (reply.status, reply.json()) == (200, ["a", "b", "c_10", "c_9"])


def test_put_replaces(shared_server, acl):
    acl.put("a", GOOD)
    acl.put("a", [])
    assert acl.get("a").json() == [] and rest_file(shared_server, "a") == ""


def test_delete_removes_one(shared_server, acl):
    acl.put("a", GOOD)
    acl.put("b", GOOD)
    reply = acl.delete("a")
    assert (reply.status, reply.body) == (204, b"")
    assert acl.get().json() == ["b"] and shared_server.policy.names() == ["50rest-b.rules"]


def test_delete_of_nothing(acl):
    assert acl.delete("nosuch").status in (204, 404)


def test_delete_of_all_touches_only_what_rest_made(shared_server, acl):
    others = {"10operator.rules": "[iptables]\n-A FORWARD -p udp --dport 1 -j DROP\n", "50rest-UPPER.rules": "",
              "50rest-x.rules.bak": "", "50_nvue.rules": ""}
    for name, text in others.items():
        shared_server.policy.write(name, text)
    try:
        acl.put("a", GOOD)
        acl.put("b", GOOD)
        assert acl.delete().status == 204
        assert acl.get().json() == []
        assert shared_server.policy.names() == sorted(others)
    finally:
        for name in others:
            shared_server.policy.remove(name)


def test_files_of_others_are_no_acls(shared_server, acl):
    shared_server.policy.write("10operator.rules", "[iptables]\n")
    try:
        assert acl.get().json() == []
        for name in ("10operator", "operator"):
            assert acl.get(name).status == 404
    finally:
        shared_server.policy.remove("10operator.rules")


def test_lasterror_is_empty_while_all_is_well(acl):
    acl.install("a", GOOD)
    reply = acl.get("lasterror")
    assert (reply.status, reply.body, reply.warning) == (204, b"", None)


def test_lasterror_cannot_be_written(shared_server, acl):
    assert acl.put("lasterror", GOOD).status == 403
    assert acl.delete("lasterror").status == 403
    assert shared_server.policy.names() == []


def test_prefer_wait_answers_when_it_is_installed(acl):
    reply = acl.put("a", GOOD, wait=20)
    assert reply.status == 200, reply
    assert reply.headers["Preference-Applied"].startswith("wait")
    assert acl.delete("a", wait=20).status == 204


def test_prefer_wait_names_line_reason_and_rule(shared_server, acl):
    reply = acl.put("a", BAD, wait=20)
    assert (reply.status, reply.headers["Content-Type"]) == (422, "application/problem+json")
    problem = reply.json()
    assert problem["status"] == 422
    (error,) = problem["errors"]
    assert error["file"] == shared_server.policy.path("50rest-a.rules")
    assert error["line"] == 2 and "--dprt" in error["reason"] and error["rule"] == BAD[1]


def test_prefer_wait_reports_every_error(acl):
    reply = acl.put("a", ["[iptables]", *(f"-A FORWARD --nosuch{n} -j DROP" for n in range(50))], wait=20)
    assert reply.status == 422
    assert [error["line"] for error in reply.json()["errors"]] == list(range(2, 52))


@pytest.mark.parametrize("count", [1000, 1001, 5000, 9000])
def test_any_number_of_errors_is_reported(shared_server, acl, count):
    """More than are kept are counted, and the HTTP process goes on."""
    child = shared_server.http_pid()
    rule = "-A FORWARD --nosuch " + "x" * 80
    reply = acl.put("a", ["[iptables]", *[rule] * count], wait=20)
    assert reply.status == 422 and 0 < len(reply.json()["errors"]) <= 1000
    *lines, last = acl.get("lasterror").json()["lines"]
    assert last == f"{count - len(lines)} more problems"
    acl.install("a", GOOD)
    assert shared_server.http_pid() == child and acl.get().warning is None


def test_a_hundred_thousand_errors_are_counted(own_server):
    own_server.write_conf(max_lines=200000, max_body=64 << 20)
    own_server.start()
    client, child = own_server.client(), own_server.http_pid()
    reply = client.put("a", ["[iptables]", *["-A FORWARD --nosuch"] * 100000], wait=60)
    assert reply.status == 422
    *lines, last = client.get("lasterror").json()["lines"]
    assert last == f"{100000 - len(lines)} more problems"
    client.install("a", GOOD)
    assert own_server.http_pid() == child and "malformed" not in own_server.log()


def test_an_error_warns_until_a_commit_succeeds(shared_server, acl):
    acl.put("bad", BAD, wait=20)
    for reply in (acl.get(), acl.get("bad"), acl.get("nosuch"), acl.get("lasterror")):
        assert reply.warning == '199 - "check lasterror"', reply
    lasterror = acl.get("lasterror")
    assert lasterror.status == 200
    content = lasterror.json()
    assert content["returncode"] == 1
    (line,) = content["lines"]
    assert line.startswith(shared_server.policy.path("50rest-bad.rules") + ":2:") and line.endswith(BAD[1])
    acl.install("bad", GOOD)
    assert acl.get("lasterror").status == 204
    assert acl.get().warning is None


def test_the_same_content_again_is_no_commit(shared_server, acl):
    acl.install("a", GOOD)
    commits = shared_server.log().count("generation")
    before = identity(shared_server, "a")
    for _ in range(5):
        assert acl.put("a", GOOD).status == 202
    acl.install("b", GOOD)
    assert identity(shared_server, "a") == before
    assert shared_server.log().count("generation") == commits + 1


@pytest.mark.parametrize("prefer", ["wait=soon", "wait=", "a b", "=", '"'])
def test_a_preference_that_cannot_be_read_is_passed_over(acl, prefer):
    reply = acl.request("PUT", "/acl/a", GOOD, {"Prefer": prefer})
    assert reply.status == 202 and "Preference-Applied" not in reply.headers


# Refusals: the right status, problem details, and nothing written.


@pytest.mark.parametrize("name", ["UPPER", "a-b", "a.b", "a%2fb", "%61", "a" * 65, "a%20b", "..", ".",
                                  "../x", "a/b", "%c3%a9", "a;b", "a%00b"])
def test_a_name_of_other_letters_is_404(shared_server, acl, name):
    for method in ("PUT", "GET", "DELETE"):
        reply = acl.request(method, f"/acl/{name}", GOOD if method == "PUT" else None)
        assert (reply.status, reply.headers["Content-Type"]) == (404, "application/problem+json"), method
    assert shared_server.policy.names() == []


def test_a_name_of_64_letters_is_fine(acl):
    assert acl.put("a" * 64, GOOD).status == 202


def test_every_other_path_is_404(acl):
    for path in ("/", "/acls/", "/acl/a/", "//acl/a", "/ACL/a", "/etc/passwd", "/../../etc/passwd"):
        assert acl.request("GET", path).status == 404, path


BODIES = {
    "empty": "", "no json": "nonsense", "cut": '["a"', "object": '{"a": "b"}', "string": '"a"', "number": "1",
    "null": "null", "array of numbers": "[1]", "array of arrays": '[["a"]]', "mixed": '["a", null]',
    "newline": '["a\\nb"]', "carriage return": '["a\\rb"]', "NUL": '["a\\u0000b"]', "raw newline": '["a\nb"]',
    "text behind": '["a"] x', "two arrays": '["a"]["b"]', "trailing comma": '["a",]', "bad UTF-8": b'["\xff"]',
    "lone surrogate": '["\\ud800"]', "comment": '["a"] // b', "single quotes": "['a']", "escape": '["\\x41"]',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=[name.replace(" ", "_") for name in BODIES])
def test_a_body_that_is_no_array_of_strings_is_400(shared_server, acl, body):
    reply = acl.request("PUT", "/acl/a", body, JSON)
    assert (reply.status, reply.headers["Content-Type"]) == (400, "application/problem+json"), reply
    assert reply.json()["detail"]
    assert shared_server.policy.names() == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_415(shared_server, acl, content_type):
    reply = acl.request("PUT", "/acl/a", json.dumps(GOOD), {"Content-Type": content_type} if content_type else {})
    if content_type == "":
        # The clients of acl_server need not send one.
        assert reply.status in (202, 415)
    else:
        assert reply.status == 415 and shared_server.policy.names() == []


def test_a_content_type_with_parameters_is_fine(acl):
    reply = acl.request("PUT", "/acl/a", json.dumps(GOOD), {"Content-Type": "application/json; charset=utf-8"})
    assert reply.status == 202


def test_an_unknown_method_is_405_and_says_what_is_allowed(acl):
    for path in ("/acl/", "/acl/a", "/acl/lasterror"):
        for method in ("POST", "PATCH"):
            reply = acl.request(method, path, GOOD)
            assert reply.status == 405 and "GET" in reply.headers["Allow"], (method, path)
    assert acl.request("PUT", "/acl/", GOOD).status == 405


def raw(server, data, until=None):
    """Send bytes on a connection of their own and return everything that comes back until the server closes."""
    with connect(server.ns) as sock:
        sock.sendall(data)
        answer = b""
        while (until is None or not until(answer)) and (part := sock.recv(65536)):
            answer += part
        return answer


def test_a_put_without_length_is_411(shared_server, acl):
    answer = raw(shared_server, b"PUT /acl/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                                b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 411 ") and shared_server.policy.names() == []


@pytest.mark.parametrize("length", [b"-1", b"abc", b"99999999999999999999999999"])
def test_a_wrong_length_is_refused(shared_server, acl, length):
    answer = raw(shared_server, b"PUT /acl/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                                b"Connection: close\r\nContent-Length: " + length + b"\r\n\r\n[]")
    assert re.match(rb"HTTP/1.1 4\d\d ", answer) or answer == b""
    assert shared_server.policy.names() == []


def test_a_body_over_the_limit_is_413(own_server):
    own_server.write_conf(max_body=4096)
    own_server.start()
    client = own_server.client()
    fits, over = (["#" + "x" * (size - 5)] for size in (4096, 4097))
    assert len(json.dumps(over)) == 4097
    assert client.put("fits", fits).status == 202
    assert client.put("over", over).status == 413
    # It is refused by its length alone.
    answer = raw(own_server, b"PUT /acl/huge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                             b"Connection: close\r\nContent-Length: 1099511627776\r\n\r\n",
                 until=lambda data: b"\r\n\r\n" in data)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert own_server.policy.names() == ["50rest-fits.rules"]


def test_too_many_lines_and_too_many_acls_are_refused(own_server):
    own_server.write_conf(max_lines=10, max_acls=3)
    own_server.start()
    client = own_server.client()
    assert client.put("a", ["#"] * 10).status == 202
    reply = client.put("b", ["#"] * 11)
    assert reply.status in (400, 413, 422) and "10" in reply.json()["detail"]
    assert [client.put(name, []).status for name in ("b", "c")] == [202, 202]
    reply = client.put("d", [])
    assert 400 <= reply.status < 500 or reply.status == 507, reply
    assert client.put("a", []).status == 202, "one that is there can still be changed"
    assert client.delete("b").status == 204
    assert client.put("d", []).status == 202
    assert client.get().json() == ["a", "c", "d"]


# HTTP.


def put_request(name, lines, headers=b""):
    body = json.dumps(lines).encode()
    return (f"PUT /acl/{name} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n").encode() + headers + b"\r\n" + body


def test_a_connection_is_kept(shared_server, acl):
    with connect(shared_server.ns) as sock:
        for number in range(100):
            sock.sendall(put_request("a", [f"# {number}"]))
            assert sock.recv(65536).startswith(b"HTTP/1.1 202 ")
    assert acl.get("a").json() == ["# 99"]


def test_pipelined_requests_are_answered_in_order(shared_server, acl):
    requests = b"".join(put_request("a", [f"# {n}"]) + b"GET /acl/a HTTP/1.1\r\nHost: x\r\n\r\n" for n in range(20))
    answer = raw(shared_server, requests + b"GET /acl/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert re.findall(rb"HTTP/1.1 (\d+) ", answer) == [b"202", b"200"] * 20 + [b"200"]
    assert re.findall(rb'\["# (\d+)"\]', answer) == [str(n).encode() for n in range(20)]


def test_a_request_in_small_pieces_is_put_together(shared_server, acl):
    with connect(shared_server.ns) as sock:
        for byte in put_request("a", GOOD):
            sock.sendall(bytes([byte]))
        assert sock.recv(65536).startswith(b"HTTP/1.1 202 ")
    assert acl.get("a").json() == GOOD


def test_http_1_0_is_answered_and_closed(shared_server, acl):
    answer = raw(shared_server, b"GET /acl/ HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.") and answer.split(b"\r\n", 1)[0].split()[1] == b"200"


def test_expect_100_continue_is_answered(shared_server, acl):
    head, body = put_request("a", GOOD, b"Expect: 100-continue\r\n").split(b"\r\n\r\n", 1)
    with connect(shared_server.ns) as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 100 ")
        sock.sendall(body)
        assert sock.recv(65536).startswith(b"HTTP/1.1 202 ")


@pytest.mark.parametrize("lines", [b"\r\n\r\n", b"\n\n", b"\r\n" * 8])
def test_a_request_behind_empty_lines_is_done_once_at_most(shared_server, acl, lines):
    """The HTTP library takes the empty lines for the whole head of what follows. What is left over, the same request
    with its lines cut, must never become another one: it is refused, and the connection closed."""
    assert acl.put("a", GOOD).status == 202
    end = b"GET /acl/a HTTP/1.1\r\nHost: x\r\n\r\n"
    for request in (b"GET /acl/ HTTP/1.1\r\nHost: x\r\n\r\n", b"DELETE /acl/b HTTP/1.1\r\nHost: x\r\n\r\n",
                    put_request("b", GOOD)):
        answer = raw(shared_server, lines + request + end)
        assert re.findall(rb"HTTP/1.1 (\d)", answer) in ([b"2", b"4"], [b"4"]), answer
    assert shared_server.policy.names() == ["50rest-a.rules"]


def test_half_a_request_writes_nothing(shared_server, acl):
    with connect(shared_server.ns) as sock:
        sock.sendall(put_request("a", GOOD)[:-3])
        sock.shutdown(socket.SHUT_WR)
        sock.recv(65536)
    wait_until(lambda: acl.get().status == 200, "the server still serves")
    assert shared_server.policy.names() == []


def test_nonsense_does_not_harm(shared_server, acl):
    for data in (b"\0" * 1000, b"GET\r\n\r\n", b"GET /acl/ HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n",
                 b"GET /acl/" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
                 b"GET /acl/ HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n"):
        with connect(shared_server.ns) as sock:
            try:
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass
            except TimeoutError:
                raise
            except OSError:
                pass  # it may close the connection at any point
    assert acl.get().status == 200


def test_curl_as_in_the_readme(shared_server, acl):
    url = "http://127.0.0.1:8080/acl/ddos1"
    ns = shared_server.ns
    done = ns.run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "PUT", url, "-H",
                  "Content-Type: application/json", "-d", json.dumps(GOOD))
    assert done.stdout == "202"
    assert json.loads(ns.run("curl", "-sS", url).stdout) == GOOD
    assert ns.run("curl", "-sS", "-w", "%{http_code}", "-X", "DELETE", url).stdout == "204"


@pytest.mark.parametrize("line", [b" folded\r\n", b": no name\r\n", b"X : y\r\n", b"X: y\n", b""])
@pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE"])
def test_a_body_is_never_taken_for_a_request(shared_server, acl, method, line):
    """A proxy in front sees one request with a body; so must we, or see none at all."""
    acl.install("keep", GOOD)
    inner = b"DELETE /acl/keep HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = raw(shared_server, method + b" /acl/a HTTP/1.1\r\nHost: x\r\n" + line +
                 b"Content-Length: %d\r\n\r\n" % len(inner) + inner)
    assert answer.count(b"HTTP/1.1 ") == 1 and b"\r\nConnection: close\r\n" in answer
    assert acl.get("keep").status == 200


@pytest.mark.parametrize("host, origin, status", [
    ("127.0.0.1:8080", None, 202), ("switch.example", None, 202), ("127.0.0.1:8080", "http://127.0.0.1:8080", 202),
    ("127.0.0.1:8080", "http://evil.example", 403), ("127.0.0.1:8080", "null", 403),
    ("evil.example:8080", "http://evil.example:8080", 403)])
def test_a_web_page_of_another_site_cannot_change_anything(shared_server, acl, host, origin, status):
    headers = {"Host": host, **({"Origin": origin} if origin else {})}
    reply = acl.request("PUT", "/acl/a", GOOD, headers)
    assert reply.status == status, reply
    assert shared_server.policy.names() == (["50rest-a.rules"] if status == 202 else [])
    if status == 403:
        assert "Origin" in reply.json()["detail"]
