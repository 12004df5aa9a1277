import type { ColumnMetadata } from '../typeorm.js'
import { type Dialect, type DriverError, standardAnswers, type UniqueViolation } from './dialect.js'

/**
 * MySQL through `mysql2`. Codes are server error numbers:
 * https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 *
 * Never by SQLSTATE 23000, which NOT NULL and foreign keys share, and never by the symbolic `code`: mysql2 looks that
 * name up in MySQL's own list, so it is wrong for MariaDB's numbers above 1900.
 */
export const mysql: Dialect = {
  ...standardAnswers,
  recognises: (error) => isServerError(error) || String(error.code).startsWith('PROTOCOL_'),
  codeOf: (error) => (isServerError(error) ? (error.errno as number) : String(error.code)),
  failures: {
    uniqueViolation: {
      ER_DUP_KEY: 1022,
      ER_DUP_ENTRY: 1062,
      ER_DUP_UNIQUE: 1169,
      ER_DUP_ENTRY_WITH_KEY_NAME: 1586,
      ER_FOREIGN_DUPLICATE_KEY_WITH_CHILD_INFO: 1761,
      ER_FOREIGN_DUPLICATE_KEY_WITHOUT_CHILD_INFO: 1762,
      ER_DUP_UNKNOWN_IN_INDEX: 1859,
    },
    deadlock: { ER_LOCK_DEADLOCK: 1213 },
    serializationFailure: {},
    lockTimeout: { ER_LOCK_WAIT_TIMEOUT: 1205, ER_LOCK_NOWAIT: 3572 },
    connectionLost: {
      ER_SERVER_SHUTDOWN: 1053,
      ER_CONNECTION_KILLED: 1927,
      PROTOCOL_CONNECTION_LOST: 'PROTOCOL_CONNECTION_LOST',
    },
  },
  describeUniqueViolation: (error) => describeKey(error.errno, String(error.sqlMessage ?? error.message)),
  // REPEATABLE READ, the default, reads from the snapshot that the transaction's first SELECT took: the winner is not
  // in it. A shared lock reads the latest committed row. Not FOR UPDATE: the failed insert left a shared lock on the
  // row, and two losers that both want the exclusive one deadlock.
  snapshotHidesWinner: true,
  // TypeORM writes FOR SHARE when the server calls itself 8 or newer. MariaDB calls itself 10 or newer and does not
  // know it; MySQL has never had a release 10.
  sharedLockClause: (driver) => (Number.parseInt(driver.version ?? '', 10) >= 10 ? ' LOCK IN SHARE MODE' : undefined),
  locksGaps: true,
  maxParameters: 65_535,
  comparesPlainValues: true,
  comparesWithList: (_, parameter) => `IN (${parameter})`, // mysql2 writes an array as a list of its values
  clock: 'SYSDATE(6)',
  storesExactly,
  // AUTO_INCREMENT, unless sql_mode has NO_AUTO_VALUE_ON_ZERO.
  generatesForZero: true,
  insertedRow: (driver) => (driver.isReturningSqlSupported('insert') ? 'returning' : 'insertId'),
}

const isServerError = (error: DriverError) =>
  typeof error.errno === 'number' && ('sqlState' in error || 'sqlMessage' in error)

/**
 * Only the message names the key, at its end: `Duplicate entry 'x' for key 'users.IDX_email'`. It is translated by the
 * server's `lc_messages` and the value may contain quotes, so the last quoted word counts. MySQL since 8.0.19 puts the
 * table before the name.
 */
export function describeKey(errno: unknown, message: string): UniqueViolation {
  const name = /'((?:[^']|'')+)'[^']*$/.exec(message)?.[1]
  // ER_FOREIGN_DUPLICATE_KEY_WITHOUT_CHILD_INFO ends in the record; ER_DUP_KEY and ER_DUP_UNIQUE name the table only.
  if (name === undefined || errno === 1762) return {}
  if (errno === 1022 || errno === 1169) return { table: name }
  const dot = name.indexOf('.')
  return dot < 0 ? { constraint: name } : { constraint: name.slice(dot + 1), table: name.slice(0, dot) }
}

const INTEGERS = ['int', 'integer', 'tinyint', 'smallint', 'mediumint', 'bigint']
const STRINGS = ['varchar', 'nvarchar', 'text', 'tinytext', 'mediumtext', 'longtext']

/** Strict mode refuses what does not fit; CHAR, DECIMAL, dates and the rest may come back in another form. */
function storesExactly(column: ColumnMetadata, value: unknown): boolean {
  if (value === null) return true
  const type = column.type === Number ? 'int' : column.type === String ? 'varchar' : String(column.type)
  if (INTEGERS.includes(type) || column.type === Boolean) return Number.isSafeInteger(Number(value)) && value !== ''
  return STRINGS.includes(type) && typeof value === 'string'
}
