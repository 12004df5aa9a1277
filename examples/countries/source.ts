import { createRequire } from 'node:module'
import type { Countries } from 'world-countries'

/** Required, not imported: the package's types describe an ES module, and what Node loads is CommonJS. */
export const sources: Countries = createRequire(import.meta.url)('world-countries')
