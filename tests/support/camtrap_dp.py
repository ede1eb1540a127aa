"""What the three tables of Camtrap DP 1.0.2 must hold: names, types and limits, written down from the standard.

Source: Camtrap DP 1.0.2 (TDWG, camtrap-dp.tdwg.org/data). A line is a field: its name, its type (with ! if every row needs it), and
what its values keep to: a range, or a list of words.
"""

from typing import Any

HOME = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0.2"
_MOMENT = "%Y-%m-%dT%H:%M:%S%z"
_FEATURES = (
    "roadPaved roadDirt trailHiking trailGame roadUnderpass roadOverpass roadBridge culvert burrow nestSite carcass waterSource"
    " fruitingTree"
)
_FIELDS = {
    "deployments": f"""
        deploymentID string! unique
        locationID string
        locationName string
        latitude number! -90..90
        longitude number! -180..180
        coordinateUncertainty integer 1..
        deploymentStart datetime!
        deploymentEnd datetime!
        setupBy string
        cameraID string
        cameraModel string
        cameraDelay integer 0..
        cameraHeight number 0..
        cameraDepth number 0..
        cameraTilt integer -90..90
        cameraHeading integer 0..360
        detectionDistance number 0..
        timestampIssues boolean
        baitUse boolean
        featureType string {_FEATURES}
        habitat string
        deploymentGroups string
        deploymentTags string
        deploymentComments string
    """,
    "media": """
        mediaID string! unique
        deploymentID string!
        captureMethod string activityDetection timeLapse
        timestamp datetime!
        filePath string!
        filePublic boolean!
        fileName string
        fileMediatype string!
        exifData any
        favorite boolean
        mediaComments string
    """,
    "observations": """
        observationID string! unique
        deploymentID string!
        mediaID string
        eventID string
        eventStart datetime!
        eventEnd datetime!
        observationLevel string! media event
        observationType string! animal human vehicle blank unknown unclassified
        cameraSetupType string setup calibration
        scientificName string
        count integer 1..
        lifeStage string adult subadult juvenile
        sex string female male
        behavior string
        individualID string
        individualPositionRadius number 0..
        individualPositionAngle number -90..90
        individualSpeed number 0..
        bboxX number 0..1
        bboxY number 0..1
        bboxWidth number 1e-15..1
        bboxHeight number 1e-15..1
        classificationMethod string human machine
        classifiedBy string
        classificationTimestamp datetime
        classificationProbability number 0..1
        observationTags string
        observationComments string
    """,
}
_LINKS = {"deployments": [], "media": ["deployments"], "observations": ["deployments", "media"]}
_KEYS = {"deployments": "deploymentID", "media": "mediaID", "observations": "observationID"}
DEMANDED = ("resources", "profile", "created", "contributors", "project", "spatial", "temporal", "taxonomic")
"""What the descriptor of every package must have."""
OF_PROJECT = ("title", "samplingDesign", "captureMethod", "individualAnimals", "observationLevel")
ROLES = {"contact", "principalInvestigator", "rightsHolder", "publisher", "contributor"}
DESIGNS = {"simpleRandom", "systematicRandom", "clusteredRandom", "experimental", "targeted", "opportunistic"}


def schema(name: str) -> dict[str, Any]:
    """The table of this name as a Table Schema of Frictionless."""
    links = [{"fields": _KEYS[each], "reference": {"resource": each, "fields": _KEYS[each]}} for each in _LINKS[name]]
    fields = [_field(line.split()) for line in _FIELDS[name].strip().splitlines()]
    about = {"name": name, "fields": fields, "primaryKey": _KEYS[name], "missingValues": ["", "NA", "NaN", "nan"]}
    return {**about, "foreignKeys": links} if links else about


def _field(words: list[str]) -> dict[str, Any]:
    name, kind, *rest = words
    made: dict[str, Any] = {"name": name, "type": kind.removesuffix("!"), "constraints": {"required": kind.endswith("!")}}
    if made["type"] == "datetime":
        made["format"] = _MOMENT
    if rest == ["unique"]:
        made["constraints"]["unique"] = True
    elif len(rest) == 1 and ".." in rest[0]:
        low, _, high = rest[0].partition("..")
        made["constraints"] |= {key: float(text) for key, text in (("minimum", low), ("maximum", high)) if text}
        if made["type"] == "integer":
            made["constraints"] |= {
                key: int(made["constraints"][key]) for key in ("minimum", "maximum") if key in made["constraints"]
            }
    elif rest:
        made["constraints"]["enum"] = rest
    return made
