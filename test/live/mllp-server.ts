/** A receiver of HL7 messages, for a network namespace: `tsx mllp-server.ts PORT`. */
import { listen } from '../../fixtures/build/lab/mllp-listener.ts'

await listen(Number(process.argv[2]), [])
console.log('listening')
