import type { ColumnMetadata, Driver, IsolationLevel, QueryRunner } from '../typeorm.js'

/**
 * What a failed statement means. `deadlock` and `serializationFailure` are transient: the transaction is gone (or must
 * go) and may be run again. A lock timeout or a lost connection is neither a race nor safe to repeat blindly.
 */
export type FailureKind = 'uniqueViolation' | 'deadlock' | 'serializationFailure' | 'lockTimeout' | 'connectionLost'

/** The driver's raw error: nothing is known of its shape, each dialect looks for its own marks. */
export type DriverError = Readonly<Record<string, unknown>> & { readonly message: string }

export type FailureCode = string | number

/** Official error name → code, by kind. Adding a code is one line here and one line in the recorded errors. */
export type FailureTable = { readonly [Kind in FailureKind]: Readonly<Record<string, FailureCode>> }

/** Which key was violated, as far as the driver says. A fact that it does not give is absent. */
export interface UniqueViolation {
  /** Name of the violated constraint or unique index. */
  readonly constraint?: string
  /** Database names of the columns of the violated key. */
  readonly columns?: string[]
  /** Database name of the table. */
  readonly table?: string
}

/** Statements that protect what a transaction did so far from one that may fail. */
export interface SavepointSql {
  readonly set: string
  readonly rollback: string
  readonly release?: string
}

/**
 * How the row that an INSERT wrote comes back.
 *
 * - `returning`: a RETURNING clause at the end of the INSERT carries the whole row
 * - `insertId`: the driver reports the generated id, one SELECT reads the row
 * - `typeorm`: TypeORM's own insert fills in what the database generated, one SELECT reads the row
 */
export type InsertedRow = 'returning' | 'insertId' | 'typeorm'

/** One database's answers. Everything outside this folder asks these questions and never names a database. */
export interface Dialect {
  /** Was this error made by a driver of this database? Codes mean nothing without that. */
  recognises(error: DriverError): boolean
  /** The code that the tables are written in; a driver that has none leads to `undefined`. */
  codeOf(error: DriverError): FailureCode | undefined
  readonly failures: FailureTable
  describeUniqueViolation(error: DriverError): UniqueViolation

  /** Does a failed statement abort the caller's transaction? Then the insert yields (ON CONFLICT DO NOTHING). */
  readonly failedStatementAbortsTransaction: boolean
  /** Can a plain SELECT in a transaction miss a row that an INSERT collides with? Then the re-read takes a shared lock. */
  readonly snapshotHidesWinner: boolean
  /** The shared-lock clause where TypeORM's own is a syntax error on the connected server. */
  sharedLockClause(driver: Driver): string | undefined
  /** Does everything on a DataSource share one connection, transactions included? Then our calls queue for it. */
  readonly sharesOneConnection: boolean
  insertedRow(driver: Driver): InsertedRow
  /** Does a generated number replace a zero that an INSERT gives for it? */
  readonly generatesForZero: boolean
  /** Can an UPDATE return the row that it wrote (RETURNING)? */
  readonly updateReturnsRow: boolean
  /** Does SELECT wrap this column in a function, so that RETURNING would give something else? */
  selectsThroughFunction(column: ColumnMetadata, driver: Driver): boolean
  savepoint(name: string): SavepointSql
  /** The isolation levels of a transaction; TypeORM 1.x knows them too, 0.3 does not. */
  readonly isolationLevels: readonly IsolationLevel[]
  /** What starts a transaction that will write, where TypeORM's own start only takes the lock later and may be refused it. */
  readonly beginToWrite: string | undefined
  /** Are there row locks (SELECT … FOR UPDATE)? */
  readonly locksRows: boolean
  /** Must a row lock name its table, because an outer join would refuse the lock otherwise? */
  readonly namesLockedTable: boolean
  /** Does a locking read that finds nothing lock the gap, so that two who then insert there deadlock? */
  readonly locksGaps: boolean
  /** The most parameters that one statement may have. */
  readonly maxParameters: number
  /** Do strings and numbers reach the database as they are given, without a type that TypeORM adds? */
  readonly comparesPlainValues: boolean
  /** Sends a text under a name, under which the connection keeps its plan; only where there are such names. */
  readonly queryNamed?: (runner: QueryRunner, name: string, sql: string, values: unknown[]) => Promise<unknown>
  /** Compares a column with a list that is one parameter, such as `= ANY($1)`; only where a parameter can be a list. */
  readonly comparesWithList?: (column: ColumnMetadata, parameter: string, length: number) => string
  /** Writes SELECTs that make rows of lists; `undefined` where a column is of no type for that. */
  readonly rowsFromLists?: (columns: readonly ColumnMetadata[]) => RowsFromLists | undefined
  /** Reads the database's clock as an update-date column would store it; only where UPDATE cannot return its row. */
  readonly clock: string | undefined
  /** The time of the UPDATE itself, where CURRENT_TIMESTAMP is that of the transaction's begin. */
  readonly updateClock: string | undefined
  /** Which types of column can hold NaN, so that it is a value there? */
  readonly typesWithNaN: readonly string[]
  /** Does a column store this value as it is given, so that it need not be read back? */
  storesExactly(column: ColumnMetadata, value: unknown): boolean
}

/** A SELECT with one parameter a column: a list, or one value for all of the rows. */
export type RowsFromLists = (isList: readonly boolean[]) => string

/** The answers of a database that keeps to standard SQL; a dialect spreads them and states where it differs. */
export const standardAnswers = {
  describeUniqueViolation: () => ({}),
  failedStatementAbortsTransaction: false,
  snapshotHidesWinner: false,
  sharedLockClause: () => undefined,
  sharesOneConnection: false,
  insertedRow: () => 'typeorm',
  generatesForZero: false,
  updateReturnsRow: false,
  selectsThroughFunction: (column, driver) => driver.spatialTypes.includes(column.type),
  savepoint: (name) => ({
    set: `SAVEPOINT ${name}`,
    rollback: `ROLLBACK TO SAVEPOINT ${name}`,
    release: `RELEASE SAVEPOINT ${name}`,
  }),
  isolationLevels: ['READ UNCOMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'],
  beginToWrite: undefined,
  locksRows: true,
  namesLockedTable: false,
  locksGaps: false,
  maxParameters: 1000,
  comparesPlainValues: false,
  clock: undefined,
  updateClock: undefined,
  typesWithNaN: [],
  storesExactly: () => false,
} satisfies Partial<Dialect>
