"""TCP traffic of the demo, by the kernels' own TCP: one large flow, and many small ones beside it."""

import socket
import threading
import time

from wait import let_pass

SO_MAX_PACING_RATE = 47
ELEPHANT_PORT, MOUSE_PORT = 5001, 80
MOUSE_BYTES, MOUSE_EVERY_S = 20000, 0.05


class Receiver:
    """Takes all that arrives at a port, and throws it away."""

    def __init__(self, host, port):
        self.socket = host.ns.call(socket.create_server, (host.ip4, port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._drain, args=(connection,), daemon=True).start()

    @staticmethod
    def _drain(connection):
        with connection:
            try:
                while connection.recv(1 << 18):
                    pass
            except OSError:
                pass  # the sender is gone, which is all that matters

    def close(self):
        # A thread that waits in accept() is not woken by close() alone.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class _Sender:
    """A thread that sends until stopped."""

    def __init__(self, source, target):
        self.source, self.target, self.stopped = source, target, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def connect(self, port):
        return self.source.ns.call(socket.create_connection, (self.target.ip4, port), 10)

    def _run(self):
        raise NotImplementedError

    def stop(self):
        """Returns when it sends no more."""
        self.stopped.set()
        self.thread.join()


class Elephant(_Sender):
    """One connection that sends as fast as it is allowed to."""

    def __init__(self, source, target, bits_per_s):
        self.rate = bits_per_s // 8
        super().__init__(source, target)

    def _run(self):
        with self.connect(ELEPHANT_PORT) as sock:
            sock.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, self.rate)
            # What waits in the socket would be sent after the end.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 17)
            block = bytes(1 << 15)
            while not self.stopped.is_set():
                sock.sendall(block)


class Mice(_Sender):
    """A short connection every now and then."""

    def _run(self):
        block = bytes(MOUSE_BYTES)
        while not self.stopped.is_set():
            began = time.monotonic()
            with self.connect(MOUSE_PORT) as sock:
                sock.sendall(block)
            let_pass(max(0.0, began + MOUSE_EVERY_S - time.monotonic()))
