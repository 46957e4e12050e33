"""The story that tests/demo tells: controllers that know only sFlow and REST stop a flood, and mark an elephant."""

import contextlib
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))

# pylint: disable=wrong-import-position
import demo_attack
import demo_elephant
from demo_lab import ELEPHANT_BPS, FLOOD_RATE, NEIGHBOUR_RATE, URL, Lab
from demo_sflow import RATE, ZONE
from demo_story import Story, bold, chapter, say
from peers import FastNetMon

BAD_RULE = "-A FORWARD -i swp1 -s 10.0.1.1/32 -p udp --dprt 53 -j DROP"
PICTURE = """
    attacker  10.0.1.1 ── swp1 ┐
                               ├─ switch ─ swp3 ── 10.0.3.3  victim
    neighbour 10.0.2.2 ── swp2 ┘    │
                                  eth0 ── 10.255.0.2  controller
"""


def introduce(lab):
    """The switch with its ACL server."""
    say(bold("\nTapgate: the switch tells what its traffic is, and a controller of your choice says what becomes of it"))
    say("\nA small switch, made of network namespaces on this machine:")
    say(PICTURE)
    say(bold(f"switch# tapgate-aclserver -c {lab.server.conf} &"))
    lab.start_server()
    say(f"It serves {URL}/ and has no ACL yet. Each of its clients has a token, and may do what stands here:\n")
    say("\n".join(f"    {name:<12} {scopes}" for name, scopes in lab.tokens.SCOPES.items()) + "\n")


def find_collectors(story, lab):
    """The agent."""
    say(bold("switch# tapgate-agent &"))
    took_s = lab.telemetry.start()
    say("It has no configuration. DNS tells it where to send, how often to sample and to poll:\n")
    say("\n".join(f"    {line}" for line in ZONE.splitlines()))
    say(bold("\nswitch# tapgate-agent status"))
    say(lab.telemetry.status())
    story.facts["agent_ready_s"] = round(took_s, 2)
    story.result(f"the agent found its collectors by DNS and was ready within {took_s:.1f} s", took_s < 10)


def introduce_controller(story, lab):
    """FastNetMon, or why it is not there."""
    lab.start_controller()
    lab.start_elephants()
    story.facts["controller"] = lab.controller.title
    if lab.controller.title == "FastNetMon":
        say(bold("\ncontroller# fastnetmon &"))
        say("FastNetMon as Debian has it, with aclserver/examples/fastnetmon.conf and, as its notify script,\n"
            "aclserver/examples/fastnetmon-notify, which turns a ban into a PUT and an unban into a DELETE.")
    else:
        say(f"\nThere is no FastNetMon ({FastNetMon.missing()}), so a small script stands in for it:")
        say(bold("controller$ big_flows.py " + " ".join(
            f"'{word}'" if " " in word else word for word in lab.controller.flows.options) + " &"))


def show_error(story, lab):
    """A wrong rule, and what its client is told."""
    chapter("A mistake")
    body = json.dumps(["[iptables]", BAD_RULE])
    say("A client that waits for the outcome is told the line and the reason:")
    say(bold(f"controller$ curl -X PUT {URL}/oops -H \"Authorization: Bearer $TOKEN\" -H 'Prefer: wait=5' \\\n"
             f"             -H 'Content-Type: application/json' \\\n             -d '{body}' | python3 -m json.tool"))
    answer, status = lab.curl("-X", "PUT", f"{URL}/oops", "-H", "Prefer: wait=5", "-H", "Content-Type: application/json",
                              "-d", body)
    say(f"HTTP {status}")
    say(json.dumps(json.loads(answer), indent=4, ensure_ascii=False))
    story.facts["error"] = json.loads(answer)
    story.result("a wrong rule was refused by line and reason", status == "422" and "--dprt" in answer)


def main(arguments):
    """Everything; 0 if all of it went as it should."""
    with contextlib.ExitStack() as stack:
        lab = Lab(stack)
        introduce(lab)
        story = Story()
        story.facts.update(flood_pps=FLOOD_RATE, neighbour_pps=NEIGHBOUR_RATE, sampling_rate=RATE,
                           elephant_mbps=ELEPHANT_BPS // 10**6)
        find_collectors(story, lab)
        introduce_controller(story, lab)
        demo_attack.act_attack(story, lab)
        demo_elephant.act_elephant(story, lab)
        show_error(story, lab)
    story.sum_up({**demo_attack.AFTER, **demo_elephant.AFTER})
    if arguments[:1] == ["--record"]:
        story.write(arguments[1])
    return 0 if story.all_right() else 1


if __name__ == "__main__":
    # Ended from outside, it cleans up as after ^C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nstopped")
