"""The log of a project: who did what, when."""

from typing import Any

from flask import Response, request
from sqlalchemy import Row

from forms.submission import case_number
from records import audit
from records.access import Right
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.rendering import page, translate
from server.services import services

PAGE_SIZE = 50


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is shown."""
    return text


ACTIONS = {
    "account.add": _("added the account {target}"),
    "account.set_role": _("changed the role of {target}"),
    "account.set_password": _("gave {target} a new password"),
    "account.close": _("closed the account {target}"),
    "account.end_sessions": _("signed {target} out everywhere"),
    "account.sign_in": _("signed in"),
    "project.add": _("added the project {target}"),
    "app_user.add": _("added the phone {target}"),
    "app_user.revoke": _("withdrew the key of {target}"),
    "app_user.rotate": _("gave {target} a new key"),
    "app_user.set_password": _("gave the phone {target} a password"),
    "app_user.set_account": _("changed who sees what {target} sends"),
    "app_user.set_forms": _("changed which forms {target} gets"),
    "form.publish": _("published the form {target}"),
    "form.media": _("changed files of the form {target}"),
    "form.open": _("opened the form {target}"),
    "form.closed": _("closed the form {target}"),
    "form.retired": _("retired the form {target}"),
    "form.confidential": _("kept the reports of {target} to coordinators"),
    "form.not_confidential": _("let reviewers see the reports of {target}"),
    "project.languages": _("gave the surveys these languages: {target}"),
    "draft.save": _("saved a draft of the form {target}"),
    "draft.change_key": _("gave the draft of {target} a new key"),
    "draft.discard": _("discarded the draft of {target}"),
    "entity.delete": _("deleted the entity {target}"),
    "entity.resolve": _("resolved the conflict of the entity {target}"),
    "entity.import": _("imported entities into {target}"),
    "entity_list.approval": _("changed when {target} follows the reports"),
    "record.state": _("changed the state of the report {target}"),
    "record.comment": _("commented on the report {target}"),
    "record.settle": _("settled what was odd about the report {target}"),
    "record.split": _("made two reports of {target}"),
    "record.delete": _("deleted the report {target}"),
    "record.restore": _("restored the report {target}"),
    "record.same": _("said that the report {target} is of the same event as another one"),
    "record.different": _("said that the report {target} is of another event"),
    "record.undecided": _("took back what was decided about the event of the report {target}"),
    "relay.invite": _("invited the node {target}"),
    "relay.enrol": _("let the node {target} join"),
    "relay.join": _("joined the hub {target}"),
    "relay.revoke": _("revoked the node {target}"),
    "relay.leave": _("left the hub {target}"),
    "relay.share": _("chose what the hub {target} gets"),
    "record.pull": _("took over records: {target}"),
    "pull.add": _("kept the server {target} to pull from"),
    "pull.change": _("changed how often {target} is pulled from"),
    "pull.forget": _("forgot the server {target} and its password"),
    "aside.take_in": _("took in what was kept aside"),
    "aside.dismiss": _("dismissed what was kept aside"),
    "export.run": _("ran the export {target}"),
    "data.export": _("downloaded the exact data of {target}"),
    "data.view": _("looked at the report {target}"),
    "data.list": _("looked at many reports or entries: {target}"),
    "entity.view": _("looked at the entity {target}"),
    "data.generalised": _("downloaded generalised data of {target}"),
    "personal.read": _("read names or telephone numbers in the report {target}"),
    "personal.drop": _("deleted names and telephone numbers whose time was over"),
    "personal.erase": _("erased the data of a person"),
    "personal.export": _("took out the data of a person"),
    "personal.find": _("looked for the data of a person"),
    "submission.decrypt": _("decrypted the report {target}"),
}
"""What the actions are in words; one that is not here is told by its code."""
LISTS = (_("map"), _("incidents"))
"""What many are looked at together on, but for entity lists."""


@pages.get(f"{PROJECT}/log", endpoint="log")
@open_to(Right.LOG)
def log() -> Response:
    """What people changed and took out, page by page, or else what they looked at."""
    number, looks = max(1, request.args.get("page", 1, type=int)), "looks" in request.args
    with services().store.read() as connection:
        rows = audit.events(connection, access(), limit=PAGE_SIZE + 1, skip=PAGE_SIZE * (number - 1), looks=looks)
    lines = [{"at": row.at, "actor": row.actor, "words": _words(row), "detail": _detail(row)} for row in rows[:PAGE_SIZE]]
    return page("log.html", lines=lines, number=number, more=len(rows) > PAGE_SIZE, looks=looks)


def _words(row: Row[Any]) -> str:
    is_record = row.action.startswith(("record.", "submission.")) or row.action in {"personal.read", audit.RECORD}
    target = case_number(row.target) if is_record else translate(row.target) if row.action == audit.LIST else row.target
    return translate(ACTIONS.get(row.action, row.action)).format(target=target)


def _detail(row: Row[Any]) -> str:
    """What else is known: roles, states, versions, names."""
    told = {name: value for name, value in row.detail.items() if name != "rows"}
    words = [translate(word.replace("_", " ")) for value in (row.state, *told.values()) for word in _words_of(value)]
    rows = [translate("Reports: {n}").format(n=row.detail["rows"])] if "rows" in row.detail else []
    return translate(", ").join([*words, *rows])


def _words_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{name}: {each}" for name, each in value.items()]
    return [str(word) for word in (value if isinstance(value, list) else [value]) if word not in (None, "")]
