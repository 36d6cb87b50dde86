/** The version of this program, from its package: one folder up from the sources, two from the built program. */
import { existsSync, readFileSync } from 'node:fs'

const [manifest] = ['../package.json', '../../package.json'].map((path) => new URL(path, import.meta.url)).filter((url) => existsSync(url))

export const { version: VERSION } = JSON.parse(readFileSync(manifest!, 'utf8')) as { version: string }
