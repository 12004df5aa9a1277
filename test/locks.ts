import type { IsolationLevel } from './databases.js'

type Query = (sql: string) => Promise<Record<string, unknown>[]>

/** How sessions of a database wait for each other, and how another session sees it. */
export interface Locks {
  /** Selects the `id` of the session that asks. */
  readonly ownSession: string
  /** The sessions of this database that wait for a lock at this moment. */
  waitingSessions(query: Query): Promise<string[]>
  kill(session: string): string
  /** Lets the others be the victims of this transaction's deadlocks. */
  readonly survivesDeadlocks: string
  /** Gives others more time to close the circle, where whoever waits looks for a deadlock once; for the session. */
  readonly looksForDeadlocksLate?: string
  /** Sets the level of what the session does outside of transactions. */
  sessionLevel(level: IsolationLevel): string
  /** Server settings that change how races end; duels run once with each. */
  readonly settings: readonly { readonly title: string; readonly sql: string }[]
}

const idsOf = (rows: Record<string, unknown>[]) => rows.map(({ id }) => String(id))

export const postgresLocks: Locks = {
  ownSession: 'SELECT pg_backend_pid() AS id',
  waitingSessions: async (query) =>
    idsOf(
      await query(
        `SELECT pid AS id FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      ),
    ),
  kill: (session) => `SELECT pg_terminate_backend(${session})`,
  // The victim is who looks for a deadlock first, and everyone looks once, so long after the wait began.
  survivesDeadlocks: `SET LOCAL deadlock_timeout = '1h'`,
  looksForDeadlocksLate: `SET deadlock_timeout = '4s'`,
  sessionLevel: (level) => `SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL ${level}`,
  settings: [{ title: '', sql: 'SELECT 1' }],
}

const snapshotIsolation = (value: 'ON' | 'OFF') =>
  `SET @get_or_create = 1 /*M!100618 , SESSION innodb_snapshot_isolation = ${value} */`

export const innodbLocks: Locks = {
  ownSession: 'SELECT CONNECTION_ID() AS id',
  // Not information_schema.innodb_trx: it answers from a cache that those who ask often keep from being renewed.
  waitingSessions: async (query) => {
    const [status] = await query('SHOW ENGINE INNODB STATUS')
    const [, transactions = ''] = String(status?.Status).split('LIST OF TRANSACTIONS FOR EACH SESSION')
    const waiting = transactions
      .split('---TRANSACTION')
      .filter((transaction) => transaction.includes('\nLOCK WAIT'))
      .map((transaction) => /thread id (\d+)/.exec(transaction)?.[1])
    const own = idsOf(await query('SELECT id AS id FROM information_schema.processlist WHERE db = DATABASE()'))
    return own.filter((id) => waiting.includes(id))
  },
  kill: (session) => `KILL ${session}`,
  // The victim is who wrote less.
  survivesDeadlocks: `INSERT INTO team (name) VALUES ${Array.from({ length: 50 }, (_, index) => `('ballast ${index}')`).join()}`,
  sessionLevel: (level) => `SET SESSION TRANSACTION ISOLATION LEVEL ${level}`,
  settings: [
    { title: '', sql: snapshotIsolation('OFF') },
    { title: ' with innodb_snapshot_isolation', sql: snapshotIsolation('ON') },
  ],
}

const { looksForDeadlocksLate: _, ...locksOfPostgres } = postgresLocks

/** https://www.cockroachlabs.com/docs/stable/crdb-internal */
export const cockroachLocks: Locks = {
  ...locksOfPostgres,
  ownSession: `SELECT session_id AS id FROM [SHOW session_id]`,
  waitingSessions: async (query) =>
    idsOf(
      await query(
        'SELECT s.session_id AS id FROM crdb_internal.cluster_locks l JOIN crdb_internal.cluster_sessions s ' +
          'ON s.kv_txn = l.txn_id::STRING WHERE NOT l.granted AND l.database_name = current_database()',
      ),
    ),
  kill: (session) => `CANCEL SESSION '${session}'`,
  survivesDeadlocks: 'SET TRANSACTION PRIORITY HIGH',
}

/** https://learn.microsoft.com/sql/relational-databases/system-dynamic-management-views/sys-dm-exec-requests-transact-sql */
export const mssqlLocks: Locks = {
  ownSession: 'SELECT @@SPID AS id',
  waitingSessions: async (query) =>
    idsOf(
      await query(
        'SELECT session_id AS id FROM sys.dm_exec_requests WHERE blocking_session_id <> 0 AND database_id = DB_ID()',
      ),
    ),
  kill: (session) => `KILL ${session}`,
  survivesDeadlocks: 'SET DEADLOCK_PRIORITY HIGH',
  sessionLevel: (level) => `SET TRANSACTION ISOLATION LEVEL ${level}`,
  settings: [{ title: '', sql: 'SELECT 1' }],
}
