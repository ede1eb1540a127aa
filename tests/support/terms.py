"""Names of terms of the biodiversity standards, as they are in their lists (TDWG: rs.tdwg.org/dwc/terms, rs.tdwg.org/eco/terms)."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


EVENT = _words(
    """
    eventID parentEventID eventType fieldNumber eventDate eventTime startDayOfYear endDayOfYear year month day
    verbatimEventDate habitat samplingProtocol sampleSizeValue sampleSizeUnit samplingEffort fieldNotes eventRemarks
    locationID higherGeography continent waterBody country countryCode stateProvince county municipality locality
    verbatimLocality locationRemarks decimalLatitude decimalLongitude geodeticDatum coordinateUncertaintyInMeters
    coordinatePrecision footprintWKT georeferenceProtocol georeferenceRemarks dataGeneralizations informationWithheld
    dynamicProperties
    """
)
OCCURRENCE = _words(
    """
    occurrenceID catalogNumber recordNumber recordedBy individualCount organismQuantity organismQuantityType sex
    lifeStage reproductiveCondition behavior vitality establishmentMeans degreeOfEstablishment pathway occurrenceStatus
    associatedMedia occurrenceRemarks basisOfRecord informationWithheld dataGeneralizations dynamicProperties
    identificationID identificationQualifier identifiedBy dateIdentified identificationVerificationStatus
    identificationRemarks taxonID scientificName kingdom phylum class order family genus specificEpithet
    infraspecificEpithet taxonRank scientificNameAuthorship vernacularName taxonRemarks eventID
    """
)
HUMBOLDT = _words(
    """
    siteCount siteNestingDescription verbatimSiteDescriptions verbatimSiteNames geospatialScopeAreaValue
    geospatialScopeAreaUnit totalAreaSampledValue totalAreaSampledUnit reportedWeather reportedExtremeConditions
    targetHabitatScope excludedHabitatScope eventDurationValue eventDurationUnit targetTaxonomicScope
    excludedTaxonomicScope taxonCompletenessReported taxonCompletenessProtocols isTaxonomicScopeFullyReported
    isAbsenceReported absentTaxa hasNonTargetTaxa nonTargetTaxa areNonTargetTaxaFullyReported targetLifeStageScope
    excludedLifeStageScope isLifeStageScopeFullyReported targetDegreeOfEstablishmentScope
    excludedDegreeOfEstablishmentScope isDegreeOfEstablishmentScopeFullyReported targetGrowthFormScope
    excludedGrowthFormScope isGrowthFormScopeFullyReported hasNonTargetOrganisms verbatimTargetScope compilationTypes
    compilationSourceTypes inventoryTypes protocolNames protocolDescriptions protocolReferences isAbundanceReported
    isAbundanceCapReported abundanceCap isVegetationCoverReported isLeastSpecificTargetCategoryQuantityInclusive
    hasVouchers voucherInstitutions hasMaterialSamples materialSampleTypes samplingPerformedBy isSamplingEffortReported
    samplingEffortProtocol samplingEffortValue samplingEffortUnit
    """
)
DUBLIN_CORE = _words("license accessRights rightsHolder bibliographicCitation references modified language type")
