/**
 * At installation (`npm run build`), after the compiler: what the program takes of `protocols/` and `models/` is put into few files, because Node takes
 * about half a millisecond to find, read and link each of their 180. Where a module was stays where it is; it fetches what it shares from chunks.
 *
 * The bundler has to leave each `const` of a module a `const`: its value is then part of the machine code, where that of a `var` is loaded and
 * checked at each use, in the innermost loops too.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const root = join(import.meta.dirname, '..', '..')
const FROM_SRC = /'(?:\.\.\/)+((?:protocols|models)\/[^']+)\.ts'/g

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const taken = sources.flatMap((name) => [...readFileSync(join(root, 'src', name), 'utf8').matchAll(FROM_SRC)].map(([, path]) => path!))

rmSync(join(root, 'dist', 'protocols', 'chunks'), { recursive: true, force: true })
const bundle = await rolldown({
  cwd: root, input: Object.fromEntries(taken.map((path) => [path, `${path}.ts`])), external: /^[^./]/, platform: 'node', logLevel: 'warn',
})
await bundle.write({ dir: join(root, 'dist'), format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'protocols/chunks/[name]-[hash].js' })
