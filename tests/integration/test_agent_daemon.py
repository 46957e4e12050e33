"""The agent as a daemon: command line, configuration and reload, DNS-SD, status, hsflowd.auto, privileges."""

import glob
import json
import os
import re
import shutil
import socket
import subprocess

import pytest

import sflow
from agent import DEFAULT_CONF, SERVICE, World, conf, counters, flows, host_samples
from dns_server import Dnsmasq
from lab import BRIDGED
from packets import Packet
from programs import ROOT, agent_program
from wait import wait_until

pytestmark = pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")


def run(*options):
    return subprocess.run([agent_program(), *options], capture_output=True, text=True, check=False)


@pytest.mark.unprivileged
def test_version_and_usage():
    for option in ("-v", "-V", "--version"):
        assert run(option).stdout.startswith("tapgate-agent 0.")
    assert run("--help").returncode == 0
    for options in (["--nonsense"], ["-f"], ["start"], ["status", "now"], ["--json"], ["-u", "1234"]):
        done = run(*options)
        assert (done.returncode, done.stdout) == (2, ""), options
        assert "Usage" in done.stderr


FIELD = sorted(glob.glob(os.path.join(ROOT, "tests", "golden", "conf", "*.in")))


@pytest.mark.unprivileged
@pytest.mark.parametrize("path", FIELD, ids=lambda path: os.path.basename(path)[:-3])
def test_check_prints_the_whole_configuration_or_every_error(path):
    with open(path[:-2] + "ok", encoding="utf-8") as file:
        expected = file.read()
    done = run("-n", "-f", path)
    findings = [line[len("# hsflowd.conf"):] for line in expected.splitlines() if line.startswith("# hsflowd.conf")]
    plain = [line.replace(":0: ", ": ", 1).replace(": error: ", ": ", 1) for line in findings]
    assert [line.removeprefix(path) for line in done.stderr.splitlines()] == plain
    if os.path.basename(path).startswith("e-"):
        assert (done.returncode, done.stdout) == (1, "")
    else:
        assert done.returncode == 0
        assert done.stdout == "".join(
            line + "\n" for line in expected.splitlines() if not line.startswith("# hsflowd.conf"))


EXAMPLE = os.path.join(ROOT, "agent", "hsflowd.conf")


@pytest.mark.unprivileged
def test_the_example_is_what_holds_without_it(tmp_path):
    done = run("-n", "-f", EXAMPLE)
    assert (done.returncode, done.stderr) == (0, "")
    empty = tmp_path / "empty.conf"
    empty.write_text("sflow { DNSSD = on }\n")
    assert done.stdout == run("-n", "-f", str(empty)).stdout


@pytest.mark.unprivileged
def test_every_line_that_the_example_offers_is_accepted(tmp_path):
    with open(EXAMPLE, encoding="utf-8") as file:
        offered = re.findall(r"^  # ((?:[a-zA-Z_.0-9]+ = \S+$|[a-z]+ (?:\S+ )?\{.*\})).*$", file.read(), re.M)
    assert len(offered) > 20
    for line in offered:
        path = tmp_path / "one.conf"
        path.write_text(f"sflow {{\n DNSSD = on\n {line}\n}}\n")
        done = run("-n", "-f", str(path))
        assert done.returncode == 0 and "warning" not in done.stderr, (line, done.stderr)


def test_a_file_that_was_named_has_to_exist(world):
    assert run("-n", "-f", "/nowhere.conf").returncode == 1
    agent = world.agent("sflow {\n polling = 1000\n}\n")
    agent.spawn()
    assert agent.process.wait() == 1
    assert f"{agent.conf_path}:2: polling" in agent.log()
    os.unlink(agent.conf_path)
    agent.spawn()
    assert agent.process.wait() == 1
    assert "cannot read: No such file or directory" in agent.log()


@pytest.mark.skipif(os.path.exists(DEFAULT_CONF), reason=f"this machine has {DEFAULT_CONF}")
def test_without_configuration_dns_says_where_to_send(world):
    if reason := Dnsmasq.missing():
        pytest.skip(reason)
    world.dnsmasq(f"srv-host={SERVICE},collector1.example.com,6343",
                  f"host-record=collector1.example.com,{World.COLLECTOR4}",
                  f'txt-record={SERVICE},"txtvers=1","sampling.10G=10","polling=1"')
    with world.receiver() as receiver, world.agent() as agent:
        agent.wait_status(lambda status: status["ok"], "all is well")
        receiver.wait(lambda r: counters(r, world.ifindex("swp1")), 30)
        receiver.wait(host_samples, 30)
        agent.wait_status(lambda s: all(port["rate"] == 10 for port in s["ports"]), "the rate of the TXT record")
        world.lab.send(BRIDGED, 4, *(Packet() for _ in range(400)))
        sample = receiver.wait(lambda r: flows(r, world.ifindex("swp1")), 30)[0]
        assert (sample["rate"], sample["input"]) == (10, str(world.ifindex("swp1")))
        status = agent.status()
        assert status["dnssd"] == {"state": "found", "domain": "example.com", "collectors": 1, "standby": 0,
                                   "unresolved": 0, "settings": True}
        assert status["agent"]["configuration"] == f"defaults (no {DEFAULT_CONF})"
        assert [(c["name"], c["state"]) for c in status["collectors"]] == [("collector1.example.com:6343", "ok")]


def test_dns_replaces_the_collectors_of_the_file_and_its_rates_win(world):
    if reason := Dnsmasq.missing():
        pytest.skip(reason)
    world.dnsmasq(f"srv-host={SERVICE},c1.example.com,6344", f"host-record=c1.example.com,{World.COLLECTOR4}",
                  f'txt-record={SERVICE},"sampling.10G=77"')
    text = conf("DNSSD = on", "DNSSD_domain = .example.com", "sampling.10G = 55", "polling = 7")
    with world.agent(text) as agent:
        agent.wait_status(lambda s: [c["name"] for c in s["collectors"]] == ["c1.example.com:6344"], "DNS has answered")
        agent.wait_status(lambda s: {(p["rate"], p["polling_s"]) for p in s["ports"]} == {(77, 7)}, "rates of DNS")
        agent.reload(conf("sampling.10G = 55"))
        status = agent.wait_status(lambda s: {p["rate"] for p in s["ports"]} == {55}, "rates of the file")
        assert [c["name"] for c in status["collectors"]] == [f"{World.COLLECTOR4}:6343"]
        assert status["dnssd"]["state"] == "off"


def test_a_collector_can_be_a_name(world):
    if reason := Dnsmasq.missing():
        pytest.skip(reason)
    world.dnsmasq(f"host-record=collector.example.com,{World.COLLECTOR4}")
    text = conf("polling = 1", "collector { ip = missing.example.com }", collector="collector.example.com")
    with world.receiver() as receiver, world.agent(text) as agent:
        receiver.wait(lambda r: r.samples(sflow.COUNTERS), 30)
        status = agent.status()
        assert [c["name"] for c in status["collectors"]] == ["collector.example.com:6343"]
        assert status["warnings"] == ["collector missing.example.com: its name has no address"]


def test_without_collector_the_status_says_so_first(world):
    text = "sflow { DNSSD = on }\n"
    with world.agent(text) as agent:
        agent.wait_status(lambda s: s["dnssd"]["state"] == "failing", "DNS is known to fail")
        done = agent.ask()
        assert done.returncode == 1
        assert re.match(r"NOT OK: no collector: DNS-SD: [a-z.]+: (no server can be reached|no answer)", done.stdout), done.stdout
        assert "swp1 " in done.stdout
    done = agent.ask()
    assert (done.returncode, done.stdout) == (3, "")
    assert "not running" in done.stderr


def test_without_switch_port_the_status_says_so(world):
    with world.agent(conf("cumulus { switchport = ^none$ }")) as agent:
        assert "no interface is a switch port (switchport = ^none$)" in agent.status()["warnings"]


def test_without_a_sampled_port_the_status_says_so(world):
    with world.agent(conf("pcap { dev = nodev0 }")) as agent:
        assert "no port is sampled" in agent.status()["warnings"]
        assert agent.ask().returncode == 1


def test_all_is_well_and_the_table_shows_it(world):
    with world.receiver(), world.agent(conf("polling = 1")) as agent:
        agent.wait_status(lambda s: s["ok"] and s["datagrams"]["counters_samples"] > 4, "counters are sent")
        done = agent.ask()
        assert done.returncode == 0
        assert done.stdout.splitlines()[0] == "OK: 4 of 4 ports sampled, 1 collector"
        lines = [line.split() for line in done.stdout.splitlines()]
        assert [line[0] for line in lines if line and line[0].startswith("swp")] == ["swp1", "swp2", "swp3", "swp4"]
        assert json.loads(agent.ask("--json").stdout)["agent"]["address"] == World.AGENT4


def test_a_second_agent_is_refused(world):
    with world.agent(conf()) as agent:
        second = world.agent(conf())
        second.spawn()
        assert second.process.wait() == 1
        assert "another agent is running" in agent.log()
        assert agent.status()["agent"]["pid"] == agent.process.pid


def test_a_status_client_that_does_not_read_is_hung_up_on(world):
    with world.agent(conf()) as agent:
        idle = [socket.socket(socket.AF_UNIX) for _ in range(20)]
        for sock in idle:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            sock.connect(os.path.join(agent.run_dir, "agent.sock"))
        wait_until(lambda: agent.ask("--json").returncode != 3, "the agent answers in spite of them")
        for sock in idle:
            sock.close()
        assert os.stat(os.path.join(agent.run_dir, "agent.sock")).st_mode & 0o777 == 0o660


def test_a_bad_file_changes_nothing_and_is_named(world):
    with world.receiver() as receiver, world.agent(conf("sampling.flat = 50", "polling = 1")) as agent:
        agent.wait_status(lambda s: {p["rate"] for p in s["ports"]} == {50}, "rates of the file")
        agent.reload(conf("sampling.flat = 60", "polling = often"))
        assert f'{agent.conf_path}:4: polling: "often" is not a number' in agent.log()
        status = agent.status()
        assert {p["rate"] for p in status["ports"]} == {50}
        assert status["warnings"] == [
            f'last reload failed, older settings are in use: {agent.conf_path}:4: polling: "often" is not a number']
        before = len(receiver.datagrams)
        receiver.wait(lambda r: len(r.datagrams) > before + 2, 30)
        agent.reload(conf("sampling.flat = 60"))
        agent.wait_status(lambda s: s["ok"] and {p["rate"] for p in s["ports"]} == {60}, "the good file is in use")


def test_what_other_programs_read_is_written(world):
    with world.agent(conf("sampling.1G = 500", "polling = 20", "collector { ip = 2001:db8:ff::2 udpport = 6344 }")) \
            as agent:
        wait_until(lambda: os.path.exists(agent.auto_path), "the file is there")
        host = os.uname().nodename
        expected = [("rev_start", "1"), ("hostname", host), ("sampling", "400"), ("header", "128"),
                    ("datagram", "1400"), ("polling", "20"), ("sampling.1G", "500"), ("collector", World.COLLECTOR4),
                    ("collector", "2001:db8:ff::2 6344"), ("agentIP", World.AGENT4), ("agent", World.AGENT_PORT),
                    ("ds_index", "1"), ("rev_end", "1")]
        # Depending on which came first, address or collectors, there was a revision before.
        wait_until(lambda: agent.auto()[1:-1] == expected[1:-1], "it has the settings in use")
        first = agent.auto()[0][1]
        assert agent.auto()[-1] == ("rev_end", first)
        agent.reload(conf("polling = 10"))
        wait_until(lambda: ("polling", "10") in agent.auto(), "it follows a reload")
        assert int(agent.auto()[0][1]) > int(first)
        assert os.stat(agent.auto_path).st_mode & 0o777 == 0o644


def test_the_agent_address_stays_until_it_goes(world):
    with world.receiver() as receiver, world.agent(conf("polling = 1")) as agent:
        agent.wait_status(lambda s: s["agent"]["address"] == World.AGENT4, "an address is elected")
        world.ns.ip("addr add 192.0.2.1/32 dev eth0")
        world.ns.ip("addr add 10.0.0.99/24 dev lo")
        assert agent.status()["agent"]["address"] == World.AGENT4
        world.ns.ip(f"addr del {World.AGENT4}/24 dev {World.AGENT_PORT}")
        agent.wait_status(lambda s: s["agent"]["address"] == "192.0.2.1", "the best of the others")
        seen = receiver.wait(lambda r: [d for d in r.datagrams if d["agent"] == "192.0.2.1"], 30)
        assert seen[0]["seq"] == 1
        agent.reload(conf("polling = 1", "agent = br0"))
        agent.wait_status(lambda s: s["agent"]["interface"] == "br0", "the preference")


def test_privileges_are_dropped(world):
    with world.agent(conf(), ["--user", "64124"]) as agent:
        with open(f"/proc/{agent.process.pid}/status", encoding="ascii") as file:
            values = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        assert values["Uid"].split() == ["64124"] * 4
        assert values["Gid"].split() == ["64124"] * 4
        assert values["Groups"].split() == []
        net_admin = f"{1 << 12:016x}"
        assert (values["CapEff"], values["CapPrm"], values["CapBnd"]) == (net_admin,) * 3
        assert (values["CapInh"], values["NoNewPrivs"]) == ("0" * 16, "1")
        assert os.stat(os.path.join(agent.run_dir, "agent.sock")).st_uid == 64124
        agent.wait_status(lambda s: s["ports"] and all(p["source"] for p in s["ports"]), "sampling works with that")
