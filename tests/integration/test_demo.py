"""The second act of tests/demo and its picture: large flows are found in sFlow, marked, and let go.

The first act, with the same parts, is test_fastnetmon.py.
"""

import contextlib
import os
import sys
import xml.etree.ElementTree as xml

from programs import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))

# pylint: disable=wrong-import-position
import demo_elephant
import demo_lab
import demo_plot
from demo_story import Story

SVG = "{http://www.w3.org/2000/svg}"


def flood_record():
    """What the first act would have left behind."""
    events = {"attack": 2.0, "ban": 3.0, "put": 3.02, "last": 3.0215, "attack_end": 8.0, "unban": 10.0, "delete": 10.02}
    rows = [{"at_s": tenth / 10, "flood_pps": 50000 if 20 <= tenth <= 30 else 0, "neighbour_pps": 1000,
             "sampled_pps": 50000 if 25 <= tenth <= 85 else 0} for tenth in range(120)]
    return [{"at_s": at, "kind": kind, "text": kind} for kind, at in events.items()], rows


def test_large_flows_are_marked_while_they_last_and_small_ones_never(tmp_path):
    with contextlib.ExitStack() as stack:
        lab = demo_lab.Lab(stack)
        lab.start_server()
        story = Story()
        story.facts.update(flood_pps=50000, neighbour_pps=1000, elephant_mbps=100, controller="FastNetMon")
        lab.telemetry.start()
        lab.start_elephants()
        demo_elephant.act_elephant(story, lab)
        lab.server.stop()
        lab.telemetry.agent.stop()
    assert [result["what"] for result in story.results if not result["right"]] == []
    happened = sorted((event["at_s"], event["kind"]) for event in story.events)
    assert [kind for _, kind in happened] == [
        "elephant", "found", "mark_put", "marked", "elephant_end", "ended", "mark_delete"]
    more, story.series = flood_record()
    story.events += more
    story.write(tmp_path / "record")
    assert demo_plot.main([str(tmp_path / "record"), str(tmp_path / "svg")]) == 0
    tree = xml.parse(tmp_path / "svg")
    words = " ".join(text.text for text in tree.iter(f"{SVG}text"))
    for said in ("FastNetMon bans 1.0 s later", "PUT after 20 ms", "1.5 ms after that", "unban 2.0 s later",
                 "DELETE 20 ms after", "marked with DSCP 8", "none marked"):
        assert said in words, words
    # Two curves and the samples above, the elephant before and after its mark below; three of them and the halves filled.
    assert len(list(tree.iter(f"{SVG}path"))) == 9
