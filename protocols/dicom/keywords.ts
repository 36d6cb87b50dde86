/** Keywords of the attributes that queries use as keys (PS3.4 annexes C and K, PS3.6 table 6-1) and that hold documents and pictures; others keep their number. */
const KEYWORDS: ReadonlyMap<number, string> = new Map([
  [0x00080012, 'InstanceCreationDate'], [0x00080013, 'InstanceCreationTime'], [0x00080016, 'SOPClassUID'], [0x00080018, 'SOPInstanceUID'],
  [0x00080020, 'StudyDate'], [0x00080021, 'SeriesDate'], [0x00080022, 'AcquisitionDate'], [0x00080023, 'ContentDate'], [0x0008002a, 'AcquisitionDateTime'],
  [0x00080030, 'StudyTime'], [0x00080031, 'SeriesTime'], [0x00080050, 'AccessionNumber'], [0x00080051, 'IssuerOfAccessionNumberSequence'],
  [0x00080056, 'InstanceAvailability'], [0x00080060, 'Modality'], [0x00080061, 'ModalitiesInStudy'], [0x00080062, 'SOPClassesInStudy'],
  [0x00080070, 'Manufacturer'], [0x00080080, 'InstitutionName'], [0x00080090, 'ReferringPhysicianName'], [0x00080100, 'CodeValue'], [0x00080102, 'CodingSchemeDesignator'],
  [0x00080104, 'CodeMeaning'], [0x00081010, 'StationName'], [0x00081030, 'StudyDescription'], [0x0008103e, 'SeriesDescription'], [0x00081040, 'InstitutionalDepartmentName'],
  [0x00081048, 'PhysiciansOfRecord'], [0x00081050, 'PerformingPhysicianName'], [0x00081060, 'NameOfPhysiciansReadingStudy'], [0x00081070, 'OperatorsName'],
  [0x00081090, 'ManufacturerModelName'], [0x00081150, 'ReferencedSOPClassUID'], [0x00081155, 'ReferencedSOPInstanceUID'],
  [0x00100010, 'PatientName'], [0x00100020, 'PatientID'], [0x00100021, 'IssuerOfPatientID'], [0x00100030, 'PatientBirthDate'], [0x00100032, 'PatientBirthTime'],
  [0x00100040, 'PatientSex'], [0x00101000, 'OtherPatientIDs'], [0x00101001, 'OtherPatientNames'], [0x00101010, 'PatientAge'], [0x00101020, 'PatientSize'],
  [0x00101030, 'PatientWeight'], [0x00102000, 'MedicalAlerts'], [0x00102110, 'Allergies'], [0x00102160, 'EthnicGroup'], [0x00104000, 'PatientComments'],
  [0x00180015, 'BodyPartExamined'], [0x00181030, 'ProtocolName'], [0x0020000d, 'StudyInstanceUID'], [0x0020000e, 'SeriesInstanceUID'], [0x00200010, 'StudyID'],
  [0x00200011, 'SeriesNumber'], [0x00200013, 'InstanceNumber'], [0x00201200, 'NumberOfPatientRelatedStudies'], [0x00201206, 'NumberOfStudyRelatedSeries'],
  [0x00201208, 'NumberOfStudyRelatedInstances'], [0x00201209, 'NumberOfSeriesRelatedInstances'],
  [0x00321032, 'RequestingPhysician'], [0x00321033, 'RequestingService'], [0x00321060, 'RequestedProcedureDescription'],
  [0x00380010, 'AdmissionID'], [0x00380300, 'CurrentPatientLocation'], [0x00380400, 'PatientInstitutionResidence'], [0x00380500, 'PatientState'],
  [0x00400001, 'ScheduledStationAETitle'], [0x00400002, 'ScheduledProcedureStepStartDate'], [0x00400003, 'ScheduledProcedureStepStartTime'],
  [0x00400004, 'ScheduledProcedureStepEndDate'], [0x00400006, 'ScheduledPerformingPhysicianName'], [0x00400007, 'ScheduledProcedureStepDescription'],
  [0x00400009, 'ScheduledProcedureStepID'], [0x00400010, 'ScheduledStationName'], [0x00400011, 'ScheduledProcedureStepLocation'], [0x00400020, 'ScheduledProcedureStepStatus'],
  [0x00400244, 'PerformedProcedureStepStartDate'], [0x00400245, 'PerformedProcedureStepStartTime'], [0x00401001, 'RequestedProcedureID'],
  [0x00401003, 'RequestedProcedurePriority'], [0x00401400, 'RequestedProcedureComments'], [0x00402016, 'PlacerOrderNumberImagingServiceRequest'],
  [0x00402017, 'FillerOrderNumberImagingServiceRequest'], [0x0040a491, 'CompletionFlag'], [0x0040a493, 'VerificationFlag'], [0x00741000, 'ProcedureStepState'],
  [0x00420011, 'EncapsulatedDocument'], [0x7fe00010, 'PixelData'],
])

/** The keyword of an attribute, or its number: `00101234`. */
export const keyword = (tag: number): string => KEYWORDS.get(tag) ?? tag.toString(16).padStart(8, '0').toUpperCase()

const TAGS: ReadonlyMap<string, number> = new Map([...KEYWORDS].map(([tag, name]) => [name, tag]))

/** The attribute of a keyword that is known here, or of eight hexadecimal digits. */
export const tagOf = (name: string): number | null => TAGS.get(name) ?? (/^[0-9A-Fa-f]{8}$/.test(name) ? parseInt(name, 16) : null)

const DATES_AND_TIMES: ReadonlySet<number> = new Set([...KEYWORDS].filter(([, name]) => /Date|Time/.test(name)).map(([tag]) => tag))

/** Range matching (PS3.4 C.2.2.2.5): dates and times that hold a hyphen. */
export const isRange = (tag: number, value: string): boolean => value.includes('-') && DATES_AND_TIMES.has(tag) && /^[\d.:-]+$/.test(value)

export const keywords: Iterable<readonly [tag: number, keyword: string]> = KEYWORDS
