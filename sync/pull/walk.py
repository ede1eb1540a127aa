"""Walking through a table of ODK Central (OData), page by page: what is new there, or from where the last walk broke off.

What is new is asked for by that server's clock and with an overlap of ten minutes: what was written first may be seen later.
"""

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from forms.problems import Problem
from sync.pull.client import Client, Missing, following

OVERLAP = timedelta(minutes=10)
PAGE = 250
Json = dict[str, Any]


class Page(NamedTuple):
    """Rows, and what to note (`state`) once they are kept."""

    rows: list[Json]
    state: Json


def pages(client: Client, table: str, moments: Collection[str], state: Json, *, only: str = "") -> Iterator[Page]:
    """The rows one of whose `moments` (names within `__system`) is new since the walk that left this `state`.

    `only` names the columns wanted. Raises `Problem("source_failed")`.
    """
    columns = {"$select": only} if only else {}
    of_new = {"$top": str(PAGE), **columns, **_since(moments, state.get("since", ""))}
    query: dict[str, str] | None = state.get("after") or of_new
    started: str = state.get("started", "") if state.get("after") else ""
    while query is not None:
        try:
            page = client.json(table, query)
        except Missing as error:
            if query is not state.get("after"):
                raise Problem("source_failed", f"{client.base}{table}: {error}.") from None
            query, started = of_new, ""  # that server knows the place no more
            continue
        started = started or (client.moment - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        query = following(page.get("@odata.nextLink"))
        since = state.get("since")
        yield Page(page["value"], {"since": since, "started": started, "after": query} if query else {"since": started})


def _since(moments: Collection[str], since: str) -> dict[str, str]:
    return {"$filter": " or ".join(f"__system/{moment} ge {since}" for moment in moments)} if since else {}
