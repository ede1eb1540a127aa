"""Answers packed where who asks can unpack them, because links here are slow. ODK Collect can, and hashes what it unpacked."""

import gzip

from flask import Response, request

_FROM = 1000
"""Bytes below which it is not worth it."""


def compressed(response: Response) -> Response:
    """The response, packed with gzip where the client says that it can unpack it."""
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] and len(response.get_data()) >= _FROM:
        response.set_data(gzip.compress(response.get_data(), 5, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
