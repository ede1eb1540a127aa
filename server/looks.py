"""Looking is noted: whoever is given a record, a list of records or an entity as it is leaves one line in the log."""

from flask import Response, request

from records.access import Access
from records.audit import ENTITY, LIST, RECORD, note_look
from server.services import services

_GIVEN = frozenset({200, 206})


def at_record(answer: Response, asking: Access, form_id: str, instance_id: str, what: str) -> Response:
    """This answer, which gives out a record as it is: `what` of it, such as the page or a file. Raises `Problem("not_allowed")`."""
    return _noted(answer, asking, RECORD, instance_id, form_id=form_id, what=what)


def at_list(answer: Response, asking: Access, what: str) -> Response:
    """This answer, which gives out many records or entities as they are: a page of them, the map."""
    return _noted(answer, asking, LIST, what)


def at_entity(answer: Response, asking: Access, uuid: str, list_name: str) -> Response:
    """This answer, which gives out an entity as it is."""
    return _noted(answer, asking, ENTITY, uuid, list=list_name)


def _noted(answer: Response, asking: Access, action: str, target: str, **detail: str) -> Response:
    """Who has it already (304) is given nothing, and the later parts of a file belong to its first."""
    part = answer.content_range
    if request.method == "GET" and answer.status_code in _GIVEN and not (part and part.start):
        note_look(services().store, asking, action, target, **detail)
    return answer
