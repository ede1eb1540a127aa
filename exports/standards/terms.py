"""The tables of our Darwin Core archive: each column is a term of Darwin Core, of the Humboldt extension or of Dublin Core.

The text guide of Darwin Core (rs.tdwg.org/dwc/terms/guides/text) says how meta.xml tells them.
"""

from collections.abc import Mapping
from typing import NamedTuple

from exports.package.contents import Column, Table

DWC, ECO, DC = "http://rs.tdwg.org/dwc/terms/", "http://rs.tdwg.org/eco/terms/", "http://purl.org/dc/terms/"
_TRUTHS = ("true", "false")


class Part(NamedTuple):
    """One file of an archive: the class its rows belong to, and its table. The first column is the id of the event."""

    row_type: str
    namespace: str
    table: Table

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.table.columns)

    def term(self, name: str) -> str:
        """The address of the term that a column is. The id of an event is always of Darwin Core, the licence of Dublin Core."""
        own = {"eventID": DWC, "license": DC}
        return f"{own.get(name, self.namespace)}{name}"


_EVENT_ID = Column("eventID", "string", "", "Id of the event, the same in every release for these readers")
EVENT = (
    _EVENT_ID,
    Column("eventType", "string", "", "Kind of event", ("survey", "observation")),
    Column("eventDate", "string", "ISO 8601", "First and last day of the month or quarter in which it was"),
    Column("samplingProtocol", "string", "", "How animals were looked for"),
    Column("sampleSizeValue", "number", "", "How much was looked over"),
    Column("sampleSizeUnit", "string", "", "Unit of that", ("kilometre", "square kilometre")),
    Column("samplingEffort", "string", "", "The effort in words"),
    Column("habitat", "string", "", "Main vegetation or terrain"),
    Column("countryCode", "string", "ISO 3166-1 alpha-2", "Country in which the cell lies"),
    Column("decimalLatitude", "number", "degrees, WGS 84", "Latitude of the middle of the cell"),
    Column("decimalLongitude", "number", "degrees, WGS 84", "Longitude of the middle of the cell"),
    Column("geodeticDatum", "string", "", "Reference system of the coordinates", ("EPSG:4326",)),
    Column("coordinateUncertaintyInMeters", "integer", "m", "The event was no farther than this from the middle of the cell"),
    Column("coordinatePrecision", "number", "degrees, WGS 84", "Size of the cells"),
    Column("dataGeneralizations", "string", "", "What was made coarser"),
    Column("informationWithheld", "string", "", "What is not told"),
    Column("license", "string", "", "Licence of the data"),
)
OCCURRENCE = (
    _EVENT_ID,
    Column("occurrenceID", "string", "", "Id of the occurrence: that of its event, and a number"),
    Column("basisOfRecord", "string", "", "Seen by a person or by a camera", ("HumanObservation", "MachineObservation")),
    Column("occurrenceStatus", "string", "", "Always present: what was looked for in vain is in humboldt.csv", ("present",)),
    Column("scientificName", "string", "", "Scientific name"),
    Column("taxonRank", "string", "", "Rank of the name"),
    Column("kingdom", "string", "", "Kingdom"),
    Column("vernacularName", "string", "", "English name"),
    Column("individualCount", "integer", "animals", "How many animals; empty for a sign that cannot tell"),
    Column("sex", "string", "", "Sex", ("female", "male")),
    Column("lifeStage", "string", "", "Age", ("adult", "subadult")),
    Column("behavior", "string", "", "What the animals did when they were first seen"),
    Column("identificationVerificationStatus", "string", "", "How sure it is that it was a leopard: class of SCALP"),
    Column("occurrenceRemarks", "string", "", "What the evidence was"),
    Column("dynamicProperties", "string", "JSON", "Sexes and ages in the group; distances and angles; herds and dogs near by"),
)
HUMBOLDT = (
    _EVENT_ID,
    Column("inventoryTypes", "string", "", "Way of searching", ("restrictedSearch", "opportunisticSearch", "adventitious")),
    Column("compilationTypes", "string", "", "Where the data come from", ("samplingEvents",)),
    Column("protocolNames", "string", "", "Name of the method"),
    Column("protocolDescriptions", "string", "", "The method in words"),
    Column("protocolReferences", "string", "", "Publications about the method"),
    Column("targetTaxonomicScope", "string", "", "What was looked for, separated by |"),
    Column("isTaxonomicScopeFullyReported", "boolean", "", "Whether everything on that list that was seen is told"),
    Column("isAbsenceReported", "boolean", "", "Whether it is told what was not seen"),
    Column("absentTaxa", "string", "", "What was looked for and not seen, separated by |"),
    Column("hasNonTargetTaxa", "boolean", "", "Whether other animals are told as well"),
    Column("isAbundanceReported", "boolean", "", "Whether animals were counted"),
    Column("isSamplingEffortReported", "boolean", "", "Whether the effort is told"),
    Column("samplingEffortProtocol", "string", "", "How the effort was measured"),
    Column("samplingEffortValue", "number", "", "Effort"),
    Column("samplingEffortUnit", "string", "", "Unit of the effort", ("kilometre", "square kilometre")),
    Column("totalAreaSampledValue", "number", "", "Area that was looked over"),
    Column("totalAreaSampledUnit", "string", "", "Unit of that area", ("km²",)),
    Column("reportedWeather", "string", "JSON", "Weather and visibility"),
    Column("hasMaterialSamples", "boolean", "", "Whether a sample was taken"),
)
PARTS: Mapping[str, Part] = {
    "event.csv": Part(f"{DWC}Event", DWC, Table(EVENT, ("eventID",))),
    "occurrence.csv": Part(f"{DWC}Occurrence", DWC, Table(OCCURRENCE, ("occurrenceID",))),
    "humboldt.csv": Part(f"{ECO}Event", ECO, Table(HUMBOLDT, ("eventID",))),
}
"""By the name of the file, the core first."""
