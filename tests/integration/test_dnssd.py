"""The agent's DNS service discovery against real and against malicious servers."""

import json
import os
import struct
import subprocess
import threading
import time

import dns_server as dns
import pytest
from dns_server import AAAA, CNAME, SRV, TXT, A, Dnsmasq, FakeDns, Zone, zone
from netns import Namespace
from programs import tool
from wait import DEADLINE_S, wait_until

SERVICE = "_sflow._udp.example.com"


class Probe:
    """dnssd_probe in a namespace: what it prints, as it comes."""

    def __init__(self, ns, resolv_conf, *arguments):
        self.events, self.log = [], []
        self.process = ns.popen(tool("dnssd_probe"), "--resolv-conf", resolv_conf, *arguments, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.threads = [threading.Thread(target=self._read_events), threading.Thread(target=self._read_log)]
        for thread in self.threads:
            thread.start()

    def _read_events(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))

    def results(self):
        return [event for event in self.events if event["event"] == "result"]

    def collectors(self):
        """"address:port" of the last result, sorted; None before the first."""
        results = self.results()
        return sorted(f"{c['addr']}:{c['port']}" for c in results[-1]["collectors"]) if results else None

    def wait_for(self, collectors, **others):
        """Until the last result has these collectors and other members."""
        def holds():
            return self.collectors() == sorted(collectors) and all(
                self.results()[-1][key] == value for key, value in others.items())

        try:
            wait_until(holds, f"collectors are {collectors} with {others}")
        except AssertionError as error:
            raise AssertionError(f"{error}\nevents: {self.events}\nlog: {self.log}") from None

    def status(self):
        before = sum(event["event"] == "status" for event in self.events)
        self.process.stdin.write("\n")
        self.process.stdin.flush()

        def answered():
            found = [event for event in self.events if event["event"] == "status"]
            return found[before] if len(found) > before else None

        return wait_until(answered, "a status line")

    def logged(self, text):
        return sum(text in line for line in list(self.log))

    def wait_log(self, text, times=1):
        wait_until(lambda: self.logged(text) >= times, f'the log says "{text}"; it says {self.log}')

    def close(self):
        """End it; a sanitizer's complaint is a failed exit."""
        self.process.stdin.close()
        status = self.process.wait(timeout=DEADLINE_S)
        for thread in self.threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()
        assert status == 0, self.log


class World:
    """A namespace in which collectors can be routed to, a resolv.conf, and what runs there."""

    def __init__(self, directory):
        self.directory = str(directory)
        self.resolv_conf = os.path.join(self.directory, "resolv.conf")
        self.ns = Namespace()
        self.ns.ip("addr add 192.0.2.254/24 dev lo\naddr add 2001:db8::fe/64 dev lo nodad")
        self.write_resolv_conf("search example.com")
        self.started = []

    def write_resolv_conf(self, *lines):
        with open(self.resolv_conf, "w", encoding="ascii") as file:
            file.write("\n".join(("nameserver 127.0.0.1",) + lines) + "\n")

    def dnsmasq(self, *lines):
        reason = Dnsmasq.missing()
        if reason:
            pytest.skip(reason)
        return self._keep(Dnsmasq(self.ns, self.directory, lines))

    def fake(self, handler):
        return self._keep(FakeDns(self.ns, handler))

    def probe(self, *arguments):
        return self._keep(Probe(self.ns, self.resolv_conf, *arguments))

    def fast_probe(self, *arguments):
        """Asks again after 100 ms, also after failures; a grace period of 1 s; gives up on silence after 0.7 s."""
        return self.probe("--ttl-min", "100", "--grace", "1000", "--timeout", "100", *arguments)

    def _keep(self, what):
        self.started.append(what)
        return what

    def close(self):
        for what in reversed(self.started):
            what.close()
        self.ns.close()


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


def srv_host(target, port=6343, priority=0, weight=0, service=SERVICE):
    return f"srv-host={service},{target},{port},{priority},{weight}"


def test_srv_and_txt_of_a_real_server_make_collectors_and_settings(world):
    world.dnsmasq(srv_host("collector1.example.com"), srv_host("collector2.example.com", 6344),
                  "host-record=collector1.example.com,192.0.2.1", "host-record=collector2.example.com,2001:db8::2",
                  f'txt-record={SERVICE},"txtvers=1","sampling.1G=1000","sampling.10G=5000","polling=20"')
    probe = world.probe()
    probe.wait_for(["192.0.2.1:6343", "2001:db8::2:6344"])
    assert probe.results() == [{
        "event": "result", "domain": "example.com", "standby": 0, "unresolved": 0, "txt": True, "polling": 20,
        "rate_10g": 5000, "collectors": [
            {"host": "collector1.example.com", "addr": "192.0.2.1", "port": 6343, "priority": 0, "weight": 0},
            {"host": "collector2.example.com", "addr": "2001:db8::2", "port": 6344, "priority": 0, "weight": 0}]}]
    assert probe.status()["state"] == "found"


def test_a_configured_domain_replaces_the_search_list(world):
    world.dnsmasq(srv_host("c1.example.com"), srv_host("c2.example.org", service="_sflow._udp.example.org"),
                  "host-record=c1.example.com,192.0.2.1", "host-record=c2.example.org,192.0.2.2")
    world.probe("--domain", "example.org").wait_for(["192.0.2.2:6343"], domain="example.org", txt=False)


def test_the_search_list_is_gone_through(world):
    world.write_resolv_conf("search example.org example.com")
    world.dnsmasq(srv_host("c1.example.com"), "host-record=c1.example.com,192.0.2.1")
    world.probe().wait_for(["192.0.2.1:6343"], domain="example.com")


def test_only_the_best_priority_is_used_and_the_next_takes_over(world):
    lines = [srv_host("c1.example.com", priority=10), srv_host("c2.example.com", priority=10),
             srv_host("c3.example.com", priority=20), "host-record=c3.example.com,192.0.2.3"]
    server = world.dnsmasq(*lines, "host-record=c1.example.com,192.0.2.1", "host-record=c2.example.com,192.0.2.2")
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343", "192.0.2.2:6343"], standby=1)
    server.serve(lines)
    probe.wait_for(["192.0.2.3:6343"], standby=0, unresolved=2)
    server.serve(lines + ["host-record=c2.example.com,192.0.2.2"])
    probe.wait_for(["192.0.2.2:6343"], standby=1, unresolved=1)


def test_different_weights_give_each_agent_one_collector_for_good(world):
    world.dnsmasq(srv_host("c1.example.com", weight=10), srv_host("c2.example.com", weight=30),
                  "host-record=c1.example.com,192.0.2.1", "host-record=c2.example.com,192.0.2.2")
    chosen = []
    for identity in ["leaf1", "leaf1", *(f"leaf{i}" for i in range(2, 12))]:
        probe = world.probe("--identity", identity)
        wait_until(probe.collectors, "a result")
        assert len(probe.collectors()) == 1 and probe.results()[-1]["standby"] == 1
        chosen.append(probe.collectors()[0])
    assert chosen[0] == chosen[1]
    assert set(chosen) == {"192.0.2.1:6343", "192.0.2.2:6343"}


def test_targets_may_be_cnames(world):
    world.dnsmasq(srv_host("collector.example.com"), "cname=collector.example.com,host7.example.com",
                  "host-record=host7.example.com,192.0.2.7")
    world.probe().wait_for(["192.0.2.7:6343"])


@pytest.mark.parametrize("whole", [True, False], ids=["with_the_records", "alone"])
def test_the_service_name_may_be_a_cname(world, whole):
    """Some servers send what the alias leads to along with it, others leave that to a second question."""
    other = "_sflow._udp.site7.example.com"
    inner = zone(domain="site7.example.com")

    def handler(question):
        if question.name != SERVICE:
            return inner(question)
        records = inner.records.get((other, question.type), []) if whole else []
        return question.answer(dns.record(SERVICE, CNAME, 60, dns.encode_name(other)), *records)

    world.fake(handler)
    world.probe().wait_for(["192.0.2.1:6343"], polling=20, txt=True)


def test_an_answer_that_does_not_fit_udp_comes_by_tcp(world):
    names = [f"collector-with-a-rather-long-name-{i}.example.com" for i in range(30)]
    world.dnsmasq("edns-packet-max=512", *(srv_host(name) for name in names),
                  *(f"host-record={name},192.0.2.{i + 1}" for i, name in enumerate(names)))
    world.probe().wait_for([f"192.0.2.{i + 1}:6343" for i in range(30)])
    tcp = world.ns.run("nstat", "-az", "TcpActiveOpens").stdout
    assert int(tcp.split("TcpActiveOpens")[1].split()[0]) > 0


def test_a_cut_answer_without_tcp_changes_nothing(world):
    server = world.fake(zone())
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343"])
    server.handler = lambda question: question.answer(truncated=True) if not question.tcp else None
    wait_until(lambda: any(tcp for _, _, tcp in server.asked), "a question by TCP")
    assert probe.collectors() == ["192.0.2.1:6343"]


def test_no_record_at_first_is_told_once_and_found_when_it_appears(world):
    server = world.fake(Zone())
    probe = world.fast_probe()
    probe.wait_log("no _sflow._udp SRV record in example.com")
    wait_until(lambda: len(server.asked) > 10, "ten more questions")
    assert probe.logged("no _sflow._udp SRV record") == 1
    assert probe.status()["state"] == "absent"
    server.handler = zone()
    probe.wait_for(["192.0.2.1:6343"])


def test_vanished_records_stay_for_the_grace_period_and_then_go(world):
    server = world.fake(zone())
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343"], polling=20)
    server.handler = Zone()
    probe.wait_log("SRV vanished; 1 collector stays in use for 1 s")
    assert probe.collectors() == ["192.0.2.1:6343"]
    probe.wait_for([], polling=30, txt=False)
    assert probe.logged("SRV is gone") == 1
    server.handler = zone()
    probe.wait_for(["192.0.2.1:6343"], polling=20)
    assert probe.logged("SRV is answered again") == 1


def test_records_that_vanish_for_a_moment_are_never_missed(world):
    server = world.fake(zone())
    probe = world.probe("--ttl-min", "100", "--grace", "60000")
    probe.wait_for(["192.0.2.1:6343"])
    server.handler = Zone()
    probe.wait_log("SRV vanished")
    probe.wait_log("c1.example.com: A record vanished")
    server.handler = zone()
    probe.wait_log("SRV is answered again")
    assert len(probe.results()) == 1


@pytest.mark.parametrize("rcode", [dns.SERVFAIL, dns.REFUSED], ids=["servfail", "refused"])
def test_a_failing_server_changes_nothing_and_is_told_once(world, rcode):
    server = world.fake(zone())
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343"])
    server.handler = lambda question: question.answer(rcode=rcode)
    probe.wait_log("SRV fails")
    asked = len(server.asked)
    wait_until(lambda: len(server.asked) > asked + 20, "twenty more questions")
    assert probe.logged("SRV fails") == 1 and probe.logged("all say SERVFAIL or REFUSED") > 0
    assert len(probe.results()) == 1
    assert probe.status()["state"] == "failing"
    server.handler = zone(collectors=[("c1", "192.0.2.9")])
    probe.wait_for(["192.0.2.9:6343"])


def test_a_silent_server_changes_nothing_and_nothing_waits_for_it(world):
    server = world.fake(zone())
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343"])
    server.handler = lambda question: None
    asked = len(server.asked)
    wait_until(lambda: len(server.asked) > asked, "a question that nobody answers")
    before = probe.status()["beats"]
    wait_until(lambda: probe.status()["beats"] > before + 100, "a hundred turns of the loop meanwhile")
    probe.wait_log("SRV fails")
    assert probe.logged("Timeout while contacting DNS servers") > 0
    assert len(probe.results()) == 1


def test_a_server_that_comes_late_is_found(world):
    os.unlink(world.resolv_conf)
    probe = world.fast_probe()
    probe.wait_log("SRV fails")
    assert probe.status()["state"] == "failing"
    world.fake(zone())
    world.write_resolv_conf("search example.com")
    probe.wait_for(["192.0.2.1:6343"])


def test_a_vanished_txt_keeps_its_rates_for_the_grace_period(world):
    server = world.fake(zone(strings=("sampling.10G=77", "polling=20")))
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343"], rate_10g=77)
    server.handler = zone(strings=None)
    probe.wait_log("TXT vanished; its settings stay for 1 s")
    assert probe.results()[-1]["rate_10g"] == 77
    probe.wait_for(["192.0.2.1:6343"], rate_10g=10000, polling=30, txt=False)
    assert probe.logged("TXT is gone") == 1
    assert all(result["collectors"] for result in probe.results())


def test_a_failing_txt_keeps_its_rates_for_ever(world):
    good = zone(strings=("sampling.10G=77",))
    server = world.fake(good)
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343"], rate_10g=77)
    server.handler = lambda question: (question.answer(rcode=dns.SERVFAIL) if question.type == TXT else good(question))
    probe.wait_log("TXT fails")
    asked = len(server.asked)
    wait_until(lambda: len(server.asked) > asked + 60, "many more questions, past the grace period")
    assert len(probe.results()) == 1
    assert probe.logged("TXT fails") == 1


def test_a_txt_that_fails_at_first_does_not_hold_up_the_collectors(world):
    good = zone()
    server = world.fake(lambda question: None if question.type == TXT else good(question))
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343"], txt=False)
    server.handler = good
    probe.wait_for(["192.0.2.1:6343"], txt=True, polling=20)


def test_bad_txt_strings_are_named_once_and_the_others_used(world):
    server = world.fake(zone(strings=("polling=20", "polling=abc", "colour=blue")))
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343"], polling=20)
    wait_until(lambda: len(server.asked) > 30, "several rounds")
    assert probe.logged('TXT: polling: "abc" is not a number; unknown keyword "colour"') == 1


def test_a_value_that_cannot_be_taken_keeps_the_one_before(world):
    server = world.fake(zone(strings=("polling=20", "sampling.10G=100")))
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343"], polling=20, rate_10g=100)
    server.handler = zone(strings=("polling=99999", "sampling.10G=200"))
    probe.wait_for(["192.0.2.1:6343"], polling=20, rate_10g=200)
    server.handler = zone(strings=("sampling.10G=200",))
    probe.wait_for(["192.0.2.1:6343"], polling=30, rate_10g=200)


def test_srv_targets_without_address_do_not_blind_a_working_agent(world):
    server = world.fake(zone())
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343"])
    server.handler = zone(collectors=[("nowhere", None)])
    probe.wait_log("no SRV target has an address; the collectors in use stay")
    assert probe.collectors() == ["192.0.2.1:6343"]
    server.handler = zone(collectors=[("nowhere", None), ("c2", "192.0.2.2")])
    probe.wait_for(["192.0.2.2:6343"], unresolved=1)


def test_one_dead_target_does_not_hold_up_the_others(world):
    inner = zone(collectors=[("c1", "192.0.2.1"), ("silent", None)])
    world.fake(lambda question: None if question.name == "silent.example.com" else inner(question))
    probe = world.probe()
    probe.wait_for(["192.0.2.1:6343"], unresolved=1)


def test_rotated_answers_are_no_change(world):
    turn = [0]

    def handler(question):
        records = zone(collectors=[(f"c{i}", f"192.0.2.{i}") for i in range(1, 6)])
        wanted = records.records.get((question.name, question.type), [])
        turn[0] += 1
        shift = turn[0] % len(wanted) if wanted else 0
        records.records[(question.name, question.type)] = wanted[shift:] + wanted[:shift]
        return records(question)

    server = world.fake(handler)
    probe = world.fast_probe()
    probe.wait_for([f"192.0.2.{i}:6343" for i in range(1, 6)])
    asked = len(server.asked)
    wait_until(lambda: len(server.asked) > asked + 60, "several rounds")
    assert len(probe.results()) == 1


def test_a_change_is_seen_when_the_ttl_of_10_s_is_over(world):
    times = []
    current = zone(ttl=10)

    def handler(question):
        if question.type == SRV:
            times.append(time.monotonic())
        return current(question)

    world.fake(handler)
    probe = world.probe()
    probe.wait_for(["192.0.2.1:6343"])
    current = zone(ttl=10, collectors=[("c1", "192.0.2.1"), ("c2", "192.0.2.2")], strings=("polling=25",))
    probe.wait_for(["192.0.2.1:6343", "192.0.2.2:6343"], polling=25)
    assert len(times) == 2 and times[1] - times[0] >= 10  # asked when the TTL said so, and not before


def test_of_two_families_the_one_with_a_route_is_used(world):
    world.ns.ip("addr del 2001:db8::fe/64 dev lo")
    service, name = SERVICE, "c1.example.com"
    world.fake(Zone((service, SRV, dns.srv(service, 0, 0, 0, 6343, name)), (name, A, dns.a(name, 0, "192.0.2.1")),
                    (name, AAAA, dns.aaaa(name, 0, "2001:db8::1"))))
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343"])
    world.ns.ip("addr add 2001:db8::fe/64 dev lo nodad\naddr del 192.0.2.254/24 dev lo")
    probe.wait_for(["2001:db8::1:6343"])
    world.ns.ip("addr add 192.0.2.254/24 dev lo")
    asked = probe.status()["beats"]
    wait_until(lambda: probe.status()["beats"] > asked + 100, "several rounds")
    assert probe.collectors() == ["2001:db8::1:6343"]  # the one in use stays


def test_a_collector_given_by_name_is_watched(world):
    server = world.fake(Zone(("c1.example.com", A, dns.a("c1.example.com", 0, "192.0.2.1"))))
    probe = world.fast_probe("--name", "c1.example.com")
    wait_until(lambda: any(e.get("addr") == "192.0.2.1" for e in probe.events), "the first address")
    server.handler = Zone(("c1.example.com", A, dns.a("c1.example.com", 0, "192.0.2.5")))
    wait_until(lambda: probe.events[-1].get("addr") == "192.0.2.5", "the new address")
    server.handler = lambda question: question.answer(rcode=dns.SERVFAIL)
    probe.wait_log("c1.example.com: DNS fails")
    assert probe.events[-1]["addr"] == "192.0.2.5"


def test_a_collector_s_name_is_looked_up_as_a_person_wrote_it(world):
    """In /etc/hosts, which needs no server, and in the search list."""
    with open("/etc/hosts", encoding="ascii") as file:
        lines = [line.split("#")[0].split() for line in file]
    names = {line[1]: line[0] for line in lines if len(line) > 1 and "." in line[0]}
    names["localhost"] = "127.0.0.1"
    for name, address in names.items():
        probe = world.fast_probe("--name", name)
        wait_until(lambda: any(e.get("addr") in (address, "::1") for e in probe.events), f"the address of {name}")
    world.fake(zone())
    probe = world.fast_probe("--name", "c1")
    wait_until(lambda: any(e.get("addr") == "192.0.2.1" for e in probe.events), "an address from the search list")


def _head(question, flags=0x8580, questions=1, answers=1):
    return struct.pack("!6H", question.id, flags, questions, answers, 0, 0)


LIES = {
    "empty": lambda q: b"",
    "header_only": lambda q: _head(q),
    "half_a_header": lambda q: _head(q)[:7],
    "no_question": lambda q: _head(q, questions=0) + dns.srv(SERVICE, 0, 0, 0, 1, "evil"),
    "other_question": lambda q: _head(q) + dns.encode_name("evil.example") + struct.pack("!2H", SRV, 1)
                      + dns.srv("evil.example", 0, 0, 0, 1, "evil"),
    "other_id": lambda q: struct.pack("!H", q.id ^ 1) + q.answer(dns.srv(SERVICE, 0, 0, 0, 1, "evil"))[2:],
    "count_too_large": lambda q: q.answer(dns.srv(SERVICE, 0, 0, 0, 6343, "c1.example.com"), count=65535),
    "pointer_to_itself": lambda q: q.answer(dns.srv(SERVICE, 0, 0, 0, 6343,
                                                     struct.pack("!H", 0xC000 | (12 + len(q.section) + 41)))),
    "pointer_loop": lambda q: q.answer(dns.record(b"\xc0" + bytes([12 + len(q.section)]), SRV, 0, b"\0" * 7)),
    "pointer_past_the_end": lambda q: q.answer(dns.srv(SERVICE, 0, 0, 0, 6343, b"\xff\xff")),
    "name_of_300_bytes": lambda q: q.answer(dns.srv(SERVICE, 0, 0, 0, 6343, (b"\x3f" + b"x" * 63) * 5 + b"\0")),
    "label_type_01": lambda q: q.answer(dns.srv(SERVICE, 0, 0, 0, 6343, b"\x41" + b"x" * 65 + b"\0")),
    "rdlength_past_the_end": lambda q: q.answer(dns.encode_name(SERVICE) + struct.pack("!2HIH", SRV, 1, 0, 60000)
                                                + b"\0" * 20),
    "rdlength_too_small": lambda q: q.answer(dns.record(SERVICE, SRV, 0, b"\0\0\0")),
    "srv_without_target": lambda q: q.answer(dns.record(SERVICE, SRV, 0, b"\0" * 6)),
    "cname_loop": lambda q: q.answer(dns.record(SERVICE, CNAME, 0, dns.encode_name(SERVICE))),
    "second_record_cut": lambda q: q.answer(dns.srv(SERVICE, 0, 0, 0, 6343, "evil"),
                                            dns.srv(SERVICE, 0, 0, 0, 6343, "evil"))[:-3],
    "noise": lambda q: struct.pack("!H", q.id) + bytes(range(256)) * 4,
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_malicious_answer_changes_nothing(world, lie):
    good = zone()
    server = world.fake(good)
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343"])
    server.handler = lambda question: lie(question) if question.type == SRV else good(question)
    asked = sum(rtype == SRV for _, rtype, _ in server.asked)
    wait_until(lambda: sum(rtype == SRV for _, rtype, _ in server.asked) > asked + 1, "two questions answered so")
    server.handler = zone(collectors=[("c1", "192.0.2.1"), ("c2", "192.0.2.2")])
    probe.wait_for(["192.0.2.1:6343", "192.0.2.2:6343"])
    assert len(probe.results()) == 2


def test_unusable_srv_records_are_named_once_and_the_others_used(world):
    good = zone()
    evil = [dns.srv(SERVICE, 0, 0, 0, 6343, b"\0"), dns.srv(SERVICE, 0, 0, 0, 0, "portless"),
            dns.srv(SERVICE, 0, 0, 0, 6343, b"\x04a\0\xff.\0")]
    good.records[(SERVICE, SRV)] += evil
    server = world.fake(good)
    probe = world.fast_probe()
    probe.wait_for(["192.0.2.1:6343"], unresolved=0)
    wait_until(lambda: len(server.asked) > 30, "several rounds")
    assert probe.logged("3 SRV records are not used") == 1
