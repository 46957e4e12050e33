"""DNS servers for tests: the real dnsmasq, and one that says whatever a test wants."""

import os
import shutil
import socket
import struct
import subprocess
import threading

from wait import wait_until

A, CNAME, TXT, AAAA, SRV = 1, 5, 16, 28, 33
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
SERVICE = "_sflow._udp"


class Dnsmasq:
    """dnsmasq on 127.0.0.1 in a namespace, authoritative for what its configuration lines say."""

    def __init__(self, ns, directory, lines):
        self.ns, self.config = ns, os.path.join(directory, "dnsmasq.conf")
        self.process = None
        self.serve(lines)

    @staticmethod
    def missing():
        return None if shutil.which("dnsmasq") else "dnsmasq is not installed"

    def serve(self, lines):
        """Replace what it says."""
        self.close()
        base = ["no-resolv", "no-hosts", "bind-interfaces", "listen-address=127.0.0.1", "user=root", "pid-file=",
                "local=/example.com/", "local=/example.org/"]
        with open(self.config, "w", encoding="ascii") as file:
            file.write("\n".join(base + list(lines)) + "\n")
        self.process = self.ns.popen("dnsmasq", "--keep-in-foreground", f"--conf-file={self.config}",
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_until(self._answers, "dnsmasq answers")

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"dnsmasq ended: {self.process.stderr.read()}")
        sock = self.ns.call(socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
        with sock:
            sock.settimeout(0.2)
            sock.connect(("127.0.0.1", 53))
            try:
                sock.send(query("example.com", A))
                sock.recv(512)
            except (ConnectionRefusedError, TimeoutError):
                return False
        return True

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stderr.close()
            self.process = None


def encode_name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def query(name, qtype):
    return struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + encode_name(name) + struct.pack("!2H", qtype, 1)


def record(name, rtype, ttl, rdata):
    """A resource record; name as text, or as bytes already encoded."""
    owner = name if isinstance(name, bytes) else encode_name(name)
    return owner + struct.pack("!2HIH", rtype, 1, ttl, len(rdata)) + rdata


def srv(name, ttl, priority, weight, port, target):
    target = target if isinstance(target, bytes) else encode_name(target)
    return record(name, SRV, ttl, struct.pack("!3H", priority, weight, port) + target)


def txt(name, ttl, *strings):
    return record(name, TXT, ttl, b"".join(bytes([len(s)]) + s.encode() for s in strings))


def a(name, ttl, address):
    return record(name, A, ttl, socket.inet_aton(address))


def aaaa(name, ttl, address):
    return record(name, AAAA, ttl, socket.inet_pton(socket.AF_INET6, address))


class Question:
    """What was asked, and ways to answer."""

    def __init__(self, data, tcp):
        self.data, self.tcp = data, tcp
        self.id = struct.unpack_from("!H", data)[0]
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        self.name = ".".join(labels).lower()
        self.type = struct.unpack_from("!H", data, at + 1)[0]
        self.section = data[12:at + 5]

    def answer(self, *records, rcode=NOERROR, truncated=False, count=None):
        flags = 0x8580 | rcode | (0x0200 if truncated else 0)
        counts = (1, len(records) if count is None else count, 0, 0)
        return struct.pack("!6H", self.id, flags, *counts) + self.section + b"".join(records)


class FakeDns:
    """A server on 127.0.0.1 (UDP and TCP) in a namespace; self.handler(question) gives the bytes to send, or None.

    asked: list of (name, type, tcp) of all questions so far.
    """

    def __init__(self, ns, handler):
        self.handler, self.asked = handler, []
        self.udp = ns.call(socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp = ns.call(socket.socket, socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for sock in (self.udp, self.tcp):
            sock.bind(("127.0.0.1", 53))
        self.tcp.listen()
        self.threads = [threading.Thread(target=target, daemon=True) for target in (self._serve_udp, self._serve_tcp)]
        for thread in self.threads:
            thread.start()

    def _handle(self, data, tcp):
        question = Question(data, tcp)
        self.asked.append((question.name, question.type, tcp))
        return self.handler(question)

    def _serve_udp(self):
        while True:
            try:
                data, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            if not data:
                return
            reply = self._handle(data, False)
            if reply is not None:
                self.udp.sendto(reply, peer)

    def _serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                while len(head := stream.read(2)) == 2:
                    reply = self._handle(stream.read(struct.unpack("!H", head)[0]), True)
                    if reply is not None:
                        connection.sendall(struct.pack("!H", len(reply)) + reply)

    def close(self):
        """A socket that a thread waits on does not wake it by being closed; shutting it down does."""
        for sock in (self.udp, self.tcp):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # an unconnected UDP socket says so, and wakes its reader all the same
        for thread in self.threads:
            thread.join()
        self.udp.close()
        self.tcp.close()


class Zone:
    """Records by (name, type), as a handler for FakeDns; missing names are NXDOMAIN, missing types NODATA."""

    def __init__(self, *records):
        self.records = {}
        for name, rtype, data in records:
            self.records.setdefault((name, rtype), []).append(data)

    def __call__(self, question):
        records = self.records.get((question.name, question.type), [])
        known = any(name == question.name for name, _ in self.records)
        return question.answer(*records, rcode=NOERROR if known else NXDOMAIN)


def zone(ttl=0, collectors=(("c1", "192.0.2.1"),), strings=("txtvers=1", "polling=20"), domain="example.com"):
    """An ordinary zone: a SRV record and an address per collector, and one TXT record unless strings is None."""
    service = f"{SERVICE}.{domain}"
    records = []
    for host, address in collectors:
        name = f"{host}.{domain}"
        records.append((service, SRV, srv(service, ttl, 0, 0, 6343, name)))
        if address and ":" in address:
            records.append((name, AAAA, aaaa(name, ttl, address)))
        elif address:
            records.append((name, A, a(name, ttl, address)))
    if strings is not None:
        records.append((service, TXT, txt(service, ttl, *strings)))
    return Zone(*records)
