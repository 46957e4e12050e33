"""Programs of others that work with the agent and the server: FastNetMon, nfdump's sfcapd, Ganglia's gmond."""

import os
import re
import shutil
import socket
import subprocess
import time
import xml.etree.ElementTree as xml

from programs import ROOT, peer, tool
from wait import wait_until

EXAMPLES = os.path.join(ROOT, "aclserver", "examples")


def unread(ns, port):
    """Bytes that wait in the socket of a UDP port; None if nothing listens there."""
    def look():
        with open("/proc/thread-self/net/udp", encoding="ascii") as file:
            sockets = [line.split() for line in file.readlines()[1:]]
        return [int(words[4].split(":")[1], 16) for words in sockets if words[1].endswith(f":{port:04X}")]

    waiting = ns.call(look)
    return waiting[0] if waiting else None


class Peer:
    """A program of others that receives sFlow on a UDP port; name: of its program."""

    name = None

    def __init__(self, ns, directory, port):
        self.ns, self.directory, self.port = ns, str(directory), port
        self.log_path = self.file(f"{self.name}.log")
        self.process = None

    @classmethod
    def missing(cls):
        return None if peer(cls.name) else f"{cls.name} is neither installed nor below build-tests/peers"

    def file(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.file(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.file(name)

    def run(self, *argv, **kwargs):
        """Start it and wait until it listens."""
        with open(self.log_path, "ab") as log:
            self.process = self.ns.popen(*argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **kwargs)
        try:
            wait_until(self._listens, f"{self.name} listens")
        except AssertionError:
            self.close()
            raise
        return self

    def _listens(self):
        assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}:\n{self.log()}"
        return unread(self.ns, self.port) is not None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


class FastNetMon(Peer):
    """FastNetMon with the configuration and the script that are shipped as examples.

    url       where its script finds the ACL server
    curl      file of options for the curl of its script, or None
    networks  what it protects
    settings  what differs from the example's configuration
    """

    name = "fastnetmon"

    def __init__(self, ns, directory, url, networks, port=6343, *, curl=None, **settings):
        super().__init__(ns, directory, port)
        self.environment = {"TAPGATE_URL": url, **({"TAPGATE_CURL": curl} if curl else {})}
        script = shutil.copy(os.path.join(EXAMPLES, "fastnetmon-notify"), self.directory)
        self.settings = {
            "sflow_port": port, "networks_list_path": self.write("networks_list", "\n".join(networks) + "\n"),
            "white_list_path": self.write("networks_whitelist", ""), "notify_script_path": script,
            "cli_stats_file_path": self.file("stats"), "cli_stats_ipv6_file_path": self.file("stats6"), **settings}
        self.write("fastnetmon.conf", self.configuration())

    def configuration(self):
        """The example, its lines changed where they differ."""
        rest, lines = dict(self.settings), []
        with open(os.path.join(EXAMPLES, "fastnetmon.conf"), encoding="utf-8") as file:
            for line in file:
                key = line.split("=")[0].strip()
                lines.append(f"{key} = {rest.pop(key)}\n" if key in rest else line)
        return "".join(lines) + "".join(f"{key} = {value}\n" for key, value in rest.items())

    def start(self):
        return self.run(*self._away_from_logs(), peer(self.name), "--configuration_file", self.file("fastnetmon.conf"),
                        "--log_file", self.log_path, "--disable_pid_logic", env={**os.environ, **self.environment})

    @staticmethod
    def _away_from_logs():
        """It insists on some files in /var/log, where those of this machine are not its."""
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
            return ()  # a chroot that is no mount point; unless FastNetMon is installed there, it has no files there
        return "unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /var/log && exec "$@"', "sh"

    def events(self):
        """[(time.time(), "ban" or "unban", address, packets/s or None)] so far, from its log."""
        found = []
        for line in self.log().splitlines():
            if match := re.search(r"Attack with direction: \w+ IP: (\S+) Power: (\d+)$", line):
                kind, power = "ban", int(match[2])
            elif match := re.search(r"We will unban banned IP: (\S+) ", line):
                kind, power = "unban", None
            else:
                continue
            stamp = re.match(r"(\d+-\d+-\d+ \d+:\d+:\d+),(\d+) ", line)
            at = time.mktime(time.strptime(stamp[1], "%Y-%m-%d %H:%M:%S")) + int(stamp[2]) / 1000
            found.append((at, kind, match[1], power))
        return found


class Sfcapd(Peer):
    """nfdump's sFlow collector; its file is read when it has ended."""

    name = "sfcapd"

    def start(self):
        os.mkdir(self.file("flows"))
        return self.run(peer(self.name), "-p", str(self.port), "-w", self.file("flows"), "-t", "3600")

    def flows(self):
        """End it, so that it writes its file; what nfdump reads there: a dictionary per sample, by its column names."""
        wait_until(lambda: unread(self.ns, self.port) == 0, "sfcapd has read all")
        self.process.terminate()
        wait_until(lambda: self.process.poll() is not None, "sfcapd ended")
        done = subprocess.run([peer("nfdump"), "-R", self.file("flows"), "-o", "csv"], capture_output=True, text=True,
                              check=True)
        header, *lines = [line.split(",") for line in done.stdout.splitlines() if line.count(",") > 5]
        return [dict(zip(header, line)) for line in lines]


class Gmond(Peer):
    """Ganglia's monitor, which here hears sFlow only, and tells what it knows as XML."""

    name = "gmond"
    XML_PORT = 8649

    def start(self):
        self.write("gmond.conf", f"""
globals {{ daemonize = no setuid = no mute = yes deaf = no host_dmax = 0 gexec = no }}
cluster {{ name = "tapgate" }}
udp_recv_channel {{ port = {self.port} }}
tcp_accept_channel {{ port = {self.XML_PORT} }}
sflow {{ udp_port = {self.port} }}
""")
        return self.run(peer(self.name), "--conf", self.file("gmond.conf"),
                        env={**os.environ, "LD_PRELOAD": tool("libgmond_strings.so")})

    def hosts(self):
        """{host: {metric: value}} as it knows them now."""
        with self.ns.call(socket.create_connection, ("127.0.0.1", self.XML_PORT), 10) as sock, sock.makefile("rb") as file:
            tree = xml.fromstring(file.read())
        return {host.get("NAME"): {metric.get("NAME"): metric.get("VAL") for metric in host.iter("METRIC")}
                for host in tree.iter("HOST")}
