"""The unmodified aws_xray_sdk for Python. Prints the ids of what it sent as JSON. Uses what version 0.95 has."""

import json
import sys
import time

from aws_xray_sdk.core import xray_recorder


def subsegment(name, namespace="local", **http):
    made = xray_recorder.begin_subsegment(name, namespace)
    for key, value in http.items():
        made.put_http_meta(key, value)


def plain():
    segment = xray_recorder.begin_segment("depot")
    segment.set_user("mira")
    segment.put_annotation("shelf", 7)
    segment.put_annotation("cold", True)
    segment.put_metadata("parcel", {"weight": 1.5}, "depot")
    segment.put_http_meta("method", "POST")
    segment.put_http_meta("url", "http://depot.example/parcels")
    segment.put_http_meta("status", 201)
    subsegment("pick")
    subsegment("walk")
    xray_recorder.end_subsegment()
    xray_recorder.end_subsegment()
    subsegment("carrier.example", "remote", url="http://carrier.example/pickups", method="POST", status=429)
    xray_recorder.end_subsegment()
    xray_recorder.end_segment()
    return segment.trace_id


@xray_recorder.capture("weigh")
def weigh():
    raise ValueError("the scale is not level")


def failed():
    segment = xray_recorder.begin_segment("depot")
    try:
        weigh()
    except ValueError:
        segment.put_http_meta("status", 500)
    xray_recorder.end_segment()
    return segment.trace_id


def streamed(count):
    """More subsegments than the SDK keeps (30): it streams them as documents of their own."""
    segment = xray_recorder.begin_segment("depot")
    for number in range(count):
        subsegment(f"count {number}")
        xray_recorder.end_subsegment()
    xray_recorder.end_segment()
    return segment.trace_id


def centrally_sampled():
    """Asks the daemon's port for the sampling rules, and goes on until a request was sampled by one."""
    xray_recorder.configure(sampling=True)
    deadline = time.time() + 30
    while time.time() < deadline:
        segment = xray_recorder.begin_segment("sampled")
        rule = segment.aws["xray"].get("sampling_rule_name") if segment.sampled else None
        xray_recorder.end_segment()
        if rule:
            return segment.trace_id
        time.sleep(0.1)
    return None


xray_recorder.configure(sampling=False)
if sys.argv[1:] == ["sampled"]:
    sent = {"sampled": centrally_sampled()}
else:
    sent = {"plain": plain(), "failed": failed(), "streamed": streamed(80)}
print(json.dumps(sent))
sys.stdout.flush()
