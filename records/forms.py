"""Published forms: listing what phones may have, their bytes and files, and the compiled schema of a version."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, bindparam, func, select

from forms.definition import FormDefinition
from forms.problems import Problem
from forms.schema import FormSchema
from records.models import Form, FormMedia, FormVersion
from records.store import Store

_SCHEMAS_KEPT = 256
_STATES_SECONDS = 2.0
_MEDIA_COUNT = (
    select(func.count())
    .where(
        FormMedia.project_id == FormVersion.project_id,
        FormMedia.form_id == FormVersion.form_id,
        FormMedia.version == FormVersion.version,
        FormMedia.replaced_at.is_(None),
    )
    .scalar_subquery()
)
_OPEN_FORMS = (  # built once: phones ask for it all the time
    select(FormVersion.form_id, FormVersion.version, FormVersion.title, FormVersion.md5, _MEDIA_COUNT, FormVersion.picks_from)
    .join(
        Form,
        (Form.project_id == FormVersion.project_id)
        & (Form.form_id == FormVersion.form_id)
        & (Form.current_version == FormVersion.version),
    )
    .where(Form.project_id == bindparam("project_id"), Form.state == "open")
    .order_by(Form.form_id)
)


@dataclass(frozen=True, slots=True)
class ListedForm:
    """A form as phones see it."""

    form_id: str
    version: str
    title: str
    md5: str
    has_files: bool


def open_forms(connection: Connection, project_id: int) -> list[ListedForm]:
    """The current version of every open form, in the order of their ids."""
    rows = connection.execute(_OPEN_FORMS, {"project_id": project_id})
    return [ListedForm(row.form_id, row.version, row.title, row.md5, bool(row[4] or row.picks_from)) for row in rows]


def titles(connection: Connection, project_id: int) -> list[tuple[str, str]]:
    """(form id, title of its current version) of every form, open or not, in the order of their ids."""
    rows = connection.execute(
        select(Form.form_id, FormVersion.title)
        .join(
            FormVersion,
            (Form.project_id == FormVersion.project_id)
            & (Form.form_id == FormVersion.form_id)
            & (Form.current_version == FormVersion.version),
        )
        .where(Form.project_id == project_id)
        .order_by(Form.form_id)
    )
    return [(row.form_id, row.title) for row in rows]


def xform_with(connection: Connection, project_id: int, form_id: str, md5: str) -> Row[bytes, str]:
    """(bytes, version) of the form with this digest. Raises `Problem("not_found")`."""
    row = connection.execute(
        select(FormVersion.xform, FormVersion.version).filter_by(project_id=project_id, form_id=form_id, md5=md5)
    ).first()
    if row is None:
        raise Problem("not_found")
    return row


def media_of(connection: Connection, project_id: int, form_id: str, version: str) -> Sequence[Row[str, str, str, int]]:
    """(name, md5, sha256, size) of a version's files as they are now, in the order of their names."""
    return connection.execute(
        select(FormMedia.name, FormMedia.md5, FormMedia.sha256, FormMedia.size)
        .filter_by(project_id=project_id, form_id=form_id, version=version, replaced_at=None)
        .order_by(FormMedia.name)
    ).all()


def media_with(connection: Connection, project_id: int, form_id: str, version: str, name: str, md5: str) -> str:
    """The SHA-256 of the file that a version has or had under this name with this MD5. Raises `Problem("not_found")`."""
    key = {"project_id": project_id, "form_id": form_id, "version": version, "name": name, "md5": md5}
    sha256 = connection.execute(select(FormMedia.sha256).filter_by(**key)).scalar()
    if sha256 is None:
        raise Problem("not_found")
    return sha256


def latest_xform(connection: Connection, project_id: int, form_id: str) -> bytes:
    """The current bytes of a form, open or not. Raises `Problem("form_unknown")`."""
    xform = connection.execute(
        select(FormVersion.xform)
        .join(Form, (Form.project_id == FormVersion.project_id) & (Form.form_id == FormVersion.form_id))
        .where(Form.project_id == project_id, Form.form_id == form_id, Form.current_version == FormVersion.version)
    ).scalar()
    if xform is None:
        raise Problem("form_unknown", form_id)
    return xform


class Schemas:
    """Compiled schemas of published versions. A version never changes; but a question that the current version of its form says is
    personal is so in all of them, since phones go on with the versions they have.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._states: dict[tuple[int, str], tuple[str, str]] = {}
        self._states_until = 0.0
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, str, str], FormSchema] = OrderedDict()
        self._files: dict[tuple[int, str, str], frozenset[str]] = {}

    def state(self, project_id: int, form_id: str) -> str:
        """Whether the form is open, closed or retired, as of two seconds ago at most."""
        if time.monotonic() > self._states_until:
            self._look()
        return self._states.get((project_id, form_id), ("open", ""))[0]

    def _look(self) -> None:
        """See what became of the forms; where another version is current, what was compiled may say too little."""
        with self._store.read() as connection:
            rows = connection.execute(select(Form.project_id, Form.form_id, Form.state, Form.current_version))
            states = {(row.project_id, row.form_id): (row.state, row.current_version) for row in rows}
        with self._lock:
            changed = {form for form, (_, version) in self._states.items() if states.get(form, ("", ""))[1] != version}
            for key in [key for key in self._kept if key[:2] in changed]:
                del self._kept[key]
        self._states, self._states_until = states, time.monotonic() + _STATES_SECONDS

    def files(self, project_id: int, form_id: str, version: str) -> frozenset[str]:
        """The names of the files that the lists of a published version come from."""
        key = (project_id, form_id, version)
        if key not in self._files:
            self._files[key] = self.get(*key)[0].definition.files
        return self._files[key]

    def get(self, project_id: int, form_id: str, version: str) -> tuple[FormSchema, bool]:
        """The schema of this version and True; for a version we never had, the current one's and False.

        Raises `Problem("form_unknown")` for a form this project never had.
        """
        key = (project_id, form_id, version)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key], True
        with self._store.read() as connection:
            exact = connection.execute(
                select(FormVersion.xform).filter_by(project_id=project_id, form_id=form_id, version=version)
            ).scalar()
            current = select(Form.current_version).filter_by(project_id=project_id, form_id=form_id)
            current_version = connection.execute(current).scalar()
        if current_version is None or (exact is None and version == current_version):
            raise Problem("form_unknown", form_id)
        if exact is None:
            return self.get(project_id, form_id, current_version)[0], False
        definition = FormDefinition.from_xform(exact)
        if version != current_version:
            definition = definition.marked_like(self.get(project_id, form_id, current_version)[0].definition)
        schema = FormSchema(definition)
        with self._lock:
            self._kept[key] = schema
            while len(self._kept) > _SCHEMAS_KEPT:
                self._kept.popitem(last=False)
        return schema, True
