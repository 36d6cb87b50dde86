/**
 * Makes one script and one style sheet of `page/` and the chart libraries. The only home of esbuild: at installation (`npm run build`)
 * this file is run and leaves `page.js` and `page.css` beside itself; from sources the bundle is made when it is asked for.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

export interface Assets {
  script: string
  style: string
}

/** @param sources the folder of the page's TypeScript sources */
export async function bundle(sources: string): Promise<Assets> {
  const { outputFiles } = await build({
    entryPoints: [join(sources, 'main.ts')], bundle: true, minify: true, write: false, outdir: '/', format: 'iife', target: ['chrome111', 'firefox115', 'safari16.4'],
    // The licences of what is bundled stay with it.
    legalComments: 'inline', charset: 'utf8', logLevel: 'silent',
  })
  const text = (end: string): string => outputFiles.find((file) => file.path.endsWith(end))!.text
  return { script: text('.js'), style: text('.css') }
}

if (process.argv[2] === '--write') {
  const here = import.meta.dirname
  const { script, style } = await bundle(process.argv[3]!)
  writeFileSync(join(here, 'page.js'), script)
  writeFileSync(join(here, 'page.css'), style)
}
