"""A mail server and a web server on this machine that keep what they are given."""

import http.server
import socketserver
import threading
from contextlib import contextmanager


class Smtp(socketserver.StreamRequestHandler):
    """As much of SMTP as one client needs."""

    def handle(self):
        self.send_line("220 ready")
        for line in self.rfile:
            verb = line.decode().strip().upper()
            if verb.startswith("DATA"):
                self.send_line("354 go on")
                self.server.mails.append(self.text())
            if verb.startswith("QUIT"):
                return self.send_line("221 bye")
            self.send_line("250 fine")

    def text(self):
        lines = iter(self.rfile.readline, b".\r\n")
        return b"".join(lines).decode()

    def send_line(self, text):
        self.wfile.write(f"{text}\r\n".encode())


class Webhook(http.server.BaseHTTPRequestHandler):
    """Answers with the server's next status and keeps head and body."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((self.path, dict(self.headers), body))
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def serving(handler):
    with Server(("127.0.0.1", 0), handler) as server:
        server.mails, server.calls, server.statuses = [], [], []
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
