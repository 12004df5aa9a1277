import { type ColumnMetadata, driverOf } from '../typeorm.js'
import { type Dialect, type DriverError, type RowsFromLists, standardAnswers, type UniqueViolation } from './dialect.js'
import { queryNamed } from './named-statement.js'

/**
 * PostgreSQL through `pg`, and what speaks its protocol (PGlite, Aurora). An error of the server carries its severity
 * and a five-character SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export const postgres: Dialect = {
  ...standardAnswers,
  recognises: (error) => typeof error.severity === 'string' && /^[0-9A-Z]{5}$/.test(String(error.code)),
  codeOf: (error) => error.code as string,
  failures: {
    uniqueViolation: { unique_violation: '23505', exclusion_violation: '23P01' },
    deadlock: { deadlock_detected: '40P01' },
    serializationFailure: { serialization_failure: '40001' },
    lockTimeout: { lock_not_available: '55P03' },
    connectionLost: {
      connection_exception: '08000',
      connection_does_not_exist: '08003',
      connection_failure: '08006',
      admin_shutdown: '57P01',
      crash_shutdown: '57P02',
    },
  },
  describeUniqueViolation,
  // Not a savepoint around the insert: rolling back to one also undoes what other code wrote on the same connection
  // in the meantime. An insert that yields cannot fail on a duplicate, so there is nothing to roll back.
  failedStatementAbortsTransaction: true,
  insertedRow: () => 'returning',
  updateReturnsRow: true,
  updateClock: 'clock_timestamp()',
  namesLockedTable: true,
  maxParameters: 65_535, // the protocol counts them in 16 bits: https://www.postgresql.org/docs/current/protocol-message-formats.html
  comparesPlainValues: true,
  // https://www.postgresql.org/docs/current/datatype-numeric.html
  typesWithNaN: ['float', 'float4', 'float8', 'real', 'double precision', 'numeric', 'decimal'],
  queryNamed,
  comparesWithList,
  rowsFromLists,
}

/** From so many values on, a list is hidden from the planner. */
const LONG_LIST = 50

/**
 * A planner that counts 50 values takes the index for dearer than the whole table, because random reads cost four times
 * sequential ones (`random_page_cost`): with 1,000 keys it scans tables of up to 200,000 rows. From a subquery it cannot
 * count them, and joins: by the index, or by a hash where the table is small or has no index.
 */
function comparesWithList(column: ColumnMetadata, parameter: string, length: number): string {
  if (length < LONG_LIST) return `= ANY(${parameter})`
  return `IN (SELECT unnest((SELECT ${listOf(column, parameter)})))`
}

/** A parameter as an array of the type and collation that the column has in the database, which the metadata may not know. */
function listOf(column: ColumnMetadata, parameter: string): string {
  const driver = driverOf(column)
  const table = column.entityMetadata.tablePath.split('.').map((name) => driver.escape(name))
  return `COALESCE(${parameter}, ARRAY(SELECT ${driver.escape(column.databaseName)} FROM ${table.join('.')} WHERE false))`
}

/**
 * The types whose values come from an array as they come one by one. JSON and the rest are not here: `pg` writes the
 * elements of an array by rules of its own.
 */
const ELEMENT_TYPES = [
  'character varying',
  'text',
  'smallint',
  'integer',
  'bigint',
  'real',
  'double precision',
  'numeric',
  'boolean',
  'uuid',
  'date',
  'timestamp without time zone',
  'timestamp with time zone',
]

function rowsFromLists(columns: readonly ColumnMetadata[]): RowsFromLists | undefined {
  const comeFromArrays = columns.every(
    (column) => !column.isArray && ELEMENT_TYPES.includes(driverOf(column).normalizeType(column)),
  )
  if (!comeFromArrays) return undefined
  return (isList) => {
    const values = columns.map((_, at) => (isList[at] ? `c${at}` : `$${at + 1}`))
    const lists = columns.flatMap((column, at) => (isList[at] ? listOf(column, `$${at + 1}`) : []))
    const names = values.filter((_, at) => isList[at])
    return `SELECT ${values.join(', ')} FROM unnest(${lists.join(', ')}) AS l (${names.join(', ')})`
  }
}

/** `detail` is `Key (a, b)=(1, 2) already exists.`; it is absent under row-level security, and may be translated. */
function describeUniqueViolation(error: DriverError): UniqueViolation {
  const { constraint, table, detail } = error
  const columns = typeof detail === 'string' ? /^[^(]*\(((?:[^()"]|"(?:[^"]|"")*")+)\)=\(/.exec(detail)?.[1] : undefined
  return {
    ...(typeof constraint === 'string' && { constraint }),
    ...(typeof table === 'string' && { table }),
    ...(columns && { columns: splitIdentifiers(columns) }),
  }
}

function splitIdentifiers(list: string): string[] {
  const names = list.match(/"(?:[^"]|"")*"|[^,\s][^,]*/g) ?? []
  return names.map((name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.trim()))
}
