"""A mail server on loopback: SMTP without TLS."""

from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

CUT = "CUT"


class MailServer:
    """`mails`: as they came. `refused`: recipients that get 550. `replies`: what is said instead, by command, such as `{"DATA": "451 later"}`;
    `TAKEN` is the answer to the mail itself; CUT closes the connection.
    """

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.refused: set[str] = set()
        self.replies: dict[str, str] = {}
        self._server = _Server(self)
        self.port: int = self._server.server_address[1]

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Server(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, mail: MailServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mail = mail


class _Handler(StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self._say("220 mail.example ready")
        while line := self.rfile.readline().decode().strip():
            word = line.split(" ", 1)[0].split(":")[0].upper()
            reply = self.server.mail.replies.get(word) or self._answer(word, line)
            if not self._say(reply) or word == "QUIT":
                return
            if reply.startswith("354") and not self._take():
                return

    def _take(self) -> bool:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        self.server.mail.mails.append(b"".join(lines))
        return self._say(self.server.mail.replies.get("TAKEN", "250 taken"))

    def _answer(self, word: str, line: str) -> str:
        if word in ("DATA", "QUIT"):
            return {"DATA": "354 go on", "QUIT": "221 bye"}[word]
        if word == "RCPT" and any(address in line for address in self.server.mail.refused):
            return "550 no such mailbox"
        return "250 ok"

    def _say(self, line: str) -> bool:
        if line == CUT:
            return False
        self.wfile.write(f"{line}\r\n".encode())
        return True
