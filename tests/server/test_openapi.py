"""The description of the doors for programs: it is whole, and they do what it says whatever is asked (schemathesis)."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, checks
from schemathesis.checks import load_all_checks

from server.api.describe import ATTRIBUTE
from server.api.openapi import document
from tests.server.test_api_access import INSTANCE, PARTS, password_of
from tests.support.entities import household, household_form, uuid_of
from tests.support.pages import Site
from tests.support.records import flock, loss, new_id

EXAMPLES = 4
CHECKS = ("status_code_conformance", "content_type_conformance", "response_schema_conformance", "response_headers_conformance")
ODD = ("0", "%00", "a/b", "é٪", "' or 1=1 --", "Submissions('')", "uuid:" + "x" * 300)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("openapi") / "data")) as opened:
        opened.publish(household_form())
        opened.send(household(new_id(), uuid_of("h1")))
        opened.send(flock(INSTANCE), {"a.jpg": b"\xff\xd8\xff photo"})
        opened.send(loss(new_id(), "a.jpg", ("b.jpg",)))
        yield opened


def operations(site: Site) -> list[Any]:
    schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", site.app)
    return [found.ok() for found in schema.get_all_operations()]


def test_every_address_for_programs_is_described(site: Site) -> None:
    for rule in site.app.url_map.iter_rules():
        if rule.endpoint.startswith(("central.", "kobo.")):
            view = site.app.view_functions[rule.endpoint]
            assert hasattr(view, ATTRIBUTE), f"{rule.rule} has no @described"
            assert view.__doc__, rule.rule


def test_operations_have_names_of_their_own(site: Site) -> None:
    names = [each["operationId"] for path in document(site.app)["paths"].values() for each in path.values()]
    assert len(names) == len(set(names)) > 50


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # schemathesis does not close what it read
@pytest.mark.parametrize("reader", ["nobody", "reviewer", "coordinator"])
def test_whatever_is_asked_is_answered_as_described(site: Site, reader: str) -> None:
    load_all_checks()
    known = checks.CHECKS.get_by_names(list(CHECKS))
    statuses = set()
    for operation in operations(site):

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), odd=st.sampled_from([*ODD, None, None, None, None]))
        def ask(case: Case, odd: str | None) -> None:
            name = "households" if "/datasets/" in case.path else "a.jpg"
            for part in case.path_parameters or {}:
                case.path_parameters[part] = odd if odd is not None and part != "project_id" else PARTS.get(part, name)
            if case.path.startswith("/v1/sessions"):
                case.headers["X-Forwarded-For"] = "10.0.0.1"
            answer = case.call_and_validate(headers=password_of(reader), checks=known)
            assert answer.status_code < 500 or answer.status_code == 501, answer.text
            statuses.add(answer.status_code)

        ask()
    assert {401} <= statuses if reader == "nobody" else {200, 400, 404} <= statuses
