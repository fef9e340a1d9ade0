"""A TCP proxy on loopback that can stop forwarding without closing anything, as a cable that is pulled does."""

import selectors
import socket
import threading
from contextlib import suppress

from demo.clock import boot_ns


class Proxy:
    """Forwards to one address. While it is cut, no byte and no end of a connection gets through, in either
    direction.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._peers: dict[socket.socket, socket.socket] = {}
        # Held while bytes are moved, so that a cut is complete when cut() returns.
        self._lock = threading.Lock()
        self._is_cut = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    def cut(self) -> int:
        """Stop forwarding. Returns the steady clock (ns) at a time from which nothing got through."""
        with self._lock:
            self._is_cut = True
            return boot_ns()

    def heal(self) -> None:
        """Forward again. What was under way is reset: no connection survives such a cut here, though bytes of
        it might elsewhere.
        """
        with self._lock:
            for connection in list(self._peers):
                self._drop(connection)
            self._is_cut = False

    def close(self) -> None:
        self._closing = True
        self._thread.join(5)
        self.heal()
        self._listener.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._closing:
            ready = self._selector.select(timeout=0.05)
            with self._lock:
                if self._is_cut:
                    # Readable sockets stay readable: do not spin while the cut lasts.
                    ready = []
                for key, _ in ready:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif isinstance(key.fileobj, socket.socket):
                        self._forward(key.fileobj)
                cut = self._is_cut
            if cut:
                threading.Event().wait(0.01)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(self._target, timeout=1)
        except OSError:
            client.close()
            return
        for one, other in ((client, server), (server, client)):
            one.settimeout(1)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _forward(self, source: socket.socket) -> None:
        if source not in self._peers:
            return  # dropped with its peer, a moment ago
        try:
            chunk = source.recv(65536)
            if chunk:
                self._peers[source].sendall(chunk)
                return
        except OSError:
            pass  # a connection that breaks ends like one that is closed
        self._drop(source)

    def _drop(self, connection: socket.socket) -> None:
        for end in (connection, self._peers.get(connection)):
            if end is not None and self._peers.pop(end, None) is not None:
                with suppress(KeyError):
                    self._selector.unregister(end)
                end.close()
