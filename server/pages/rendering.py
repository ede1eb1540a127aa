"""How pages are made."""

from flask import Response

from forms.problems import Problem


def problem_page(problem: Problem) -> Response:
    """A problem as a page."""
    return Response(str(problem), status=problem.kind.status, content_type="text/plain; charset=utf-8")
