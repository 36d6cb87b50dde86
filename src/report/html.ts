/** The page as one HTML text: everything inside, nothing fetched, and a content-security policy that allows just what is in it. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Assets } from './bundle.ts'
import type { ReportData } from './data.ts'

/** Made at installation, or (from sources) now. */
export async function pageAssets(): Promise<Assets> {
  const here = import.meta.dirname
  const script = join(here, 'page.js')
  if (existsSync(script)) return { script: readFileSync(script, 'utf8'), style: readFileSync(join(here, 'page.css'), 'utf8') }
  const { bundle } = await import('./bundle.ts')
  return bundle(join(here, 'page'))
}

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/**
 * @param connect where the page may connect to: `'none'`, or `'self'` in the console
 * @returns the policy; strings can never become markup or script in it (trusted types)
 */
export function contentSecurityPolicy({ script, style }: Assets, connect: "'none'" | "'self'"): string {
  return [
    "default-src 'none'", `script-src ${hash(script)}`, `style-src ${hash(style)}`, `connect-src ${connect}`, "img-src data:", "base-uri 'none'", "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ')
}

/** JSON that ends no element and begins no comment, wherever a browser reads it. */
export const inHtml = (value: unknown): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** @param data null in the console, which fetches it */
export function pageHtml(assets: Assets, data: ReportData | null): string {
  // A policy in the page protects wherever the file is opened; the console sends its own as a header.
  const policy = data === null ? '' : `<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy(assets, "'none'")}">\n`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${policy}<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>wardwire</title>
<style id="__________cytoscape_stylesheet">${assets.style}</style>
</head>
<body>
<div id="page"><noscript>This report draws itself with the script inside it; nothing is fetched from anywhere. Please allow scripts for this file.</noscript></div>
${data === null ? '' : `<script type="application/json" id="data">${inHtml(data)}</script>\n`}<script>${assets.script}</script>
</body>
</html>
`
}
