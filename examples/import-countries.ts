/**
 * Imports all countries of the world, 25 at a time. Each comes with its region, its currencies and its languages, which
 * it shares with others: whoever is first creates them. Beside it, the same import with `findOneBy` and `save`.
 *
 *     npm run demo
 *     DATABASE_TYPE=postgres DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres npm run demo
 *
 * What an application would copy is in countries/import.ts and countries/repositories.ts.
 */
import { isDeepStrictEqual } from 'node:util'
import { options } from '../ormconfig.js'
import { withThePackage, writtenByHand } from './countries/repositories.js'
import { expectedRows } from './countries/rows.js'
import { type Outcome, runImport } from './countries/run.js'
import { sources } from './countries/source.js'
import { progress, summary } from './countries/summary.js'

const CALLERS = 25

console.log(`${sources.length} countries, ${CALLERS} at a time, into ${options.type}\n`)
for (const open of [withThePackage, writtenByHand]) {
  // Neither is timed while Node still compiles.
  await runImport(options, open, sources.slice(0, CALLERS), CALLERS, () => {})
}
const ours = await runImport(options, withThePackage, sources, CALLERS, progress('getOrCreate', sources.length))
const byHand = await runImport(options, writtenByHand, sources, CALLERS, progress('findOneBy + save', sources.length))

const expected = expectedRows(sources)
console.log(summary({ getOrCreate: ours, 'findOneBy + save': byHand }, expected, CALLERS))

if (!isCorrect(ours)) {
  console.error('\ngetOrCreate did not store what the data set holds.')
  process.exitCode = 1
}

function isCorrect({ rows, created, duplicates, errors }: Outcome): boolean {
  const entities = expected.regions + expected.currencies + expected.languages + expected.countries
  return errors.length === 0 && duplicates === 0 && created === entities && isDeepStrictEqual(rows, expected)
}
