/** Text from the wire that wants to be more than text. */
import { OUTSIDE, SmallHospital, START, scan } from '../small-hospital.ts'

export const SCRIPT = '</script><script>alert(1)</script>'
export const IMAGE = '<img src=x onerror=alert(2)>'
export const TURNED = '\u202eEVIL\u0007\u001b[31m'
/** Turns, hides and joins without a mark of it. */
const UNSEEN = '\u2066a\u200bb\ufeffc\u00add\u061ce\u2060f\u2029g\u0085h\u{e0041}i\u3164'

/** A site whose names are attacks: AE titles of 16 characters, HL7 applications and facilities of any length. */
export function hostileCapture(): Uint8Array {
  const hospital = new SmallHospital()
  const names = ['<b>CT</b>', '"><script>', "';alert(3)//", '<svg onload=a>', '=1+1|cmd', '__proto__', 'constructor']
  for (let day = 0; day < 6; day++) {
    for (let i = 0; i < names.length; i++) {
      const at = START + day * 86_400e6 + i * 600e6
      hospital.association(at, scan(day * 10 + i), [], names[day < 4 ? 0 : i])
      const app = [SCRIPT, IMAGE, TURNED, '=HYPERLINK("http://x")', 'x'.repeat(4000), UNSEEN, '{{7*7}}'][i]!
      // Studies leave for the Internet in names like these: something to alert about.
      if (day === 5) hospital.association(at + 30e6, scan(day * 10 + i), [], names[i], OUTSIDE)
      hospital.feed(at + 60e6, [{ text: `MSH|^~\\&|${app}|${IMAGE}|ENG|GH|20260202080000||ADT^${i % 2 === 0 ? 'A08' : '<i>'}|C${day}${i}|P|2.5.1\rPID|1||P${i}\r`, controlId: `C${day}${i}` }])
    }
  }
  return hospital.capture()
}
