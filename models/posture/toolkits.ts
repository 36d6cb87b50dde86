/**
 * Whose DICOM software it is, by the root of its implementation class UID (PS3.7 D.3.3.2): the root is registered to an organisation, so it
 * names the maker of the toolkit, which need not be the maker of the device. Roots as their owners publish them in conformance statements.
 */
const ROOTS: readonly (readonly [root: string, owner: string])[] = [
  ['1.2.276.0.7230010.3.0', 'OFFIS DCMTK'],
  ['1.2.40.0.13.1', 'dcm4che'],
  ['1.2.826.0.1.3680043.9.3811', 'pynetdicom'],
  ['1.3.6.1.4.1.30071.8', 'fo-dicom'],
  ['1.2.826.0.1.3680043.2.1143', 'GDCM'],
  ['1.2.826.0.1.3680043.9.5560', 'odil'],
  ['1.2.826.0.1.3680043.10.854', 'dcmjs-dimse'],
  ['1.3.6.1.4.1.25403', 'ClearCanvas'],
  ['1.2.826.0.1.3680043.2.135.1066', 'Conquest DICOM server'],
  ['1.2.840.113619', 'GE HealthCare'],
  ['1.3.12.2.1107', 'Siemens Healthineers'],
  ['1.3.46.670589', 'Philips'],
  ['1.2.392.200036.9116', 'Canon (Toshiba) Medical Systems'],
  ['1.2.392.200036.9125', 'Fujifilm'],
  ['1.2.840.113564', 'Carestream (Kodak)'],
  ['1.3.51', 'Agfa'],
  ['1.2.840.113669', 'Merge Healthcare'],
]

/** @param uid implementation class UID @returns its owner, or null where the root is not in the table */
export function toolkitOf(uid: string | null): string | null {
  if (uid === null) return null
  for (const [root, owner] of ROOTS) if (uid === root || uid.startsWith(`${root}.`)) return owner
  return null
}
