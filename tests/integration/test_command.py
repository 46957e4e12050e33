"""The back end "command": a commit is a run of cl-acltool, here a stand-in that does as the test tells it."""

import os
import time

import pytest

from wait import wait_until

GOOD = ["[iptables]", "-A FORWARD -p udp --dport 53 -j DROP"]


class StandIn:
    """A shell script that notes its arguments and the files it saw, and then runs the test's lines."""

    def __init__(self, base):
        self.path, self.log = os.path.join(base, "cl-acltool"), os.path.join(base, "runs")
        self.policy_directory = os.path.join(base, "policy.d")
        self.behave("exit 0")

    def behave(self, lines):
        with open(self.path + ".new", "w") as file:
            file.write(f"#!/bin/sh\necho \"$* |\" $(ls '{self.policy_directory}') >>'{self.log}'\n{lines}\n")
        os.chmod(self.path + ".new", 0o755)
        os.rename(self.path + ".new", self.path)

    def runs(self):
        try:
            with open(self.log) as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []


@pytest.fixture
def stand_in(own_server):
    made = StandIn(own_server.policy.base)
    own_server.write_conf(backend="command", command=made.path, command_timeout="1s")
    return made


def test_a_commit_runs_the_command(own_server, stand_in):
    own_server.start()
    own_server.client().install("a", GOOD)
    runs = stand_in.runs()
    assert runs and runs[-1] == "-i | 50rest-a.rules"
    assert "tapgate" not in own_server.ns.run("nft", "list", "ruleset").stdout


def test_auto_takes_the_command_where_it_exists(own_server, stand_in):
    own_server.write_conf(backend="auto")
    own_server.start()
    own_server.client().install("a", GOOD)
    assert stand_in.runs()
    own_server.stop()
    os.unlink(stand_in.path)
    before = len(stand_in.runs())
    own_server.start()
    own_server.client().install("b", GOOD)
    assert "tapgate" in own_server.ns.run("nft", "list", "ruleset").stdout
    assert len(stand_in.runs()) == before


def test_failure_and_output_become_lasterror(own_server, stand_in):
    own_server.start()
    client = own_server.client()
    stand_in.behave("echo 'error: hw sync failed (sync_acl hardware installation failed)'\n"
                    "echo 'Installing acl policy... Rolling back .. failed.' >&2\nexit 7")
    reply = client.put("a", GOOD, wait=30)
    assert reply.status == 422, reply
    content = client.get("lasterror").json()
    assert content["returncode"] == 7
    assert content["lines"] == [
        "error: hw sync failed (sync_acl hardware installation failed)", "Installing acl policy... Rolling back .. failed."]
    assert client.get().warning == '199 - "check lasterror"'
    stand_in.behave("exit 0")
    client.install("a", [*GOOD, "# changed"])
    assert client.get("lasterror").status == 204 and client.get().warning is None


def test_a_command_that_hangs_is_killed_with_all_it_started(own_server, stand_in):
    own_server.start()
    client = own_server.client()
    stand_in.behave("sleep 987 & echo started; wait")
    reply = client.put("a", GOOD, wait=30)
    assert reply.status == 422, reply
    assert client.get("lasterror").json()["returncode"] == 124
    lines = client.get("lasterror").json()["lines"]
    assert lines[0] == "started" and lines[1].endswith("killed: it did not end within 1000 ms"), lines
    wait_until(lambda: b"sleep\0987" not in command_lines(), "the command's child is gone, too")
    stand_in.behave("exit 0")
    client.install("b", GOOD)


def command_lines():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found.append(file.read())
        except OSError:
            pass
    return b"\n".join(found)


def test_a_command_that_crashes_is_reported(own_server, stand_in):
    own_server.start()
    client = own_server.client()
    stand_in.behave("kill -SEGV $$")
    assert client.put("a", GOOD, wait=30).status == 422
    assert client.get("lasterror").json()["returncode"] == 128 + 11
    stand_in.behave("exit 0")
    client.install("b", GOOD)


def test_a_command_that_cannot_be_run_is_reported(own_server, stand_in):
    own_server.start()
    client = own_server.client()
    os.chmod(stand_in.path, 0o644)
    assert client.put("a", GOOD, wait=30).status == 422
    content = client.get("lasterror").json()
    assert content["returncode"] == 127 and any("cl-acltool" in line for line in content["lines"])


def test_output_without_end_does_not_harm(own_server, stand_in):
    own_server.start()
    client = own_server.client()
    stand_in.behave("head -c 3000000 /dev/zero | tr '\\0' x; echo; exit 1")
    assert client.put("a", GOOD, wait=30).status == 422
    assert len(client.get("lasterror").body) < 1 << 20


def test_changes_that_come_during_a_run_share_the_next_one(own_server, stand_in):
    own_server.write_conf(command_timeout="60s")
    own_server.start()
    client = own_server.client()
    gate = os.path.join(own_server.policy.base, "gate")
    stand_in.behave(f"while [ ! -e '{gate}' ]; do sleep 0.01; done")
    before = len(stand_in.runs())
    client.put("first", GOOD)
    wait_until(lambda: len(stand_in.runs()) == before + 1, "the command runs")
    for number in range(20):
        start = time.monotonic()
        assert client.put(f"n{number}", GOOD).status == 202
        assert time.monotonic() - start < 1, "no PUT waits for the command"
    with open(gate, "w"):
        pass
    client.install("last", GOOD)
    # One for the first, one for all that came meanwhile, perhaps one for the last.
    assert len(stand_in.runs()) - before <= 3
