"""The process that listens and starts the worker, anew when it dies: it loads no room, so that a small station has memory left."""

import multiprocessing

from server.config import Config

THREADS = 512  # slow phones each hold one (server/crowding.py); few compute at a time (records/turnstile.py)


def listen(config: Config) -> None:
    """Serve until a signal ends it. The worker reads its settings from the environment."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    if config.blobs:  # the threads that speak with the storage do not survive a fork
        multiprocessing.set_start_method("spawn")
    Granian(
        "server.wsgi:application",
        factory=True,
        address=config.host,
        port=config.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        backpressure=1024,
        log_level=LogLevels.error,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
    ).serve()


if __name__ == "__main__":
    listen(Config.load())
