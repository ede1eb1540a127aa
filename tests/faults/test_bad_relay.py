"""A station whose hub is behind the worst line of the field: 64 kbit/s, two seconds there and back, 30 of 100 packets lost."""

import random
import subprocess
import time

from tests.conftest import NewServer
from tests.support.bad_link import BadLink
from tests.support.collect import Collect, Record
from tests.support.line import Conditions
from tests.support.records import LOSS, loss, new_id
from tests.support.servers import COMMAND

RECORDS = 40
FIELD_SECONDS = 20
WORDS = ["پلنگ", "گوسفند", "دره", "چراگاه", "سگ گله", "شب", "آغل", "herder", "leopard", "ridge", "snow", "fence", "dawn"]
BASE = Conditions(rate=1e9, rtt=0, queue=100_000_000)
FIELD = Conditions(rate=64_000, rtt=2, loss=0.3)


def test_a_meeting_that_breaks_off_on_a_line_that_loses_30_percent_is_finished_by_the_next(new_server: NewServer) -> None:
    """How long such a line takes for all of it is measured by `make bench ARGS=relay`."""
    with BadLink(BASE) as link:
        own = {"TULLIANA_HOST": "0.0.0.0", "TULLIANA_RELAY_MINUTES": "never"}
        with link.far.here():
            hub = new_server("sqlite", own)
        with link.near.here():
            station = new_server("sqlite", own)
        hub.publish(LOSS)
        _, code = hub.here("relay", "invite", "North", "--url", f"http://{link.far.address}:{hub.port}")
        with link.near.here():
            station.here("relay", "enrol", code.partition("relay enrol ")[2].split()[0])
            phone, chance = Collect(station.app_user("ranger")["url"]), random.Random(1)
            for _ in range(60):  # the hub tells of the form when its leader has written it down
                assert station.here("relay", "run")[0] == 0
                if "livestock_loss" in [form.form_id for form in phone.form_list()]:
                    break
                time.sleep(1)
            phone.outbox = [Record(loss(new_id(), remarks=" ".join(chance.choices(WORDS, k=20)))) for _ in range(RECORDS)]
            assert len(phone.send_all()) == RECORDS
            before, _ = link.counts()
            link.change(FIELD)
            meeting = subprocess.Popen([COMMAND, "relay", "run"], env=station.environment, cwd="/")
            end = time.monotonic() + FIELD_SECONDS
            while meeting.poll() is None and time.monotonic() < end:
                time.sleep(0.2)
            meeting.kill()
            meeting.wait()
            there, _ = link.counts()
            link.change(BASE)
            _, said = station.here("relay", "run")
    assert there.lost > before.lost
    assert "safe at the hub: it was compared" in said
    end = time.monotonic() + 60
    while len(hub.submissions("livestock_loss")) < RECORDS and time.monotonic() < end:
        time.sleep(0.5)  # the leader of the hub makes them part of what people see
    sent, kept = ({each["instance_id"]: each["answers"] for each in node.submissions("livestock_loss")} for node in (hub, station))
    assert len(sent) == RECORDS
    assert sent == kept
