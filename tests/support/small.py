"""Small forms and records, written where a test needs them."""

from forms.definition import FormDefinition
from forms.schema import FormSchema, Reading
from forms.submission import identify

_NAMESPACES = 'xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:jr="http://openrosa.org/javarosa"'
ORX = 'xmlns:orx="http://openrosa.org/xforms"'


def xform(
    nodes: str, binds: str = "", body: str = "", *, form_id: str = "small", version: str = "1", title: str = "Small"
) -> bytes:
    """An XForm whose primary instance holds `nodes`; `binds` goes into the model, `body` into the body."""
    return (
        f"<h:html {_NAMESPACES}><h:head><h:title>{title}</h:title><model><instance>"
        f'<data id="{form_id}" version="{version}">{nodes}</data></instance>{binds}</model></h:head>'
        f"<h:body>{body}</h:body></h:html>"
    ).encode()


def asked(kind: str, *, name: str = "q", more: str = "", control: str = "input", inside: str = "") -> bytes:
    """A form with one question of this data type; `more` goes into its bind, `inside` into its control."""
    bind = f'<bind nodeset="/data/{name}" type="{kind}" {more}/>'
    return xform(f"<{name}/>", bind, f'<{control} ref="/data/{name}">{inside}</{control}>')


def record(
    content: str, *, form_id: str = "small", version: str = "1", instance_id: str = "uuid:1", deprecated_id: str = ""
) -> bytes:
    """A record of such a form."""
    deprecated = f"<orx:deprecatedID>{deprecated_id}</orx:deprecatedID>" if deprecated_id else ""
    own = f"<orx:instanceID>{instance_id}</orx:instanceID>"
    return (f'<data id="{form_id}" version="{version}">{content}<orx:meta {ORX}>{own}{deprecated}</orx:meta></data>').encode()


def read(form: bytes, content: str) -> Reading:
    """What the server reads from a record with this content (no meta block)."""
    schema = FormSchema(FormDefinition.from_xform(form))
    return schema.read(identify(f'<data id="small" version="1">{content}</data>'.encode()))


def codes(reading: Reading) -> list[tuple[str, str]]:
    """(code, path) of what a reviewer is told."""
    return [(found.code, found.path) for found in reading.violations]
