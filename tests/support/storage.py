"""S3-compatible storage for tests: a server of its own on this machine, and the variables with which programs find it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from moto.server import ThreadedMotoServer
from obstore.store import S3Store


@contextmanager
def storage() -> Iterator[dict[str, str]]:
    """A storage that is empty; gives the environment under which obstore uses it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }
    finally:
        server.stop()


def new_bucket(environment: dict[str, str]) -> str:
    """The address of a new bucket, and a prefix in it."""
    name = f"files-{uuid.uuid4().hex[:12]}"
    requests.put(f"{environment['AWS_ENDPOINT_URL']}/{name}", timeout=30).raise_for_status()
    return f"s3://{name}/leopards"


def objects(environment: dict[str, str], address: str) -> dict[str, bytes]:
    """What lies in the bucket, by name."""
    store = S3Store.from_url(
        address,
        endpoint=environment["AWS_ENDPOINT_URL"],
        access_key_id=environment["AWS_ACCESS_KEY_ID"],
        secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        client_options={"allow_http": True},
    )
    return {item["path"]: bytes(store.get(item["path"]).bytes()) for page in store.list() for item in page}
