import { QueryFailedError } from 'typeorm'
import { auroraMysql, auroraPostgres } from '../../src/dialects/aurora.js'
import { cockroachdb } from '../../src/dialects/cockroachdb.js'
import type { Dialect } from '../../src/dialects/dialect.js'
import { mariadb } from '../../src/dialects/mariadb.js'
import { mssql } from '../../src/dialects/mssql.js'
import { mysql } from '../../src/dialects/mysql.js'
import { oracle } from '../../src/dialects/oracle.js'
import { postgres } from '../../src/dialects/postgres.js'
import { sap } from '../../src/dialects/sap.js'
import { spanner } from '../../src/dialects/spanner.js'
import { sqlite } from '../../src/dialects/sqlite.js'
import { failureKindOf } from '../../src/failures.js'
import { isTransientFailure, isUniqueViolation, uniqueViolation } from '../../src/index.js'
import { type RecordedError, recordedErrors, strangers } from './recorded-errors.js'

/** The driver's error as it was thrown, and as TypeORM passes it on. */
const forms: [form: string, of: (recorded: RecordedError) => Error][] = [
  ['as the driver threw it', ({ error }) => Object.assign(new Error(error.message), error)],
  [
    'in a QueryFailedError',
    ({ error }) => new QueryFailedError('INSERT …', [], Object.assign(new Error(error.message), error)),
  ],
]

describe.each(Object.entries(recordedErrors))('%s', (_database, recorded) => {
  describe.each(forms)('%s', (_form, of) => {
    test.each(Object.entries(recorded))('%s', (_event, example) => {
      const error = of(example)

      expect(failureKindOf(error)).toBe(example.kind)
      expect(isUniqueViolation(error)).toBe(example.kind === 'uniqueViolation')
      expect(isTransientFailure(error)).toBe(['deadlock', 'serializationFailure'].includes(example.kind ?? ''))
    })
  })
})

const violations = Object.entries(recordedErrors).flatMap(([database, recorded]) =>
  Object.entries(recorded)
    .filter(([, { violates }]) => violates)
    .map(([event, example]): [string, RecordedError] => [`${database}: ${event}`, example]),
)

describe('uniqueViolation gives the facts that the driver gives, and no others', () => {
  test.each(violations)('%s', (_event, example) => {
    for (const [, of] of forms) expect(uniqueViolation(of(example))).toStrictEqual(example.violates)
  })

  test('it gives nothing at all for an error that is no unique violation', () => {
    const others = Object.values(recordedErrors)
      .flatMap((recorded) => Object.values(recorded))
      .filter(({ kind }) => kind !== 'uniqueViolation')

    expect(others.length).toBeGreaterThan(40)
    for (const example of others) for (const [, of] of forms) expect(uniqueViolation(of(example))).toBeUndefined()
  })
})

describe('what did not come from a database is neither a violation nor transient', () => {
  test.each(Object.entries(strangers))('%s', (_name, error) => {
    expect(isUniqueViolation(error)).toBe(false)
    expect(uniqueViolation(error)).toBeUndefined()
    expect(isTransientFailure(error)).toBe(false)
  })

  test('a QueryFailedError of an unknown driver', () => {
    const error = new QueryFailedError('INSERT …', [], new Error('duplicate key'))

    expect(isUniqueViolation(error)).toBe(false)
    expect(isTransientFailure(error)).toBe(false)
  })
})

test('looking at an error leaves it as it was', () => {
  for (const recorded of Object.values(recordedErrors))
    for (const example of Object.values(recorded)) {
      const error = Object.freeze(Object.assign(new Error(example.error.message), example.error))
      isUniqueViolation(error)
      uniqueViolation(error)
      isTransientFailure(error)
    }
})

const dialects: Record<string, [Dialect, recordings: string[]]> = {
  postgres: [postgres, ['PostgreSQL (pg)']],
  cockroachdb: [cockroachdb, ['CockroachDB (pg)', 'PostgreSQL (pg)']],
  mysql: [mysql, ['MySQL (mysql2)', 'MariaDB (mysql2)']],
  mariadb: [mariadb, ['MariaDB (mysql2)', 'MySQL (mysql2)']],
  sqlite: [sqlite, ['better-sqlite3']],
  mssql: [mssql, ['SQL Server (mssql)']],
  oracle: [oracle, ['Oracle (oracledb)']],
  sap: [sap, ['SAP HANA (@sap/hana-client, hdb)']],
  spanner: [spanner, ['Spanner (@google-cloud/spanner)']],
}

test.each(Object.entries(dialects))('every code in the table of %s has a recorded error', (_name, [dialect, names]) => {
  const examples = names.flatMap((name) => Object.values(recordedErrors[name] ?? {}))
  const reached = Object.entries(dialect.failures).map(([kind, codes]) => [
    kind,
    Object.entries(codes).filter(([, code]) =>
      examples.some((example) => example.kind === kind && dialect.codeOf(example.error) === code),
    ),
  ])

  expect(Object.fromEntries(reached)).toEqual(
    Object.fromEntries(Object.entries(dialect.failures).map(([kind, codes]) => [kind, Object.entries(codes)])),
  )
})

test('Aurora has the tables of the databases that it speaks for', () => {
  expect(auroraMysql.failures).toBe(mysql.failures)
  expect(auroraPostgres.failures).toBe(postgres.failures)
})
