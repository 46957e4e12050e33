"""The kernel's drop monitor, as any other program may use it: there is one for the whole machine. In the test machine,
and in its first network namespace."""

import socket
import struct

from genetlink import NETLINK_GENERIC, Listener, attributes, number

CONFIG, START, STOP, CONFIG_GET = 2, 3, 4, 6
ALERT_MODE, TRUNC_LEN, QUEUE_LEN, SW_DROPS, HW_DROPS = 1, 9, 11, 20, 21
SUMMARY, PACKETS = 0, 1
KERNEL_DEFAULT = (SUMMARY, 0, 1000)
_HEADER, _GENERIC = struct.Struct("=IHHII"), struct.Struct("=BBH")
_REQUEST, _ACK, _ERROR = 1, 4, 2


def _attribute(kind, data=b""):
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


class DropMonitor(Listener):
    """Another user of it. read() gives what it was told."""

    def __init__(self, ns):
        super().__init__(ns, "NET_DM", "events")
        self.requests = ns.call(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.requests.bind((0, 0))

    def _ask(self, command, payload=b"", flags=_ACK):
        """The error number, or the attributes of the answer."""
        body = _GENERIC.pack(command, 2, 0) + payload
        self.requests.send(_HEADER.pack(16 + len(body), self.family, _REQUEST | flags, 1, 0) + body)
        answer = self.requests.recv(65536)
        if _HEADER.unpack_from(answer)[1] == _ERROR:
            return -struct.unpack_from("=i", answer, 16)[0]
        return dict(attributes(answer[20:]))

    def config(self):
        """(alert mode, bytes of each packet, length of the queue)."""
        found = self._ask(CONFIG_GET, flags=0)
        return number(found[ALERT_MODE]), number(found[TRUNC_LEN]), number(found[QUEUE_LEN])

    def configure(self, mode, trunc, queue):
        return self._ask(CONFIG, _attribute(ALERT_MODE, bytes([mode])) + _attribute(TRUNC_LEN, struct.pack("=I", trunc))
                         + _attribute(QUEUE_LEN, struct.pack("=I", queue)))

    def start(self):
        return self._ask(START, _attribute(SW_DROPS))

    def stop(self):
        return self._ask(STOP, _attribute(SW_DROPS) + _attribute(HW_DROPS))

    def runs(self):
        """Whether anybody has it monitor anything: then it takes no configuration."""
        return self.configure(*self.config()) != 0

    def close(self):
        self.stop()
        self.configure(*KERNEL_DEFAULT)
        self.requests.close()
        super().close()
