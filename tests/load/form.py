"""The benchmark's form: 26 questions in two languages with one repeat and one image, and a filled-in record of about 1.5 kB."""

FORM_ID = "bench_incident"
TEXTS = 14
XF = 'xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:jr="http://openrosa.org/javarosa"'
ORX = 'xmlns:orx="http://openrosa.org/xforms"'
SINGLES = {"place": "geopoint", "seen_on": "date", "seen_at": "dateTime", "photo": "binary", "killed": "int", "loss": "decimal"}
SELECTS = {"predator": "leopard wolf bear caracal unknown", "village": "v1 v2 v3 v4", "season": "winter spring summer autumn"}
REPEAT = {"species": "string", "count": "int", "value": "int"}


def xform() -> bytes:
    """The XForm."""
    texts = [f"answer_{number}" for number in range(TEXTS)]
    fields = [*SINGLES, *SELECTS, *texts]
    blank = "".join(f"<{name}/>" for name in fields) + "<animals>" + "".join(f"<{name}/>" for name in REPEAT) + "</animals>"
    paths = [f"/data/{name}" for name in fields] + [f"/data/animals/{name}" for name in REPEAT]
    kinds = SINGLES | {f"animals/{name}": kind for name, kind in REPEAT.items()}
    binds = "".join(f'<bind nodeset="{path}" type="{kinds.get(path[6:], "string")}"/>' for path in paths)
    itext = "".join(
        f'<translation lang="{language}">'
        + "".join(f'<text id="{path}:label"><value>{word} {path[6:]}</value></text>' for path in paths)
        + "</translation>"
        for language, word in (("English (en)", "Tell us about"), ("فارسی (fa)", "درباره"))
    )
    controls = "".join(_control(path) for path in paths if "animals" not in path)
    repeat = "".join(_control(path) for path in paths if "animals" in path)
    return (
        f'<?xml version="1.0"?><h:html {XF} {ORX}><h:head><h:title>Incident (bench)</h:title><model><itext>{itext}</itext>'
        f'<instance><data id="{FORM_ID}" version="1">{blank}<orx:meta><orx:instanceID/></orx:meta></data></instance>{binds}'
        '<bind nodeset="/data/orx:meta/orx:instanceID" type="string" jr:preload="uid"/></model></h:head>'
        f'<h:body>{controls}<group ref="/data/animals"><label>Animals</label>'
        f'<repeat nodeset="/data/animals">{repeat}</repeat></group></h:body></h:html>'
    ).encode()


def record(instance_id: str, photo: str) -> bytes:
    """One filled-in record."""
    texts = "".join(f"<answer_{number}>بالای دره نزدیک آغل</answer_{number}>" for number in range(TEXTS))
    animals = "".join(f"<animals><species>sheep</species><count>{count}</count><value>90000</value></animals>" for count in (1, 2))
    return (
        f'<?xml version=\'1.0\' ?><data id="{FORM_ID}" version="1" {ORX}><place>35.7001 51.4002 1320.0 4.5</place>'
        "<seen_on>2026-05-02</seen_on><seen_at>2026-05-02T07:41:09.123+03:30</seen_at>"
        f"<photo>{photo}</photo><killed>3</killed><loss>270000.5</loss><predator>leopard</predator><village>v2</village>"
        f"<season>spring</season>{texts}{animals}<orx:meta><orx:instanceID>{instance_id}</orx:instanceID></orx:meta></data>"
    ).encode()


def _control(path: str) -> str:
    name, label = path.rpartition("/")[2], f"<label ref=\"jr:itext('{path}:label')\"/>"
    if name in SELECTS:
        items = "".join(f"<item><label>{value}</label><value>{value}</value></item>" for value in SELECTS[name].split())
        return f'<select1 ref="{path}">{label}{items}</select1>'
    if name == "photo":
        return f'<upload ref="{path}" mediatype="image/*">{label}</upload>'
    return f'<input ref="{path}">{label}</input>'
