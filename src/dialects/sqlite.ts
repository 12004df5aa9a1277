import { type Dialect, type DriverError, standardAnswers, type UniqueViolation } from './dialect.js'

/**
 * SQLite and its flavours. Extended result codes: https://www.sqlite.org/rescode.html
 *
 * sql.js and the mobile drivers give no code at all; SQLite's messages are fixed English texts, so there, and only
 * there, the message decides.
 */
export const sqlite: Dialect = {
  ...standardAnswers,
  recognises: (error) => codeOf(error) !== undefined,
  codeOf,
  failures: {
    uniqueViolation: {
      SQLITE_CONSTRAINT_UNIQUE: 'SQLITE_CONSTRAINT_UNIQUE',
      SQLITE_CONSTRAINT_PRIMARYKEY: 'SQLITE_CONSTRAINT_PRIMARYKEY',
      SQLITE_CONSTRAINT_ROWID: 'SQLITE_CONSTRAINT_ROWID',
    },
    // SQLite answers a deadlock by refusing the second writer as busy, at once and whatever the busy timeout says.
    deadlock: { SQLITE_BUSY: 'SQLITE_BUSY', SQLITE_BUSY_RECOVERY: 'SQLITE_BUSY_RECOVERY' },
    serializationFailure: { SQLITE_BUSY_SNAPSHOT: 'SQLITE_BUSY_SNAPSHOT' },
    lockTimeout: { SQLITE_LOCKED: 'SQLITE_LOCKED', SQLITE_BUSY_TIMEOUT: 'SQLITE_BUSY_TIMEOUT' },
    connectionLost: {},
  },
  describeUniqueViolation,
  sharesOneConnection: true,
  isolationLevels: ['READ UNCOMMITTED', 'SERIALIZABLE'],
  // A transaction that reads first and writes then is refused as busy at once when another process wrote in between.
  // One that takes the write lock at its start waits for it, for the length of the busy timeout.
  beginToWrite: 'BEGIN IMMEDIATE TRANSACTION',
  locksRows: false,
  maxParameters: 32_766, // https://www.sqlite.org/limits.html#max_variable_number
  comparesPlainValues: true,
  selectsThroughFunction: (column) => column.type === 'jsonb',
}

/** SQLite whose driver hands back the rows of `INSERT … RETURNING`, which TypeORM does not know of. */
export const sqliteWithReturning: Dialect = { ...sqlite, insertedRow: () => 'returning', updateReturnsRow: true }

function codeOf(error: DriverError): string | undefined {
  const code = typeof error.code === 'string' && error.code.startsWith('SQLITE_') ? error.code : undefined
  // The `sqlite3` driver reports the primary code only, and the rest in the message.
  if (code && code !== 'SQLITE_CONSTRAINT') return code
  if (/UNIQUE constraint failed: /.test(error.message)) return 'SQLITE_CONSTRAINT_UNIQUE'
  if (/(?:^|SQLITE_BUSY: |Error code 5: )database is locked/.test(error.message)) return 'SQLITE_BUSY'
  return code
}

/** `UNIQUE constraint failed: t.a, t.b`, or `… failed: index 'name'` for an index on an expression. */
function describeUniqueViolation(error: DriverError): UniqueViolation {
  const failed = /UNIQUE constraint failed: (?:index '(.+?)'|([^()]+))/.exec(error.message)
  if (failed?.[1]) return { constraint: failed[1] }
  if (!failed?.[2]) return {}
  const paths = failed[2].trim().split(', ')
  return {
    table: paths[0]?.slice(0, paths[0].lastIndexOf('.')) as string,
    columns: paths.map((path) => path.slice(path.lastIndexOf('.') + 1)),
  }
}
