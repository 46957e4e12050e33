"""The golden datagrams read by our decoder, which must find fault with every damaged one, and by tshark."""

import glob
import os
import shutil
import struct
import subprocess

import pytest

import sflow

pytestmark = pytest.mark.unprivileged

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden")
NAMES = sorted(os.path.splitext(os.path.basename(path))[0] for path in glob.glob(os.path.join(GOLDEN, "*.hex"))
               if os.path.exists(path[:-len("hex")] + "values"))

# Records in the reverse order of Host sFlow agents.
REVERSED = "counters_host_port"


def golden(name):
    return sflow.read_hex(os.path.join(GOLDEN, name + ".hex"))


def decode(name, payload=None):
    return sflow.decode(golden(name) if payload is None else payload, strict_order=name != REVERSED)


def expected_fields(name):
    """(name, text) of every field in the file of values, in wire order."""
    with open(os.path.join(GOLDEN, name + ".values"), encoding="utf-8") as file:
        return [tuple(line.strip().split(" = ", 1)) for line in file if " = " in line]


def text_of(field, value):
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, float):
        return f"{value:g}"
    texts = ("hostname", "os_release", "name", "group", "trap", "reason", "symbol")
    return f'"{value}"' if isinstance(value, str) and field in texts else str(value)


def traced_fields(name):
    """The same, as our decoder sees them."""
    fields = []
    sflow.decode(
        golden(name),
        trace=lambda start, end, field, value: fields.append((field, value)),
        strict_order=name != REVERSED,
    )
    fields = [(field.removesuffix(" count") if field == "records count" else field, value) for field, value in fields]
    return [(field, text_of(field, value)) for field, value in fields if field not in ("sample tag", "record tag")]


def test_there_are_as_many_golden_datagrams_as_in_the_standard_set():
    assert len(NAMES) == 7


@pytest.mark.parametrize("name", NAMES)
def test_every_field_has_the_listed_value(name):
    assert traced_fields(name) == expected_fields(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_byte_belongs_to_one_field_or_is_padding(name):
    spans = []
    sflow.decode(golden(name), trace=lambda *field: spans.append(field[:2]), strict_order=name != REVERSED)
    ends = [0] + [end for _, end in spans]
    assert [start for start, _ in spans] == ends[:-1]
    assert ends[-1] == len(golden(name))


@pytest.mark.parametrize("name", NAMES)
def test_any_shorter_datagram_is_refused(name):
    payload = golden(name)
    for length in range(len(payload)):
        with pytest.raises(sflow.SflowError):
            decode(name, payload[:length])


@pytest.mark.parametrize("name", NAMES)
def test_bytes_behind_the_last_sample_are_refused(name):
    with pytest.raises(sflow.SflowError, match="4 bytes behind the last sample"):
        decode(name, golden(name) + bytes(4))


def spans_of(name, *fields):
    spans = []
    sflow.decode(
        golden(name),
        trace=lambda start, end, field, value: spans.append((start, end, field)),
        strict_order=name != REVERSED,
    )
    return [(start, end) for start, end, field in spans if field in fields]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", (-4, -1, 1, 4))
def test_a_length_or_count_that_is_off_is_refused(name, change):
    payload = golden(name)
    words = spans_of(name, "sample length", "record length", "samples", "records count")
    assert len(words) >= 4
    for start, end in words:
        value = int.from_bytes(payload[start:end], "big") + change
        if value < 0:
            continue
        with pytest.raises(sflow.SflowError):
            decode(name, payload[:start] + struct.pack("!I", value) + payload[end:])


@pytest.mark.parametrize(
    "name, at, reason",
    [
        ("discard", 0x9A, "padding"),  # behind the header of 62 bytes
        ("counters_port", 0x11D, "padding"),  # behind the port name
        ("counters_port", 0xDA, "padding"),  # behind a MAC address
        ("flow_sample", 0x03, "version"),
        ("flow_sample", 0x07, "address type"),
        ("flow_sample", 0x1F, "unknown sample type"),
        ("flow_sample", 0x47, "unknown flow record"),
        ("flow_sample", 0x4F, "sampled_header.protocol"),
        ("flow_sample", 0x28, "data source class"),
        ("flow_sample", 0x38, "interface format"),
        ("discard", 0x3D, "reason code"),
        ("counters_port", 0x4B, "if_counters.ifDirection"),
        ("counters_port", 0x4F, "if_counters.ifStatus"),
        ("counters_port", 0x3B, "ifIndex differs"),
        ("flow_expanded", 0xF2, "extended_switch.src_vlan"),
    ],
)
def test_a_wrong_byte_is_found_and_named(name, at, reason):
    payload = bytearray(golden(name))
    payload[at] = 0xF0
    with pytest.raises(sflow.SflowError, match=reason):
        decode(name, bytes(payload))


def test_header_longer_than_the_frame_is_refused():
    payload = bytearray(golden("flow_sample"))
    payload[0x50:0x54] = struct.pack("!I", 100)
    with pytest.raises(sflow.SflowError, match="header of 128 bytes in a frame that has 96"):
        sflow.decode(bytes(payload))


def test_reverse_order_is_refused_unless_asked_for():
    with pytest.raises(sflow.SflowError, match="generic counters"):
        sflow.decode(golden(REVERSED))


def test_compact_and_expanded_samples_may_not_be_mixed():
    first, second = golden("flow_sample"), golden("counters_expanded")
    payload = bytearray(first + second[28:])
    payload[0x18:0x1C] = struct.pack("!I", 2)
    with pytest.raises(sflow.SflowError, match="mixed"):
        sflow.decode(bytes(payload))


def test_summary_names_both_ends_of_a_sampled_packet():
    sample = decode("flow_sample")["samples"][0]
    header = sflow.find_record(sample, "sampled_header")
    assert sflow.summary(header) == "10.100.10.151:39533 > 10.100.20.150:5001 tcp"
    assert (sample["input"], sample["output"]) == ("7", "10")


def test_command_prints_files_as_a_table():
    command = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sflow.py")
    done = subprocess.run(
        ["python3", command, os.path.join(GOLDEN, "discard.hex")], capture_output=True, text=True, check=True
    )
    assert "no_buffer_space: 10.100.10.151:39533 > 10.100.20.150:5001 tcp 1518 B" in done.stdout


def pcap(payload):
    """One UDP packet to port 6343 in a classic capture file of raw IP packets."""
    udp = struct.pack("!HHHH", 6343, 6343, 8 + len(payload), 0) + payload
    source, target = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, source, target)
    packet = ip + udp
    return struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + struct.pack(
        "=IIII", 0, 0, len(packet), len(packet)
    ) + packet


def tshark(payload, path):
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    path.write_bytes(pcap(payload))
    done = subprocess.run(
        ["tshark", "-n", "-V", "-O", "sflow", "-r", str(path)], capture_output=True, text=True, check=True
    )
    return [line.strip() for line in done.stdout.splitlines()]


# What TShark 4.0 knows of them; it loses the rest of a sample at the first record that it does not know.
TSHARK = {
    "flow_sample": [
        "Agent address: 10.0.0.233",
        "Sub-agent ID: 100000",
        "Sequence number: 340132",
        "SysUptime: 4 hours, 51 minutes, 19 seconds (17479000ms)",
        "Flow sample, seq 1022129",
        "Sampling rate: 1 out of 128 packets",
        "Sample pool: 130832512 total packets",
        "Input interface (ifIndex): 7",
        "..00 0000 0000 0000 0000 0000 0000 1010 = Output interface value: 10",
        "Header protocol: Ethernet (1)",
        "Frame Length: 1518",
        "Payload stripped: 4",
        "Sampled header length: 128",
        "Internet Protocol Version 4, Src: 10.100.10.151, Dst: 10.100.20.150",
    ],
    "flow_expanded": [
        "Expanded flow sample, seq 1",
        "Source ID index: 16777260",
        "Incoming 802.1Q VLAN: 10",
        "Outgoing 802.1Q VLAN: 20",
        "Outgoing 802.1p priority: 3",
        "Next hop: 10.100.20.1",
        "Next hop source mask: 24",
        "AS Router: 64512",
        "AS Source: 64513",
        "AS Peer: 64514",
        "localpref: 200",
    ],
    "counters_port": [
        "Counters sample, seq 877",
        "Interface index: 44",
        "Interface Direction: Half-Duplex (2)",
        "Input Unknown Protocol Packets: 4294967295",
        "Alignment Errors: 1",
        "Symbol Errors: 13",
        "Port Attached Agg ID: 60",
        "LACPDUs Rx: 11",
        "LACPDUs Tx: 12",
    ],
    "counters_expanded": [
        "Expanded counters sample, seq 1",
        "Interface index: 16777260",
        "Interface Speed: 400000000000",
        "Interface Direction: Full-Duplex (1)",
        "Input Octets: 1099511627777",
        "Output Octets: 2199023255553",
        "Symbol Errors: 13",
        "LACPDUs Rx: 11",
    ],
    "host_ipv6": ["Agent address: 2001:db8::233", "Sequence number: 4", "NumSamples: 1"],
    "discard": ["Sequence number: 2", "NumSamples: 1"],
}


@pytest.mark.parametrize("name", TSHARK)
def test_tshark_reads_the_same(name, tmp_path):
    lines = tshark(golden(name), tmp_path / "one.pcap")
    missing = [wanted for wanted in TSHARK[name] if not any(line.endswith(wanted) for line in lines)]
    assert not missing, "\n".join(lines)


@pytest.mark.parametrize("name", ["flow_sample", "counters_port"])
def test_tshark_finds_nothing_malformed_where_it_knows_the_records(name, tmp_path):
    lines = tshark(golden(name), tmp_path / "one.pcap")
    assert not [line for line in lines if "Malformed" in line]
