"""Who knocks at the doors for phones, and under which addresses they find their forms.

A phone has its key in the path, as in ODK Central, or a user name and a password, as with KoBoToolbox and ODK Aggregate: by HTTP
Digest on any transport, by Basic only where nobody listens. People who may see reports read with the password of their account
(Basic). Programs that fetch forms without credentials, as ODK Briefcase does, find a pass in the addresses they are given.
"""

import hmac
from dataclasses import dataclass
from ipaddress import ip_address
from time import time
from typing import Any

from flask import Response, g, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import Row
from werkzeug.datastructures import Authorization

from forms.problems import Problem
from records import projects
from records.access import Access, Right
from server import accounts, app_users, identity
from server.digest import REALM, Digest, Target, Verdict, challenge, ha1
from server.services import services

DOORS = {
    "by_token": "/v1/key/<token>/projects/<int:project_id>",
    "by_pass": "/view/<reader>",
    "by_account": "/<account>",
    "by_password": "/",
}
PULL_DOORS = {"pull": "/", "pull_by_account": "/<account>"}
_PASS_SECONDS = 24 * 3600
_BASIC = f'Basic realm="{REALM}", charset="UTF-8"'


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may. `base` begins the addresses they are given; `form_ids` names their forms (None: all).

    Without `app_user_id` it is a person, who only reads. `gets_forms` is False for a phone whose key was replaced: it only sends.
    `notice` is a record that came back to it. `forms_revision` tells whether the list of forms is still the one of last time;
    `row` is all that is known of a phone.
    """

    project_id: int
    base: str
    app_user_id: int | None = None
    language: str = "en"
    form_ids: frozenset[str] | None = None
    gets_forms: bool = True
    notice: dict[str, Any] | None = None
    forms_revision: int | None = None
    row: Row[Any] | None = None

    def may_have(self, form_id: str) -> bool:
        """Whether this form is for them."""
        return self.form_ids is None or form_id in self.form_ids


def caller(values: dict[str, Any]) -> Caller:
    """Who this is, from the parts of the path that belong to the door; they are taken out of `values`.

    Raises `Problem` "token_unknown", "password_needed", "sign_in_needed", "too_many_tries", "not_allowed" or "not_found".
    """
    if "token" in values:
        return _by_token(values.pop("token"), values.pop("project_id"))
    if "reader" in values:
        return _by_pass(values.pop("reader"))
    return _by_password(values.pop("account", None))


def reader(account: str | None) -> Access:
    """What a person who shows a password may read: in the project with this short name, else in the first with reports for them.

    Raises `Problem` "password_needed", "sign_in_needed", "too_many_tries", "not_allowed" or "not_found".
    """
    if not _is_private():
        raise Problem("password_needed", hint="Use an address that begins with https.")
    g.challenges = [_BASIC]
    person = identity.person()
    if person is None:
        raise Problem("password_needed")
    with services().store.read() as connection:
        wanted = [project.id for project in projects.listed(connection) if account in {None, project.account}]
    mine = (person.access(project_id) for project_id in wanted if person.is_administrator or project_id in person.roles)
    access = next((one for one in mine if one.may(Right.SEE)), None)
    if access is None:
        raise Problem("not_allowed")
    return access


def sealed(purpose: str, access: Access, what: str = "") -> str:
    """A text for addresses that are fetched without a password: for a day it opens `what` to who asks now."""
    return _signer(purpose).dumps([identity.require_person().id, access.project_id, what])


def unsealed(purpose: str, text: str) -> tuple[Access, str]:
    """Whose text this is and what it opens. Raises `Problem("token_unknown")` when it is old, or they may no longer see reports."""
    try:
        account_id, project_id, what = _signer(purpose).loads(text, max_age=_PASS_SECONDS)
    except BadSignature:
        raise Problem("token_unknown") from None
    with services().store.read() as connection:
        person = accounts.person(connection, account_id)
    if person is None or not (person.is_administrator or project_id in person.roles):
        raise Problem("token_unknown")
    access = person.access(project_id)
    access.require(Right.SEE)
    return access, what


def _signer(purpose: str) -> URLSafeTimedSerializer:
    """One purpose does not take the texts of another."""
    return URLSafeTimedSerializer(services().secret, salt=purpose)


def ask_for_password(response: Response) -> Response:
    """Put the challenges on a refusal: each on a line of its own, first the one that phones answer."""
    if response.status_code == 401:
        for line in g.get("challenges", ()):
            response.headers.add("WWW-Authenticate", line)
    return response


def _by_token(token: str, project_id: int) -> Caller:
    with services().store.read() as connection:
        row = app_users.identified(connection, token, project_id)
    return _phone(row, f"{request.root_url}v1/key/{token}/projects/{project_id}", gets_forms=not row.is_old)


def _by_pass(text: str) -> Caller:
    return Caller(unsealed("forms", text)[0].project_id, f"{request.root_url}view/{text}")


def _by_password(account: str | None) -> Caller:
    given = request.authorization
    name = (given.username if given is not None else None) or ""
    with services().store.read() as connection:
        row = app_users.with_username(connection, name) if name else None
    if name and row is None and _is_basic(given):
        access = reader(account)
        return Caller(access.project_id, f"{request.root_url}view/{sealed('forms', access)}")
    where = (name.casefold(), request.remote_addr or "")
    if name:  # the first request of every phone names nobody, and is asked to
        identity.failures.check(where)
    verdict = _verdict(given, row)
    if row is None or not verdict.username:
        if name and not verdict.is_stale:
            identity.failures.add(where)
        g.challenges = _challenges(verdict, is_of_no_phone=bool(name) and row is None)
        raise Problem("password_needed")
    if account not in {None, row.account}:
        raise Problem("not_found")
    return _phone(row, request.root_url + (account or ""))


def _verdict(given: Authorization | None, row: Row[Any] | None) -> Verdict:
    """Whether the password is that of this phone."""
    kept: str | None = row.ha1 if row is not None else None
    digest = Digest(services().secret)
    if _is_basic(given) and given is not None:
        is_right = hmac.compare_digest(ha1(given.username or "", given.password or ""), kept or "")
        return Verdict(given.username or "" if is_right else "", digest.nonce(time()))
    path = request.environ.get("SCRIPT_NAME", "") + request.environ["PATH_INFO"]
    target = Target(path.encode("latin-1"), request.environ.get("QUERY_STRING", ""))
    return digest.verify(given, request.method, target, lambda _: kept, time())


def _challenges(verdict: Verdict, *, is_of_no_phone: bool) -> list[str]:
    """What may be answered. A name that is of no phone may be a person's, and people's passwords are not kept for Digest."""
    if not _is_private():
        return [challenge(verdict)]
    return [_BASIC] if is_of_no_phone else [challenge(verdict), _BASIC]


def _is_basic(given: Authorization | None) -> bool:
    return given is not None and given.type == "basic" and _is_private()


def _is_private() -> bool:
    """Whether nobody can listen to a password in the clear: over https, or from this very machine."""
    if request.is_secure:
        return True
    try:
        return ip_address(request.remote_addr or "").is_loopback and "X-Forwarded-For" not in request.headers
    except ValueError:
        return False


def _phone(row: Row[Any], base: str, *, gets_forms: bool = True) -> Caller:
    form_ids = None if row.form_ids is None else frozenset(row.form_ids)
    return Caller(row.project_id, base.rstrip("/"), row.id, row.language, form_ids, gets_forms, row.notice, row.forms_revision, row)
