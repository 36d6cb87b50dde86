/**
 * At installation (`npm run build`), after the compiler: what the program takes of `protocols/` and `models/` is put into few files, because Node takes
 * about half a millisecond to find, read and link each of their 180. Where a module was stays where it is; it fetches what it shares from chunks.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..', '..')
const FROM_SRC = /'(?:\.\.\/)+((?:protocols|models)\/[^']+\.ts)'/g

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const taken = sources.flatMap((name) => [...readFileSync(join(root, 'src', name), 'utf8').matchAll(FROM_SRC)].map(([, path]) => path!))

rmSync(join(root, 'dist', 'protocols', 'chunks'), { recursive: true, force: true })
await build({
  absWorkingDir: root, entryPoints: [...new Set(taken)], outbase: '.', outdir: 'dist', chunkNames: 'protocols/chunks/[name]-[hash]',
  bundle: true, splitting: true, packages: 'external', format: 'esm', platform: 'node', target: 'node20', logLevel: 'warning',
})
