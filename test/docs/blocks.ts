/** The examples in a page of docs/integrations. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** @returns the texts of the code blocks of one language, in order */
export function blocks(page: string, language: string): string[] {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'integrations', page), 'utf8')
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter(([, name]) => name === language).map(([, , block]) => block!)
}
