"""The door for other nodes: one address that takes packets and answers with packets; see `sync.relay`."""

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.services import services
from sync.relay.messages import MOST_PACKET

relay_door = Blueprint("relay_door", __name__)
PACKET = "application/octet-stream"


@relay_door.post("/relay/1")
def answer() -> Response:
    """Answer a packet. Strangers, and what is none, get a problem in JSON."""
    length = request.content_length
    if length is None or length > MOST_PACKET:
        raise Problem("too_large", f"A packet has at most {MOST_PACKET} bytes.")
    with services().turnstile.outside():
        packet = request.get_data(cache=False)
    return Response(services().answerer().answer(packet), content_type=PACKET)
