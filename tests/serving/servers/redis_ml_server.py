"""Linear regression as Redis-ML serves it: ``redis_ml_server.py PORT``; the key ``linear`` is ``a + 10 b``.

It takes PING, EXISTS and ML.LINREG.PREDICT, and refuses every other command as Redis does.
"""

import socketserver
import sys

WEIGHTS = (1.0, 10.0)


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while head := self.rfile.readline():
            words = []
            for _ in range(int(head[1:])):
                length = int(self.rfile.readline()[1:])
                words.append(self.rfile.read(length + 2)[:-2].decode())
            self.wfile.write(answer(words))


def answer(words):
    name, *rest = words
    if name == "PING":
        return b"+PONG\r\n"
    if name == "EXISTS":
        return b":%d\r\n" % (rest == ["linear"])
    if name != "ML.LINREG.PREDICT":
        return f"-ERR unknown command '{name}'\r\n".encode()
    if rest[0] != "linear" or len(rest) != 1 + len(WEIGHTS):
        return b"-ERR wrong number of features, or no such key\r\n"
    score = repr(sum(weight * float(value) for weight, value in zip(WEIGHTS, rest[1:], strict=True))).encode()
    return b"$%d\r\n%s\r\n" % (len(score), score)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Handler) as server:
        server.serve_forever()
