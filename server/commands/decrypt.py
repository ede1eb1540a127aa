"""tulliana submission decrypt: encrypted records as readable files, with the coordinator's key."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.commands import access, opened, project_id

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from sqlalchemy import Connection

    from server.services import Services

_OTHER = re.compile(r"[^\w.-]+")


@click.command("decrypt")
@click.option("--form", "form_id", required=True, help="The form's id.")
@click.option("--key", "key_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, help="Private key.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for what can then be read.")
def command(form_id: str, key_file: Path, out: Path) -> None:
    """Decrypt the records of a form into a folder: XML and files of each record, and all answers as CSV.

    The key is read and kept nowhere. What is in the folder is readable by whoever gets it: keep it as safe as the key.
    """
    from forms.encryption import read_private_key
    from records.submissions import listed
    from server.decryption import note_opened

    pem = key_file.read_bytes()
    passphrase = click.prompt("Passphrase of the key", hide_input=True, err=True) if b"ENCRYPTED" in pem else ""
    private_key = read_private_key(pem, passphrase)
    with opened() as services:
        with services.store.snapshot() as connection:
            out.mkdir(mode=0o700, parents=True, exist_ok=True)
            work = _Work(services, connection, form_id, private_key, out)
            encrypted = [record.instance_id for record in listed(connection, access(), form_id) if record.encrypted]
            for instance_id in encrypted:
                work.decrypt(instance_id)
            tables = work.write_tables()
        note_opened(services, access(), form_id, work.answers)
    click.echo(
        f"{len(work.answers)} of {len(encrypted)} encrypted records are in {out}: {', '.join([*tables, 'one folder each'])}."
    )
    for remark in work.remarks:
        click.echo(remark, err=True)
    if work.remarks:
        sys.exit(1)


class _Work:
    """One run: what became readable, and what there is to say about the rest."""

    def __init__(
        self, services: "Services", connection: "Connection", form_id: str, private_key: "RSAPrivateKey", out: Path
    ) -> None:
        self.services, self.connection, self.form_id, self.private_key, self.out = services, connection, form_id, private_key, out
        self.answers: dict[str, dict[str, Any]] = {}
        self.remarks: list[str] = []

    def decrypt(self, instance_id: str) -> None:
        """One record into a folder of its own."""
        from forms.problems import Problem
        from forms.submission import case_number
        from server.decryption import open_record
        from sync.delivery import file_name

        case = case_number(instance_id)
        folder = self.out / f"{case}-{_OTHER.sub('_', instance_id)[:60]}"

        def write(name: str, chunks: Iterable[bytes]) -> None:
            folder.mkdir(exist_ok=True)
            with (folder / file_name(name)).open("wb") as file:
                file.writelines(chunks)

        try:
            record = open_record(self.services, self.connection, access(), self.form_id, instance_id, self.private_key, write)
        except Problem as problem:
            self.remarks.append(f"{case}: {problem}")
            return
        found = record.decrypted
        if found.xml:
            write("submission.xml", [found.xml])
        if record.answers is not None:
            self.answers[instance_id] = record.answers
        self.remarks += [f"{case}: {name} has not come yet." for name in found.missing]
        self.remarks += [f"{case}: {name} is damaged." for name in found.broken]
        if found.is_signed is False and not found.broken:
            self.remarks.append(f"{case}: its parts do not belong together. Ask the ranger what was sent.")

    def write_tables(self) -> list[str]:
        """All answers as CSV, a table for the form and one for each repeat; their names."""
        from exports.tables import repeats_of, write_answers
        from forms.definition import FormDefinition
        from records.forms import latest_xform

        definition = FormDefinition.from_xform(latest_xform(self.connection, project_id(), self.form_id))
        names = []
        for repeat in [(), *repeats_of(definition)]:
            names.append("-".join([_OTHER.sub("_", self.form_id), *repeat]) + ".csv")
            with (self.out / names[-1]).open("w", encoding="utf-8", newline="") as stream:
                write_answers(definition, self.answers.items(), stream, repeat=repeat)
        return names
