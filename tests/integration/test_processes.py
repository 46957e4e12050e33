"""The two processes: what they may do, how they start, reload and stop, and what configuration they refuse."""

import os
import re
import socket

import pytest

from daemon import USER, is_alive
from programs import process_status
from rest import Rest
from wait import wait_until

GOOD = ["[iptables]", "-A FORWARD -p udp --dport 53 -j DROP"]


def capabilities(pid, name):
    return int(process_status(pid)[name], 16)


CAP_NET_ADMIN = 12


def test_the_http_process_can_do_nothing_but_serve(own_server):
    own_server.start()
    found = process_status(own_server.http_pid())
    assert found["Uid"].split() == [str(USER)] * 4 and found["Gid"].split() == [str(USER)] * 4
    assert found["Groups"] == ""
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(found[name], 16) == 0, name
    assert found["NoNewPrivs"] == "1" and found["Seccomp"] == "2"
    # Every thread of it.
    for thread in os.listdir(f"/proc/{own_server.http_pid()}/task"):
        found = process_status(f"{own_server.http_pid()}/task/{thread}")
        assert (int(found["CapEff"], 16), found["Seccomp"], found["NoNewPrivs"]) == (0, "2", "1")


def test_the_committer_may_change_the_kernel_and_listens_to_nobody(own_server):
    own_server.start()
    assert capabilities(own_server.pid, "CapEff") >> CAP_NET_ADMIN & 1
    sockets = listening_sockets(own_server.pid)
    assert sockets == [], "the committer speaks to nobody but the kernel and its child"


def listening_sockets(pid):
    """Inodes of TCP and UDP sockets that a process holds."""
    inodes = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        match = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{name}"))
        if match:
            inodes.add(match[1])
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        with open(f"/proc/{pid}/net/{table}") as file:
            found += [line.split()[9] for line in file.readlines()[1:] if line.split()[9] in inodes]
    return found


def test_the_http_process_holds_no_file_of_the_committer(own_server):
    own_server.start()
    targets = [os.readlink(f"/proc/{own_server.http_pid()}/fd/{fd}")
               for fd in os.listdir(f"/proc/{own_server.http_pid()}/fd")]
    assert not [target for target in targets if "inotify" in target or target.endswith((".lock", "/ns/net"))], targets


def test_the_http_process_is_restarted_and_nothing_is_lost(own_server):
    own_server.start()
    client = own_server.client()
    client.install("a", GOOD)
    old = own_server.http_pid()
    os.kill(old, 9)
    wait_until(lambda: own_server.http_pid() not in (old, None), "a new HTTP process")
    wait_until(own_server.serves, "it serves")
    assert client.get("a").json() == GOOD
    client.install("b", GOOD)


def test_the_http_process_ends_with_its_parent(own_server):
    own_server.start()
    child = own_server.http_pid()
    own_server.process.kill()
    own_server.process.wait()
    wait_until(lambda: not is_alive(child), "the HTTP process ended")


def test_sigterm_ends_both_and_rules_stay(own_server):
    own_server.start()
    own_server.client().install("a", GOOD)
    child = own_server.http_pid()
    before = own_server.ns.run("nft", "list", "ruleset").stdout
    own_server.stop()
    assert not is_alive(child)
    assert own_server.ns.run("nft", "list", "ruleset").stdout == before and "drop" in before


def test_the_policy_directory_is_made_as_it_must_be(own_server):
    os.rmdir(own_server.policy.directory)
    own_server.start()
    found = os.stat(own_server.policy.directory)
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (0, USER, 0o1775)
    own_server.client().install("a", GOOD)
    made = os.stat(own_server.policy.path("50rest-a.rules"))
    assert made.st_uid == USER


def test_the_http_process_cannot_remove_the_operators_files(own_server):
    own_server.policy.write("10operator.rules", "[iptables]\n")
    own_server.start()
    # What it would do, as it would do it: same user, same directory.
    done = own_server.ns.run("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "rm", "-f",
                             own_server.policy.path("10operator.rules"), check=False)
    assert done.returncode != 0 and "10operator.rules" in own_server.policy.names()


# Configuration.


def test_check_accepts_a_good_configuration(own_server):
    done = own_server.check_conf()
    assert (done.returncode, done.stderr) == (0, ""), done


WRONG_KEYS = {
    "unknown key": ("colour = red", "colour"), "no number": ("threads = many", "many"),
    "out of range": ("threads = 0", "0"), "no address": ("address = localhost!", "localhost!"),
    "low port": ("port = 80", "80"), "unknown back end": ("backend = magic", "magic"),
    "relative path": ("policy_dir = here", "here"), "no equals sign": ("threads 5", "threads 5"),
    "twice": ("threads = 5\nthreads = 6", "threads"),
}


@pytest.mark.parametrize("text,word", WRONG_KEYS.values(), ids=[name.replace(" ", "_") for name in WRONG_KEYS])
def test_a_bad_configuration_is_named_by_file_line_and_reason(own_server, text, word):
    with open(own_server.conf, "w") as file:
        file.write("# comment\n\n" + text + "\n")
    done = own_server.check_conf()
    assert done.returncode == 1
    line = 3 + text.count("\n")
    assert re.search(rf"{re.escape(own_server.conf)}:{line}: .*{re.escape(word)}", done.stderr), done.stderr
    started = own_server.ns.run(*own_server.command(), check=False)
    assert started.returncode == 1 and own_server.conf in started.stderr


def test_every_problem_of_a_configuration_is_reported(own_server):
    with open(own_server.conf, "w") as file:
        file.write("colour = red\nthreads = many\nbackend = magic\n")
    done = own_server.check_conf()
    assert done.returncode == 1
    for line in (1, 2, 3):
        assert f"{own_server.conf}:{line}: " in done.stderr


def test_a_missing_configuration_that_was_asked_for_is_an_error(own_server):
    os.unlink(own_server.conf)
    done = own_server.check_conf()
    assert done.returncode == 1 and own_server.conf in done.stderr


def test_wrong_usage_is_exit_2(own_server):
    for options in (["--nosuch"], ["word"], ["-c"]):
        done = own_server.ns.run(own_server.command()[0], *options, check=False)
        assert done.returncode == 2 and "Usage" in done.stderr, options


def test_an_address_that_others_reach_is_refused(own_server):
    for address in ("0.0.0.0", "192.0.2.1"):
        own_server.write_conf(address=address)
        done = own_server.check_conf()
        assert done.returncode == 1 and "authenticat" in done.stderr, done
        assert own_server.ns.run(*own_server.command(), check=False).returncode == 1


def test_an_address_that_others_reach_needs_plain_words(own_server):
    own_server.ns.ip("addr add 192.0.2.1/32 dev lo")
    own_server.write_conf(address="192.0.2.1", allow_unauthenticated_remote="yes")
    assert own_server.check_conf().returncode == 0
    own_server.spawn()
    wait_until(lambda: own_server.ns.run("curl", "-s", "http://192.0.2.1:8080/acl/", check=False).stdout == "[]",
               "it serves on that address")


def test_a_port_that_is_taken_ends_with_a_reason(own_server):
    holder = own_server.ns.call(socket.create_server, ("127.0.0.1", 8080))
    with holder:
        done = own_server.ns.run(*own_server.command(), check=False)
    assert done.returncode == 1 and "8080" in done.stderr, done


def test_reload_takes_over_a_limit_and_keeps_serving(own_server):
    own_server.start()
    client = own_server.client()
    client.install("a", GOOD)
    own_server.write_conf(max_lines=2)
    own_server.reload()
    wait_until(lambda: refuses_three_lines(own_server), "the new limit holds")
    assert client.get("a").json() == GOOD


def refuses_three_lines(server):
    client = Rest(server.ns)
    try:
        return client.put("b", ["#"] * 3).status != 202
    except OSError:
        return False
    finally:
        client.close()


def test_reload_with_a_bad_file_keeps_what_runs(own_server):
    own_server.start()
    own_server.client().install("a", GOOD)
    own_server.write_conf(threads="many")
    own_server.reload()
    wait_until(lambda: f"{own_server.conf}:" in own_server.log() and "kept" in own_server.log(), "it says so")
    assert own_server.client().get("a").json() == GOOD
    own_server.client().install("b", GOOD)


def test_reload_says_what_needs_a_restart(own_server):
    own_server.start()
    own_server.write_conf(policy_dir="/var/empty/elsewhere")
    own_server.reload()
    wait_until(lambda: "policy_dir" in own_server.log() and "restart" in own_server.log(), "it says so")
    own_server.client().install("a", GOOD)
