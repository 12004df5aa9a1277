import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(__dirname, '../..')

/** A block of a page that is marked as `ts`: those are ours, and hold. What shows another library is marked otherwise. */
export interface Snippet {
  /** Where a reader finds it: `README.md:13`. */
  readonly place: string
  readonly code: string
}

export function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(({ index, 1: code = '' }) => ({
    place: `${page}:${text.slice(0, index).split('\n').length + 1}`,
    code,
  }))
}
