"""Lets the vendor's own client of Vision One, pytmv1, act against a base URL, and prints one line of JSON.

usage: vision_one_client.py BASE_URL TOKEN ENDPOINT_NAME

Lists alerts, adds a note to the first one, reads it back, blocks a domain, isolates the endpoint and waits for the end of
both tasks, runs a script, looks the block up, searches mail and has a URL analysed. A call that the client does not
understand ends it with an error.

The client takes plain HTTP as it is. It looks for headers by their exact spelling, though, and HTTP has none: a server
may send them in lower case, so they are spelled anew in between.
"""

import json
import sys

import pytmv1
from pytmv1 import (
    CustomScriptRequest,
    EndpointRequest,
    ObjectRequest,
    ObjectType,
    QueryOp,
    ResultCode,
)
from requests.structures import CaseInsensitiveDict

PATIENCE_S = 60


def main(base, token, endpoint):
    client = pytmv1.init("tarn", token, base)
    respell_headers(client)
    told = {}

    alerts = understood(client.alert.list())
    told["alerts"] = len(alerts.items)
    told["total"] = alerts.total_count
    alert = alerts.items[0].id
    told["alert"] = alert
    told["alert_etag"] = understood(client.alert.get(alert)).etag

    note = understood(client.note.create(alert, "seen by pytmv1")).note_id
    told["note"] = note
    told["note_content"] = understood(client.note.get(alert, note)).data.content

    domain = ObjectRequest(
        object_type=ObjectType.DOMAIN, object_value="bad.example", description="pytmv1"
    )
    blocked = understood(client.object.add_block(domain)).items[0]
    isolated = understood(
        client.endpoint.isolate(EndpointRequest(endpoint_name=endpoint))
    ).items[0]
    told["accepted"] = [blocked.status, isolated.status]
    script = CustomScriptRequest(endpoint_name=endpoint, file_name="look.ps1", parameter="-all")
    run = understood(client.script.run(script)).items[0]
    told["tasks"] = [task(client, item.task_id) for item in (blocked, isolated, run)]

    listed = []
    understood(client.object.consume_suspicious(listed.append))
    told["blocked"] = sorted(found.value for found in listed)
    mails = understood(
        client.email.list_activity(op=QueryOp.AND, mailMsgId="<invoice-4711@mx.bad.example>")
    )
    told["mails"] = len(mails.items)

    job = understood(client.sandbox.submit_url("http://cdn.bad.example/a")).items[0]
    result = understood(client.sandbox.get_analysis_result(job.id, poll_time_sec=PATIENCE_S))
    told["risk"] = result.risk_level.value
    print(json.dumps(told))


def task(client, task_id):
    """The end of a task."""
    ended = understood(client.task.get_result(task_id, poll_time_sec=PATIENCE_S))
    return {"id": ended.id, "action": ended.action, "status": ended.status.value}


def understood(result):
    if result.result_code != ResultCode.SUCCESS:
        sys.exit(f"pytmv1 refuses an answer: {getattr(result, 'error', None) or result.errors}")
    return result.response


def respell_headers(client):
    adapter = client._core._adapter
    send = adapter.send

    def respelled(request, **options):
        response = send(request, **options)
        response.headers = CaseInsensitiveDict(
            (name.title(), value) for name, value in response.headers.items()
        )
        return response

    adapter.send = respelled


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
