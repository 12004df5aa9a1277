import { type Dialect, type DriverError, standardAnswers, type UniqueViolation } from './dialect.js'

/**
 * SQL Server through `mssql` (tedious). Engine error numbers:
 * https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors
 */
export const mssql: Dialect = {
  ...standardAnswers,
  recognises: (error) => typeof error.number === 'number' && ('lineNumber' in error || 'serverName' in error),
  codeOf: (error) => error.number as number,
  failures: {
    uniqueViolation: { 'Cannot insert duplicate key row': 2601, 'Violation of UNIQUE KEY constraint': 2627 },
    deadlock: { 'Transaction was deadlocked': 1205 },
    serializationFailure: { 'Snapshot isolation transaction aborted': 3960 },
    lockTimeout: { 'Lock request time out period exceeded': 1222 },
    connectionLost: {},
  },
  describeUniqueViolation,
  maxParameters: 2_100, // https://learn.microsoft.com/sql/sql-server/maximum-capacity-specifications-for-sql-server
  savepoint: (name) => ({ set: `SAVE TRANSACTION ${name}`, rollback: `ROLLBACK TRANSACTION ${name}` }),
}

/** 2627 names the constraint and the table, 2601 the table and the index; the text is translated, the quotes stay. */
function describeUniqueViolation(error: DriverError): UniqueViolation {
  const names = error.message.match(/'[^']+'/g)?.map((name) => name.slice(1, -1)) ?? []
  const [first, second] = names
  if (first === undefined || second === undefined) return {}
  return error.number === 2627 ? { constraint: first, table: second } : { constraint: second, table: first }
}
