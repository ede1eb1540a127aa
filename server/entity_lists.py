"""What phones get of entity lists: their line in a manifest, the CSV, and which entities are deleted (OpenRosa, ODK Entities)."""

from collections.abc import Collection, Iterable
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from flask import Response, request

from forms.entities import list_of, normal_uuid
from forms.problems import Problem
from records.entities import deleted_among
from records.entity_files import ListFile
from server.services import services


def entries(project_id: int, address: str, files: Iterable[str], uploaded: Collection[str]) -> str:
    """The lines of a manifest for the `files` of a form that are lists; a file that was uploaded under the name goes before."""
    found = (services().lists.get(project_id, list_of(name)) for name in sorted(files) if list_of(name) and name not in uploaded)
    return "".join(_entry(file, address) for file in found if file is not None)


def _entry(file: ListFile, address: str) -> str:
    kind = "approvalEntityList" if file.approval else "entityList"
    url = escape(f"{address}/lists/{quote(file.name, safe='')}")
    return (
        f"<mediaFile type={quoteattr(kind)}><filename>{escape(file.name)}.csv</filename><hash>md5:{file.md5}</hash>"
        f"<downloadUrl>{url}.csv</downloadUrl><integrityUrl>{url}/integrity</integrityUrl></mediaFile>"
    )


def content(project_id: int, name: str) -> Response:
    """The list as it is now. Raises `Problem` "not_found" or "entity_list_unavailable": phones delete what a cut list lacks."""
    file = services().lists.get(project_id, name)
    if file is None:
        raise Problem("not_found")
    response = Response(file.content, content_type="text/csv; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.set_etag(file.md5)
    response.make_conditional(request)
    return response


def integrity(project_id: int, name: str, ids: Collection[str]) -> Response:
    """Which of these entities are deleted. Those we never had are left out: the record that makes one may be on its way."""
    with services().store.read() as connection:
        known = deleted_among(connection, project_id, name, {normal_uuid(each) for each in ids})
    lines = "".join(
        f"<entity id={quoteattr(each)}><deleted>{str(known[normal_uuid(each)]).lower()}</deleted></entity>"
        for each in dict.fromkeys(ids)
        if normal_uuid(each) in known
    )
    return Response(f"<data><entities>{lines}</entities></data>", content_type="text/xml; charset=utf-8")
