import type { FlowEnd } from '../../protocols/events.ts'
import { mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, type Detector } from './detector.ts'
import { judgeCrossings } from './volume.ts'

/** Days after which a device that was never seen is judged by the site's habits. */
const KNOWN = 3

export const fanOut: Detector<'flow'> = {
  id: 'fan-out',
  question: 'Does a device reach for many hosts or ports that it never used (a scan, a sweep, a worm)?',
  wants: ['flow'],
  group: 'novelty',
  objective: 'movement',
  attack: ['T1046', 'T1018', 'T1210', 'T1021.002'],
  falsePositives: ['a vulnerability scanner or monitoring system on its first round', 'a replaced server that everybody has to reach anew'],

  judge(event: FlowEnd, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (scene.crossed.length === 0 || (!mature(device) && site.age < KNOWN)) return NONE
    const silent = event.state === 'refused' || event.state === 'unanswered'
    return judgeCrossings({
      contacts: {
        detector: fanOut, title: `${nameOf(device)} reaches for many hosts and ports that it never used`, least: 8,
        note: `the latest is port ${event.flow.server.port} of ${event.flow.server.ip}${silent ? `, ${event.state}` : ''}`,
      },
    }, event, device, site, scene)
  },
}
