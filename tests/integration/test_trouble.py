"""Trouble around the policy: what is missing, misplaced or changed by others must never look like success, nor cost a rule."""

import os
import signal

import pytest

from daemon import Policy, Server, run_acl
from programs import acl_program
from wait import wait_until

GOOD = ["[iptables]", "-A FORWARD -p udp --dport 77 -j DROP"]
OTHER = ["[iptables]", "-A FORWARD -p udp --dport 78 -j DROP"]


def ruleset(server):
    return server.ns.run("nft", "list", "ruleset").stdout


def listed(server, port):
    return f"--dport {port} " in run_acl(server.ns, server.policy, "-L", "ip", "-S").stdout


def test_a_policy_directory_that_is_away_is_an_error_and_keeps_the_rules(own_server):
    own_server.start()
    own_server.client().install("a", GOOD)
    directory = own_server.policy.directory
    os.rename(directory, directory + ".away")
    done = run_acl(own_server.ns, own_server.policy, "-i")
    assert done.returncode == 1 and "no such directory" in done.stderr, done
    assert listed(own_server, 77)
    os.rename(directory + ".away", directory)
    wait_until(own_server.serves, "the HTTP process found the directory again")
    own_server.client().install("b", OTHER)
    assert listed(own_server, 77) and listed(own_server, 78)


def test_a_directory_that_the_policy_does_not_include_is_an_error(own_server):
    with open(own_server.policy.conf, "w") as file:
        file.write("# nothing is included\n")
    own_server.start()
    reply = own_server.client().put("a", GOOD, wait=10)
    assert reply.status == 422 and b"does not include" in reply.body, reply


def test_a_second_server_in_the_same_namespace_takes_nothing_away(own_server):
    own_server.start()
    own_server.client().install("a", GOOD)
    policy = Policy()
    try:
        second = Server(own_server.ns, policy)
        process = second.ns.run(*second.command(), check=False)
        assert process.returncode == 1 and "another tapgate-aclserver runs" in process.stderr, process
        assert listed(own_server, 77)
    finally:
        policy.close()


def test_what_tapgate_acl_repaired_is_no_longer_reported(own_server):
    own_server.policy.write("20op.rules", "[iptables]\n-A FORWARD --bogus\n")
    own_server.start()
    client = own_server.client()
    assert client.put("a", GOOD, wait=10).status == 422
    assert client.get().warning
    own_server.policy.write("20op.rules", "[iptables]\n")
    assert run_acl(own_server.ns, own_server.policy, "-i").returncode == 0
    wait_until(lambda: client.get().warning is None, "the report is anew")
    assert client.get("lasterror").status == 204
    assert listed(own_server, 77)


def test_tables_that_somebody_flushed_come_back(own_server):
    own_server.start()
    own_server.client().install("a", GOOD)
    own_server.ns.nft("flush ruleset")
    wait_until(lambda: "tapgate" in ruleset(own_server), "installed again")
    assert listed(own_server, 77)


def test_what_tapgate_acl_flushed_stays_away_until_the_next_commit(own_server):
    own_server.start()
    client = own_server.client()
    client.install("a", GOOD)
    assert run_acl(own_server.ns, own_server.policy, "-F", "all").returncode == 0
    client.install("b", OTHER)
    assert listed(own_server, 77) and listed(own_server, 78)


@pytest.mark.parametrize("target,reason", [("/nonexistent", "points to nothing"), ("/", "not a regular file")])
def test_a_link_that_leads_nowhere_is_an_error(own_server, target, reason):
    os.symlink(target, own_server.policy.path("20link.rules"))
    done = run_acl(own_server.ns, own_server.policy, "-i")
    assert done.returncode == 1 and "20link.rules" in done.stderr and reason in done.stderr, done


def test_only_acls_count_of_what_the_http_process_writes(own_server):
    own_server.start()
    client = own_server.client()
    path = own_server.policy.path("00evil.rules")
    with open(path, "w") as file:
        file.write("[iptables]\n-A INPUT -j DROP\n")
    os.chown(path, 64123, 64123)
    client.put("a", GOOD, wait=10)
    assert listed(own_server, 77)
    assert "-A INPUT" not in run_acl(own_server.ns, own_server.policy, "-L", "ip", "-S").stdout
    assert any("00evil.rules" in line for line in client.get("lasterror").json()["lines"])


LOCKOUT = '199 - "line 2 drops requests to this server, or its answers"'


@pytest.mark.parametrize("rule", ["-A INPUT -j DROP", "-A INPUT -p tcp --dport 8080 -j DROP"])
def test_an_acl_that_cuts_off_its_own_server_is_installed_with_a_warning(own_server, rule):
    own_server.start()
    # What is answered before the commit is sure to arrive.
    os.kill(own_server.pid, signal.SIGSTOP)
    try:
        reply = own_server.client().put("out", ["[iptables]", rule], wait=20)
    finally:
        os.kill(own_server.pid, signal.SIGCONT)
    assert (reply.status, reply.headers.get_all("Warning")) == (202, [LOCKOUT])
    assert "Preference-Applied" not in reply.headers
    assert 'acl "out": line 2 drops requests' in own_server.log() and "remove 50rest-out.rules and run tapgate-acl -i" in own_server.log()
    wait_until(lambda: "-A INPUT" in run_acl(own_server.ns, own_server.policy, "-L", "ip", "-S").stdout, "installed")
    # As the log says.
    own_server.policy.remove("50rest-out.rules")
    assert run_acl(own_server.ns, own_server.policy, "-i").returncode == 0
    assert own_server.client().get().json() == []


def test_acls_for_the_switch_itself_are_no_reason_to_warn(own_server):
    own_server.start()
    client = own_server.client()
    for number, rules in enumerate((["-A INPUT -i swp1 -j DROP"], ["-A INPUT -i lo -j ACCEPT", "-A INPUT -j DROP"],
                                    ["-A INPUT -p tcp --dport 23 -j DROP"], ["-A INPUT -p tcp --dport telnet -j DROP"])):
        reply = client.put(f"acl{number}", ["[iptables]", *rules], wait=20)
        assert (reply.status, reply.warning) == (200, None), rules
    assert "drops requests" not in own_server.log()


def test_a_listing_that_cannot_be_written_is_an_error(own_server):
    done = own_server.ns.run("sh", "-c", '"$@" >/dev/full', "sh", acl_program(), "-c", own_server.policy.server_conf,
                             "-L", "all", "-S", check=False)
    assert done.returncode != 0 and "cannot write" in done.stderr
