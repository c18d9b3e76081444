"""Recommendations: Python's http.server with the AWS X-Ray SDK (Debian: python3-aws-xray-sdk; pip: aws-xray-sdk)."""

import json
import os
import random
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.models.trace_header import TraceHeader

# Whether a request is traced was decided in the front, and is in the header.
xray_recorder.configure(service="recommend", sampling=False)

# What each visitor bought before. Zoe is new: this is the fault that hides, as the front goes on without an answer.
BOUGHT = {"zoe": []}
PRODUCTS = ["lamp", "chair", "table", "shelf", "rug", "vase"]


@xray_recorder.capture("rank products")
def rank(user):
    bought = BOUGHT.get(user, PRODUCTS[: 1 + len(user) % 5])
    weight = 1 / len(bought)
    xray_recorder.current_subsegment().put_metadata("candidates", PRODUCTS)
    time.sleep(random.expovariate(100) + 0.003)
    return sorted(PRODUCTS, key=lambda name: weight * random.random())[:3]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        header = TraceHeader.from_header_str(self.headers.get("X-Amzn-Trace-Id"))
        segment = xray_recorder.begin_segment("recommend", traceid=header.root, parent_id=header.parent, sampling=header.sampled)
        segment.put_http_meta("method", "GET")
        segment.put_http_meta("url", f"http://{self.headers['Host']}{self.path}")
        user = self.path.rsplit("/", 1)[-1]
        segment.set_user(user)
        try:
            status, body = 200, {"products": rank(user)}
        except ZeroDivisionError as error:  # the subsegment below has it, with its stack
            status, body = 500, {"message": str(error)}
        segment.put_http_meta("status", status)
        xray_recorder.end_segment()
        self.reply(status, body)

    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def end_with_starter():
    """Ends this process when standard input closes, as the other services do."""
    while os.read(0, 1024):
        pass
    os._exit(0)


signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; who started this says when
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Handler)
threading.Thread(target=end_with_starter, daemon=True).start()
print(f"listening {server.server_port}", flush=True)
server.serve_forever()
