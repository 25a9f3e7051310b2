# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A server with a prompt, like one that is used through ssh: it answers each line as it comes.

python -m ndks_laboratory.gateways.shell PORT      prints a line when it listens
"""

import socketserver
import sys


class _Session(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(b"you typed: " + line)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main(port: str) -> None:
    with _Server(("127.0.0.1", int(port)), _Session) as server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
