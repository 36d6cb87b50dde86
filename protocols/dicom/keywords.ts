/** Keywords of the attributes that queries use as keys (PS3.6 table 6-1); others keep their number. */
const KEYWORDS: ReadonlyMap<number, string> = new Map([
  [0x00080016, 'SOPClassUID'], [0x00080018, 'SOPInstanceUID'], [0x00080020, 'StudyDate'], [0x00080021, 'SeriesDate'], [0x00080030, 'StudyTime'],
  [0x00080050, 'AccessionNumber'], [0x00080054, 'RetrieveAETitle'], [0x00080056, 'InstanceAvailability'], [0x00080060, 'Modality'], [0x00080061, 'ModalitiesInStudy'],
  [0x00080062, 'SOPClassesInStudy'], [0x00080080, 'InstitutionName'], [0x00080090, 'ReferringPhysicianName'], [0x00081030, 'StudyDescription'], [0x0008103e, 'SeriesDescription'],
  [0x00081010, 'StationName'], [0x00100010, 'PatientName'], [0x00100020, 'PatientID'], [0x00100021, 'IssuerOfPatientID'], [0x00100030, 'PatientBirthDate'], [0x00100040, 'PatientSex'],
  [0x0020000d, 'StudyInstanceUID'], [0x0020000e, 'SeriesInstanceUID'], [0x00200010, 'StudyID'], [0x00200011, 'SeriesNumber'], [0x00200013, 'InstanceNumber'],
  [0x00400001, 'ScheduledStationAETitle'], [0x00400002, 'ScheduledProcedureStepStartDate'], [0x00400003, 'ScheduledProcedureStepStartTime'],
  [0x00400006, 'ScheduledPerformingPhysicianName'], [0x00400009, 'ScheduledProcedureStepID'], [0x00400010, 'ScheduledStationName'], [0x00401001, 'RequestedProcedureID'],
])

export const keyword = (tag: number): string => KEYWORDS.get(tag) ?? tag.toString(16).padStart(8, '0').toUpperCase()
