"""Fills in a blank form with plausible answers, reading nothing but its XML: for trying a server with forms it has never seen."""

import copy
import random
import uuid
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

XF = "{http://www.w3.org/2002/xforms}"
ORX = "http://openrosa.org/xforms"
JAVAROSA = "{http://openrosa.org/javarosa}"
WORDS = ["پلنگ", "گوسفند", "دره", "چراگاه", "سگ گله", "شب", "آغل", "herder", "leopard", "ridge"]
PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"


def fill(form: bytes, chance: random.Random) -> tuple[bytes, dict[str, bytes]]:
    """One record of this form, as (XML, files). Relevance and calculations are not evaluated; repeats get one to three rounds."""
    root = ET.fromstring(form)
    primary = root.find(f".//{XF}instance/*")
    if primary is None:
        raise ValueError("the form has no primary instance")
    record, files = copy.deepcopy(primary), {}
    kinds = {bind.get("nodeset", ""): bind for bind in root.iter(f"{XF}bind")}
    for repeat in root.iter(f"{XF}repeat"):
        _repeat(record, repeat.get("nodeset", ""), chance)
    controls = {control.get("ref", ""): control for control in root.iter() if control.get("ref")}
    for path, node in _leaves(record, f"/{_local(record)}"):
        bind = kinds.get(path, ET.Element("bind"))
        control = controls.get(path, ET.Element("input"))
        if not node.text:
            node.text = _answer(root, bind, control, chance)
        if bind.get("type") == "binary" and node.text:
            files[node.text] = PHOTO + chance.randbytes(2_000)
    _identify(record)
    return ET.tostring(record, encoding="utf-8", xml_declaration=True), files


def _answer(root: ET.Element, bind: ET.Element, control: ET.Element, chance: random.Random) -> str:
    now = datetime.now(UTC) - timedelta(minutes=chance.randrange(10_000))
    kind, preload = bind.get("type", "string").rpartition(":")[2], bind.get(f"{JAVAROSA}preloadParams", "")
    if control.tag in {f"{XF}select", f"{XF}select1"}:
        values = [value.text or "" for value in control.findall(f"{XF}item/{XF}value")] or _listed(root, control)
        return chance.choice(values) if values else ""
    if kind == "binary":
        return f"{int(now.timestamp() * 1000)}{chance.randrange(1000):03}.jpg"
    if kind in {"int", "long", "decimal", "range"}:
        low, high = int(float(control.get("start") or 0)), int(float(control.get("end") or 12))
        return str(chance.randint(low, high))
    here = _place(chance)
    return {
        "date": f"{now:%Y-%m-%d}",
        "time": f"{now:%H:%M:%S}.000Z",
        "dateTime": f"{now:%Y-%m-%dT%H:%M:%S}.000+03:30",
        "geopoint": here,
        "geotrace": f"{here}; {_place(chance)}",
        "geoshape": f"{here}; {_place(chance)}; {_place(chance)}; {here}",
    }.get(kind, {"deviceid": "collect:filler0000000001"}.get(preload, chance.choice(WORDS)))


def _place(chance: random.Random) -> str:
    return f"{chance.uniform(28, 38):.7f} {chance.uniform(50, 60):.7f} {chance.randint(300, 2800)}.0 4.5"


def _listed(root: ET.Element, control: ET.Element) -> list[str]:
    """Choices of a select that reads a secondary instance."""
    itemset = control.find(f"{XF}itemset")
    name = itemset.get("nodeset", "").partition("instance('")[2].partition("'")[0] if itemset is not None else ""
    items = root.iterfind(f".//{XF}instance[@id='{name}']//{XF}item") if name else ()
    return [item.findtext(f"{XF}name") or "" for item in items]


def _repeat(record: ET.Element, nodeset: str, chance: random.Random) -> None:
    parents, steps = [record], nodeset.strip("/").split("/")[1:]
    for step in steps[:-1]:
        parents = [child for parent in parents for child in parent if _local(child) == step]
    for parent in parents:
        rounds = [child for child in parent if _local(child) == steps[-1]]
        for extra in rounds[1:]:
            parent.remove(extra)
        for _ in range(chance.randint(0, 2)):
            parent.insert(list(parent).index(rounds[0]) + 1, copy.deepcopy(rounds[0]))


def _leaves(node: ET.Element, path: str) -> list[tuple[str, ET.Element]]:
    found: list[tuple[str, ET.Element]] = []
    for child in node:
        here = f"{path}/{_local(child)}"
        if len(child):
            found += _leaves(child, here)
        elif _local(node) != "meta":
            found.append((here, child))
    return found


def _identify(record: ET.Element) -> None:
    """Give the record its instanceID, making `orx:meta` where the form has no meta."""
    meta = next((child for child in record if _local(child) == "meta"), None)
    if meta is None:
        meta = ET.SubElement(record, f"{{{ORX}}}meta")
    found = next((child for child in meta if _local(child) == "instanceID"), None)
    target = found if found is not None else ET.SubElement(meta, f"{{{ORX}}}instanceID")
    target.text = f"uuid:{uuid.uuid4()}"


def _local(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]
