"""Records of a trial, sent while a draft of a form is tried on a phone: kept apart, judged as real ones are, never counted."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from forms.definition import FormDefinition
from forms.problems import Problem
from forms.schema import FormSchema
from forms.submission import identify
from records.flags import flag
from records.models import DraftSubmission
from records.personal import seal_xml
from records.store import Store, insert_new
from sync.delivery import Delivery, Receipt, same_name
from sync.intake import file_flags, read_answers, reading_flags


def receive(store: Store, draft: Any, delivery: Delivery) -> Receipt:
    """Keep a delivery to a draft (its row). Raises `Problem` xml_unreadable, form_id_missing, or form_unknown for another form."""
    incoming = identify(delivery.xml)
    if incoming.form_id != draft.form_id:
        raise Problem("form_unknown", f"Only {draft.form_id} is tried at this address.")
    reading = read_answers(FormSchema(FormDefinition.from_xform(draft.xform)), incoming)
    expected = frozenset(map(same_name, reading.files))
    came: list[dict[str, Any]] = [
        {"name": file.name(expected), "sha256": file.blob.sha256, "size": file.blob.size} for file in delivery.files
    ]
    flags = reading_flags(reading)
    if incoming.version != draft.version:
        flags.append(flag("unknown_version", version=incoming.version))
    digest = hashlib.sha256(delivery.xml).hexdigest()
    key = {"project_id": draft.project_id, "form_id": draft.form_id, "instance_id": incoming.instance_id, "sha256": digest}
    row = {
        **key,
        "version": incoming.version,
        "received_at": datetime.now(UTC),
        "device_id": delivery.device_id,
        "files": came,
        "flags": [*flags, *file_flags([(file["name"], file["sha256"], file["size"]) for file in came], expected)],
        "answers": reading.answers,
    }
    row["xml"] = seal_xml(store.vault, key, delivery.xml)

    def work(connection: Any) -> tuple[str, list[dict[str, Any]]]:
        if connection.execute(insert_new(connection, DraftSubmission), row).rowcount:
            return "created", came
        before = connection.execute(select(DraftSubmission.files).filter_by(**key).with_for_update()).scalar_one()
        files = [*before, *(file for file in came if file not in before)]
        all_flags = [*flags, *file_flags([(file["name"], file["sha256"], file["size"]) for file in files], expected)]
        connection.execute(update(DraftSubmission).filter_by(**key).values(files=files, flags=all_flags))
        return ("duplicate" if files == before else "attached"), files

    outcome, files = store.write(work)
    present = expected & {same_name(file["name"]) for file in files}
    return Receipt(outcome, draft.form_id, incoming.instance_id, len(expected), len(present))
