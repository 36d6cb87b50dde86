import type { DicomAssociation } from '../../protocols/events.ts'
import { mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, days, evidence, type Detector } from './detector.ts'

/** PS3.7 annex D.3.3.7: 1 user name, 2 user name and passcode; others carry tickets or assertions. */
const PASSCODE = 2

export const cleartextIdentity: Detector<'dicom.association'> = {
  id: 'cleartext-identity',
  question: 'Does a device send a user name and passcode in the clear, as it never did?',
  wants: ['dicom.association'],
  group: 'protocol',
  objective: 'identity',
  attack: ['T1552', 'T1078'],
  falsePositives: ['a client that was set to log in by user name (better over TLS)'],

  judge(event: DicomAssociation, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    if (scene.side !== 'client' || event.user_identity?.type !== PASSCODE || !event.user_identity.has_passcode) return NONE
    // Known of this device, or of the first days of a site that always does so: an exposure, but no event.
    if (device.memories.service.known.get('user-passcode>')?.settled === true) return NONE
    if (!mature(device) && scene.peer.memories.service.known.get('user-passcode<')?.settled === true) return NONE
    return [evidence(cleartextIdentity, event, {
      actor: device, peer: scene.peer, p: null, severity: 'low', observed: 1, expected: 0, unit: 'associations with a passcode in the clear',
      title: `${nameOf(device)} sends a user name and passcode in the clear`,
      text: `The association request of ${nameOf(device)} to ${nameOf(scene.peer)} carries a user identity with passcode (PS3.7 D.3.3.7), unencrypted; `
        + `none did in ${days(device.lived)}. Whoever can listen can log in as this user.`,
    })]
  },
}
