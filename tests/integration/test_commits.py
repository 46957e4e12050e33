"""What reaches the kernel when many, bad and broken ACLs come together."""

import threading

import pytest

from daemon import run_acl
from lab import BRIDGED, ROUTED
from packets import Packet
from rest import Rest
from wait import wait_until


def drop(port):
    return ["[iptables]", f"-A FORWARD -p udp --dport {port} -j DROP"]


BAD = ["[iptables]", "-A FORWARD -p udp --dport 1 -j DROP", "-A FORWARD -j NOSUCH"]


def dropped_ports(lab, ports, path=ROUTED):
    results = lab.send(path, 4, *(Packet(dport=port) for port in ports))
    return [port for port, seen in zip(ports, results) if seen is None]


def test_a_thousand_acls_all_filter_and_all_go(shared_lab, acl):
    ports = range(10001, 11001)
    for port in ports:
        assert acl.put(f"n{port}", drop(port)).status == 202
    acl.install("last", drop(9999))
    for path in (ROUTED, BRIDGED):
        assert dropped_ports(shared_lab, [*ports, 11001], path) == list(ports)
    assert len(acl.get().json()) == 1001
    acl.remove("n10500")
    assert dropped_ports(shared_lab, [10499, 10500, 10501]) == [10499, 10501]
    acl.remove()
    assert dropped_ports(shared_lab, ports) == []


def test_one_acl_of_ten_thousand_lines_filters(shared_lab, acl):
    acl.install("big", ["[iptables]", *(f"-A FORWARD -p udp --dport {port} -j DROP" for port in range(20001, 29999))])
    assert dropped_ports(shared_lab, [20000, 20001, 25000, 29998, 29999]) == [20001, 25000, 29998]


def test_sixteen_clients_at_once_lose_nothing(shared_lab, shared_server, acl):
    """Each client owns some names, changes them again and again, and knows in the end what must be there."""
    clients, rounds = 16, 30
    last, problems = {}, []

    def work(number):
        client = Rest(shared_server.ns)
        try:
            for step in range(rounds):
                name, port = f"c{number}_{step % 4}", 30000 + number * 100 + step
                if step % 7 == 6:
                    reply, last[name] = client.delete(name), None
                else:
                    reply, last[name] = client.put(name, drop(port)), port
                if reply.status not in (202, 204, 404):
                    problems.append((name, reply))
        except Exception as error:  # pylint: disable=broad-except
            problems.append((number, error))
        finally:
            client.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    acl.install("last", drop(9999))
    there = {name: port for name, port in last.items() if port}
    assert acl.get().json() == sorted([*there, "last"])
    ports = range(30000, 30000 + clients * 100)
    assert dropped_ports(shared_lab, ports) == sorted(there.values())


def test_writers_of_one_name_leave_one_whole_content(shared_server, acl):
    def work(number):
        client = Rest(shared_server.ns)
        for step in range(20):
            client.put("same", [f"# {number} {step}"] * 200)
        client.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        reply = acl.get("same")
        if reply.status == 200:
            assert len(reply.json()) == 200 and len(set(reply.json())) == 1
    for thread in threads:
        thread.join()
    assert acl.get("same").json()[0].endswith(" 19")


def test_many_waiting_clients_all_get_their_own_outcome(shared_server, acl):
    outcomes = {}

    def work(number):
        client = Rest(shared_server.ns)
        outcomes[number] = client.put(f"w{number}", BAD if number % 2 else drop(5000 + number), wait=30)
        client.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, reply in outcomes.items():
        assert reply.status == (422 if number % 2 else 200), reply
        if number % 2:
            assert {error["file"] for error in reply.json()["errors"]} == {
                shared_server.policy.path(f"50rest-w{number}.rules")}


def test_a_wait_for_the_same_content_installs_what_was_flushed(shared_lab, shared_server, acl):
    acl.install("a", drop(101))
    assert run_acl(shared_server.ns, shared_server.policy, "-F", "all").returncode == 0
    assert dropped_ports(shared_lab, [101, 102]) == []
    assert acl.put("a", drop(101), wait=20).status == 200
    assert dropped_ports(shared_lab, [101, 102]) == [101]


def test_a_wait_for_the_same_content_sees_what_the_operator_repaired(shared_lab, shared_server, acl):
    shared_server.policy.write("10operator.rules", "nonsense\n")
    try:
        assert acl.put("a", drop(101), wait=20).status == 422
        assert acl.delete("nosuch", wait=20).status == 422
        shared_server.policy.write("10operator.rules", "[iptables]\n-A FORWARD -p udp --dport 103 -j DROP\n")
        assert acl.put("a", drop(101), wait=20).status == 200
        assert acl.delete("nosuch", wait=20).status == 204
        assert dropped_ports(shared_lab, [101, 102, 103]) == [101, 103]
    finally:
        shared_server.policy.remove("10operator.rules")


def test_a_bad_acl_does_not_stop_the_others(shared_lab, acl):
    acl.install("a_good", drop(101))
    acl.put("b_bad", BAD)
    acl.put("c_good", drop(103))
    acl.install("d_good", drop(104))
    assert dropped_ports(shared_lab, [1, 101, 103, 104]) == [101, 103, 104]
    assert acl.get().warning and acl.get("lasterror").json()["returncode"] == 1
    acl.install("b_bad", drop(102))
    assert acl.get().warning is None
    assert dropped_ports(shared_lab, [1, 101, 102, 103, 104]) == [101, 102, 103, 104]


def test_the_good_version_stays_while_its_successor_is_bad(shared_lab, acl):
    acl.install("a", drop(101))
    assert acl.put("a", BAD, wait=30).status == 422
    assert dropped_ports(shared_lab, [1, 101]) == [101]
    assert acl.get("a").json() == BAD, "the file holds what was sent"
    acl.install("a", drop(102))
    assert dropped_ports(shared_lab, [1, 101, 102]) == [102]


def test_a_bad_acl_that_is_deleted_warns_no_more(shared_lab, acl):
    acl.install("a", drop(101))
    assert acl.put("a", BAD, wait=30).status == 422
    acl.remove("a")
    assert acl.get().warning is None and acl.get("lasterror").status == 204
    assert dropped_ports(shared_lab, [1, 101]) == []


@pytest.fixture
def operator_file(shared_server, acl):
    """Writes an operator's file and takes it away again, with whatever it did."""
    written = set()

    def write(name, text):
        written.add(name)
        shared_server.policy.write(name, text)

    yield write
    for name in written:
        shared_server.policy.remove(name)
    acl.install("after", ["# the next commit reads what is gone"])
    assert acl.get().warning is None


def test_a_broken_operator_file_fails_the_whole_commit(shared_lab, shared_server, acl, operator_file):
    acl.install("a", drop(101))
    operator_file("10operator.rules", "[iptables]\n-A FORWARD -p udp --dport 200 -j DROP\n-A FORWARD -j NOSUCH\n")
    reply = acl.put("b", drop(102), wait=30)
    assert reply.status == 422, reply
    assert any("10operator.rules" in error["file"] and error["line"] == 3 for error in reply.json()["errors"])
    assert dropped_ports(shared_lab, [101, 102, 200]) == [101], "nothing changes"
    (line,) = acl.get("lasterror").json()["lines"]
    assert line.startswith(shared_server.policy.path("10operator.rules") + ":3:")
    operator_file("10operator.rules", "[iptables]\n-A FORWARD -p udp --dport 200 -j DROP\n")
    acl.install("c", drop(103))
    assert dropped_ports(shared_lab, [101, 102, 103, 200]) == [101, 102, 103, 200]


def test_an_operator_file_is_installed_by_reload(shared_lab, shared_server, acl, operator_file):
    operator_file("90late.rules", "[iptables]\n-A FORWARD -p udp --dport 201 -j DROP\n")
    shared_server.reload()
    wait_until(lambda: dropped_ports(shared_lab, [201]) == [201], "the operator's file is installed")
    assert acl.get().warning is None


def test_a_change_leaves_the_counters_of_the_others_alone(shared_lab, shared_server, acl):
    acl.install("a", drop(101))
    acl.install("b", [*drop(102), "-A FORWARD -p udp --dport 103 -j DROP"])
    assert dropped_ports(shared_lab, [101, 101, 102, 103]) == [101, 101, 102, 103]
    acl.install("c", drop(104))
    # A rule that stays the same keeps its counter also in a file that changes around it.
    acl.install("b", ["[iptables]", "-A FORWARD -p udp --dport 105 -j DROP", *drop(102)[1:]])
    assert dropped_ports(shared_lab, [101, 102]) == [101, 102]
    listing = run_acl(shared_server.ns, shared_server.policy, "-L", "ip", "-S", "-x", "-N").stdout
    counts = {port: sum(int(line.split()[0]) for line in listing.splitlines() if f"--dport {port}" in line)
              for port in (101, 102, 104, 105)}
    assert counts == {101: 3, 102: 2, 104: 0, 105: 0}


def test_tables_of_others_are_left_alone(own_server):
    """Whatever we do, what Docker, fail2ban or the operator put into the kernel stays, counters included."""
    ns = own_server.ns
    ns.nft("table inet docker { set s { type ipv4_addr; elements = { 192.0.2.1 }; }; chain f { "
           "type filter hook forward priority 5; ip saddr 192.0.2.2 counter packets 7 bytes 700 drop; }; }\n"
           "table ip filter { chain FORWARD { type filter hook forward priority 0; policy accept; "
           "ip saddr 192.0.2.3 counter packets 1 bytes 2 drop; }; }\n"
           "table bridge filter { chain FORWARD { type filter hook forward priority -200; }; }")

    def others():
        return [ns.run("nft", "list", "table", *table.split()).stdout
                for table in ("inet docker", "ip filter", "bridge filter")]

    before = others()
    own_server.start()
    client = own_server.client()
    client.install("a", drop(101))
    client.put("b", BAD, wait=30)
    assert others() == before
    own_server.kill()
    own_server.start()
    own_server.client().remove()
    assert others() == before
    for options in (["-i"], ["-i", "-n"], ["-F", "all"], ["-Z", "all"]):
        assert run_acl(ns, own_server.policy, *options).returncode == 0, options
        assert others() == before, options
