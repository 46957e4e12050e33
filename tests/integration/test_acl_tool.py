"""tapgate-acl: options, exit codes, messages; beside a running server and without one."""

import os
import re
import shutil
import subprocess

import pytest

from daemon import Policy, Server, run_acl
from lab import BRIDGED, ROUTED, Lab
from netns import Switch
from packets import Packet
from programs import acl_program
from wait import wait_until

KINDS = ("all", "ip", "ip6", "eb")
OPERATOR = """[iptables]
-A FORWARD -p udp --dport 53 -j DROP
[ip6tables]
-A FORWARD -p udp --dport 53 -j DROP
[ebtables]
-A FORWARD -p ARP -j DROP
"""


@pytest.fixture(scope="module")
def lab():
    with Switch() as switch:
        yield Lab(switch)


@pytest.fixture
def acl(lab, policy):
    """Runs tapgate-acl in a switch without rules."""
    yield lambda *options: run_acl(lab.switch.ns, policy, *options)
    lab.switch.ns.nft("flush ruleset")


def ruleset(lab):
    return lab.switch.ns.run("nft", "list", "ruleset").stdout


# Usage.


def test_no_action_is_wrong_usage(acl):
    done = acl()
    assert done.returncode == 2
    assert "one of the arguments -i/--install -F/--flush -Z/--zero-counters -L/--list -V/--version is required" \
        in done.stderr


@pytest.mark.parametrize("options", [["-i", "-L", "all"], ["-i", "--nosuch"], ["-L"], ["-L", "nosuch"], ["-i", "word"],
                                     ["-p"], ["-F"], ["-L", "all", "-n"], ["-i", "-p", "a", "-P", "b"]])
def test_wrong_usage_is_exit_2_and_changes_nothing(lab, acl, options):
    before = ruleset(lab)
    done = acl(*options)
    assert done.returncode == 2 and "usage:" in done.stderr
    assert ruleset(lab) == before


def test_version_and_help(acl):
    assert re.match(r"tapgate-acl \d+\.\d+", acl("-V").stdout)
    text = acl("-h")
    assert text.returncode == 0
    for option in ("-i", "-F", "-Z", "-L", "-V", "-p", "-P", "-n", "-N", "-v", "-x", "-S", "--save", "--json", "--last-good",
                   "--strict"):
        assert option in text.stdout, option


# Installing.


def test_install_filters_and_says_what_it_reads(lab, policy, acl):
    policy.write("10a.rules", OPERATOR)
    done = acl("-i")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Reading rule file {policy.path('10a.rules')}" in done.stdout and "done." in done.stdout
    for family in (4, 6):
        assert not lab.passes(ROUTED, family, Packet(dport=53))
        assert lab.passes(ROUTED, family, Packet(dport=54))


def test_install_is_not_additive(lab, policy, acl):
    policy.write("10a.rules", OPERATOR)
    acl("-i")
    policy.remove("10a.rules")
    assert acl("-i").returncode == 0
    assert lab.passes(ROUTED, 4, Packet(dport=53))


def test_install_twice_changes_nothing(lab, policy, acl):
    policy.write("10a.rules", OPERATOR)
    acl("-i")
    lab.passes(ROUTED, 4, Packet(dport=53))
    before = ruleset(lab)
    assert acl("-i").returncode == 0
    assert ruleset(lab) == before, "not even a counter"


def test_dry_run_changes_nothing(lab, policy, acl):
    policy.write("10a.rules", OPERATOR)
    before = ruleset(lab)
    done = acl("-i", "-n")
    assert done.returncode == 0
    assert ruleset(lab) == before


def test_a_policy_error_is_exit_1_and_names_all(lab, policy, acl):
    policy.write("10a.rules", OPERATOR)
    acl("-i")
    before = ruleset(lab)
    policy.write("20b.rules", "[iptables]\n-A FORWARD --nosuch1 -j DROP\n-A FORWARD -j ACCEPT\n\n-A NOSUCH -j DROP\n")
    policy.write("30c.rules", "-A FORWARD -j DROP\n")
    for options in (["-i"], ["-i", "-n"]):
        done = acl(*options)
        assert done.returncode == 1
        starts = [line.rsplit(": ", 2)[0].split(": ")[0] for line in done.stderr.splitlines()]
        assert starts[:3] == [f"{policy.path('20b.rules')}:2", f"{policy.path('20b.rules')}:5",
                              f"{policy.path('30c.rules')}:1"], done.stderr
        assert done.stderr.splitlines()[0].endswith(": -A FORWARD --nosuch1 -j DROP")
        assert ruleset(lab) == before


def test_what_the_kernel_refuses_is_exit_3_and_rolled_back(lab, policy, acl):
    """A table of another owner is what the kernel does not let us write to."""
    holder = lab.switch.ns.popen("nft", "-i", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        holder.stdin.write("add table inet tapgate { flags owner; }\n")
        holder.stdin.flush()
        wait_until(lambda: "tapgate" in ruleset(lab), "the table of the other owner")
        policy.write("10a.rules", OPERATOR)
        before = ruleset(lab)
        done = acl("-i")
        assert done.returncode == 3, done
        assert done.stderr
        assert ruleset(lab) == before
    finally:
        holder.kill()
        holder.communicate()


def test_only_one_file_is_installed_and_the_loss_is_named(lab, policy, acl):
    policy.write("10a.rules", OPERATOR)
    acl("-i")
    other = os.path.join(policy.base, "other.txt")
    with open(other, "w") as file:
        file.write("[iptables]\n-A FORWARD -p udp --dport 99 -j DROP\n")
    done = acl("-i", "-p", other)
    assert done.returncode == 0 and f"Using user provided rule file {other}" in done.stdout
    assert "warning" in done.stderr and "10a" in done.stderr
    assert lab.passes(ROUTED, 4, Packet(dport=53)) and not lab.passes(ROUTED, 4, Packet(dport=99))


def test_only_one_directory_is_installed_whatever_the_suffixes(lab, policy, acl):
    directory = os.path.join(policy.base, "rules")
    os.mkdir(directory)
    for name, port in (("01_http_rules.txt", 80), ("02.rules", 81), (".hidden", 82), ("03.rules~", 83),
                       ("04.rules.dpkg-old", 84)):
        with open(os.path.join(directory, name), "w") as file:
            file.write(f"[iptables]\n-A FORWARD -p udp --dport {port} -j DROP\n")
    assert acl("-i", "-P", directory).returncode == 0
    passed = [seen is not None for seen in lab.send(ROUTED, 4, *(Packet(dport=port) for port in range(80, 85)))]
    assert passed == [False, False, True, True, True]


def test_missing_files_are_named(policy, acl):
    done = acl("-i", "-p", "sample_count.rules")
    assert done.returncode == 1 and "Cannot find policy files: ['sample_count.rules']" in done.stderr
    done = acl("-i", "-P", "/nosuch/directory")
    assert done.returncode == 1 and "Cannot find policy dir /nosuch/directory" in done.stderr


def test_last_good_brings_back_what_went_in(lab, policy, acl):
    policy.write("10a.rules", OPERATOR)
    assert acl("-i").returncode == 0
    policy.write("10a.rules", "[iptables]\n-A FORWARD -j NOSUCH\n")
    assert acl("-i").returncode == 1
    lab.switch.ns.nft("flush ruleset")  # as after a boot
    assert lab.passes(ROUTED, 4, Packet(dport=53))
    assert acl("-i", "--last-good").returncode == 0
    assert not lab.passes(ROUTED, 4, Packet(dport=53))


def test_strict_refuses_what_a_cumulus_switch_would_not_take(policy, acl):
    policy.write("10a.rules", "[iptables]\n-A FORWARD ! -s 10.0.0.1 -j DROP\n-A FORWARD -p tcp -j DROP\n")
    assert acl("-i", "-n").returncode == 0
    done = acl("-i", "-n", "--strict")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{policy.path('10a.rules')}:2:")


def test_strict_checks_for_a_switch_without_kernel_and_without_root(policy):
    """As an unprivileged user on some other machine."""
    program = shutil.copy(acl_program(), policy.base)  # from where that user can read it
    policy.write("10a.rules", "[iptables]\n-A FORWARD -i swp1 -p tcp --dport 1:2 -j DROP\n"
                              "-A FORWARD -o swp1 -p tcp --dport 1:2 -j DROP\n-A FORWARD -j LOG\n")
    policy.write("20b.rules", "[ebtables]\n-A FORWARD -p LENGTH -j DROP\n")

    def check(*options):
        return subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", program, "-c", policy.server_conf, "-i", "-n",
                               "--strict", *options], text=True, capture_output=True)

    done = check()
    assert done.returncode == 1
    assert [line.split(": strict: ")[0] for line in done.stderr.splitlines()] == [
        f"{policy.path('10a.rules')}:3", f"{policy.path('10a.rules')}:4", f"{policy.path('20b.rules')}:2"], done.stderr
    policy.remove("20b.rules")
    policy.write("10a.rules", "[iptables]\n" + "".join(f"-A FORWARD -i swp1 -s 10.0.{n // 250}.{n % 250} -j DROP\n"
                                                       for n in range(600)))
    done = check("-P", policy.directory)
    assert (done.returncode, done.stderr) == (0, "")
    assert "600 entries of ingress for IPv4" in done.stdout
    assert "No room on: Tomahawk" in done.stdout and "Spectrum-2" not in done.stdout
    policy.write("10a.rules", "[iptables]\n-A FORWARD -s $ALL -j DROP\n".replace("$ALL", ",".join(
        f"10.{n // 250}.{n % 250}.1" for n in range(900))) * 14)
    done = check("-p", policy.path("10a.rules"))
    assert done.returncode == 1 and done.stderr.endswith("no known switch has room for so many rules\n"), done


# Listing, zeroing, flushing.


def test_list_shows_banners_tables_chains_and_rules(lab, policy, acl):
    policy.write("10a.rules", OPERATOR)
    acl("-i")
    text = acl("-L", "all", "-S").stdout
    for banner in ("iptables", "ip6tables", "ebtables"):
        assert f"Listing rules of type {banner}:" in text
    assert "TABLE filter :" in text and "Chain FORWARD" in text
    rules = [line.split(None, 2) for line in text.splitlines() if " -A " in line]
    assert rules == [["0", "0", "-A FORWARD -p udp -m udp --dport 53 -j DROP"]] * 2 + [
        ["0", "0", "-A FORWARD -p ARP -j DROP"]]
    for kind, present, absent in (("ip", "iptables", "ebtables"), ("eb", "ebtables", "ip6tables")):
        text = acl("-L", kind, "-S").stdout
        assert f"type {present}:" in text and f"type {absent}:" not in text


def test_counters_count_and_are_zeroed_by_kind(lab, policy, acl):
    policy.write("10a.rules", OPERATOR)
    acl("-i")
    for family in (4, 6):
        lab.send(ROUTED, family, *(Packet(dport=53) for _ in range(1200)))

    def counts():
        text = {kind: acl("-L", kind, "-S", "-x").stdout for kind in ("ip", "ip6")}
        return [int(line.split()[0]) for kind in ("ip", "ip6") for line in text[kind].splitlines() if "--dport 53" in line]

    assert counts() == [1200, 1200]
    assert acl("-Z", "ip6").returncode == 0
    assert counts() == [1200, 0]
    assert acl("-Z", "all").returncode == 0
    assert counts() == [0, 0]
    assert not lab.passes(ROUTED, 4, Packet(dport=53)), "still filtered"


def test_a_rule_of_two_places_is_listed_once_with_both_counted(lab, policy, acl):
    policy.write("10a.rules", "[iptables]\n-A FORWARD -p udp --dport 53 -j DROP\n")
    acl("-i")
    lab.send(ROUTED, 4, *(Packet(dport=53) for _ in range(3)))
    lab.send(BRIDGED, 4, *(Packet(dport=53) for _ in range(4)))
    (line,) = [line for line in acl("-L", "ip", "-S", "-x").stdout.splitlines() if "--dport 53" in line]
    assert int(line.split()[0]) == 7


def test_each_file_is_named_once_also_when_all_have_to_be_compiled_again(policy, acl):
    policy.write("10a.rules", OPERATOR)
    policy.write("20b.rules", "[iptables]\n-A FORWARD -o swp4 -p udp --dport 54 -j DROP\n")
    assert re.findall(r"^Reading .*/(.*) \.\.\.$", acl("-i").stdout, re.M) == ["10a.rules", "20b.rules"]


def test_rules_that_read_the_same_stay_two_when_they_are_zeroed(lab, policy, acl):
    same, other = "-A FORWARD -i swp3 -p udp", "-A FORWARD -p tcp -j DROP"
    policy.write("10a.rules", "\n".join(["[iptables]", same, other, same, ""]))
    acl("-i")
    assert acl("-Z", "all").returncode == 0
    lab.send(ROUTED, 4, *(Packet(dport=53) for _ in range(3)))
    assert re.findall(r"^ *(\d+) +\d+ (.*)  # (.*)", acl("-L", "ip", "-S", "-x", "-v").stdout, re.M) == [
        ("3", same, "10a:2"), ("0", other, "10a:3"), ("3", same, "10a:4")]


def test_flush_removes_one_kind(lab, policy, acl):
    policy.write("10a.rules", OPERATOR)
    acl("-i")
    assert acl("-F", "ip").returncode == 0
    assert lab.passes(ROUTED, 4, Packet(dport=53)) and not lab.passes(ROUTED, 6, Packet(dport=53))
    assert acl("-F", "all").returncode == 0
    assert lab.passes(ROUTED, 6, Packet(dport=53))
    assert acl("-i").returncode == 0
    assert not lab.passes(ROUTED, 4, Packet(dport=53)), "the next install brings it back"


def test_flush_of_everything_leaves_nothing_in_the_kernel(lab, policy, acl):
    policy.write("10a.rules", OPERATOR + "[iptables]\n-A INPUT -i swp1 -s 192.0.2.1 -j DROP\n"
                 "-A FORWARD -o swp2 -s 192.0.2.1 -j DROP\n")
    assert acl("-i").returncode == 0
    assert "table bridge tapgate_ports" in ruleset(lab) and "table inet tapgate_ports" in ruleset(lab)
    assert acl("-F", "all").returncode == 0
    assert ruleset(lab) == ""


# Beside a server.


def test_tool_and_server_share_the_kernel(lab):
    policy = Policy()
    server = Server(lab.switch.ns, policy)
    try:
        server.start()
        client = server.client()
        client.install("a", ["[iptables]", "-A FORWARD -p udp --dport 101 -j DROP"])

        def dropped(*ports):
            results = lab.send(ROUTED, 4, *(Packet(dport=port) for port in ports))
            return [port for port, seen in zip(ports, results) if seen is None]

        assert "--dport 101" in run_acl(lab.switch.ns, policy, "-L", "ip", "-S").stdout
        policy.write("10a.rules", OPERATOR)
        assert run_acl(lab.switch.ns, policy, "-i").returncode == 0
        assert dropped(53, 101, 102) == [53, 101]
        # The server must notice that somebody else changed the kernel.
        client.install("b", ["[iptables]", "-A FORWARD -p udp --dport 102 -j DROP"])
        assert dropped(53, 101, 102) == [53, 101, 102]
        assert run_acl(lab.switch.ns, policy, "-F", "all").returncode == 0
        assert dropped(53, 101, 102) == []
        client.install("c", ["[iptables]", "-A FORWARD -p udp --dport 103 -j DROP"])
        assert dropped(53, 101, 102, 103) == [53, 101, 102, 103]
        server.stop()
    finally:
        server.end()
        policy.close()
        lab.switch.ns.nft("flush ruleset")
