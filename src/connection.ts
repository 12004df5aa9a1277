import type { EntityManager, ObjectLiteral, ReplicationMode } from 'typeorm'
import type { Dialect } from './dialects/dialect.js'
import { isTransientFailure } from './failures.js'
import { inTurn } from './turns.js'
import { dataSourceOf, type QueryRunner } from './typeorm.js'

/**
 * Runs a step on the caller's query runner where there is one, and else on a connection of our own that goes back to the
 * pool afterwards. Never a second one: a pool of one must not wait for itself.
 */
export async function onConnection<T>(
  manager: EntityManager,
  dialect: Dialect,
  mode: ReplicationMode,
  step: (runner: QueryRunner) => Promise<T>,
): Promise<T> {
  // Calls on one query runner take turns: between a savepoint of ours and the rollback to it, nothing else may write.
  if (manager.queryRunner) return takingTurns(manager.queryRunner, step)
  const runner = dataSourceOf(manager).createQueryRunner(mode)
  try {
    return await (dialect.sharesOneConnection ? takingTurns(runner, step) : step(runner))
  } finally {
    await runner.release()
  }
}

const takingTurns = <T>(runner: QueryRunner, step: (runner: QueryRunner) => Promise<T>) =>
  inTurn(runner, () => step(runner))

/** All of `work` is stored or none of it, in a transaction of its own or inside the one that is open. */
export async function atomically<T>(runner: QueryRunner, dialect: Dialect, work: () => Promise<T>): Promise<T> {
  if (runner.isTransactionActive) {
    return insideSavepoint(dialect, (sql) => runner.query(sql), work)
  }
  await runner.startTransaction()
  try {
    const result = await work()
    await runner.commitTransaction()
    return result
  } catch (error) {
    await secondary(() => runner.rollbackTransaction())
    throw error
  }
}

/**
 * Runs one statement that may fail so that the open transaction stays usable, and that nobody else is undone: while it
 * runs, everything else that is sent through the same query runner waits.
 */
export async function guarded<T>(
  runner: QueryRunner,
  dialect: Dialect,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  return whileOthersWait(runner, (query) => insideSavepoint(dialect, query, () => work(query)))
}

/** Sends a text, under its name where it has one and the database keeps plans for names. */
export function sendStatement(
  runner: QueryRunner,
  { queryNamed }: Dialect,
  name: string | undefined,
  sql: string,
  parameters: unknown[],
): Promise<QueryResult> {
  if (name === undefined || !queryNamed) return runner.query(sql, parameters, true)
  return queryNamed(runner, name, sql, parameters) as Promise<QueryResult>
}

interface QueryResult {
  readonly raw: unknown
  readonly records: ObjectLiteral[]
}

let savepoints = 0

/** A savepoint of our own, not TypeORM's nested transaction: that one counts depth, and counts wrong in parallel. */
async function insideSavepoint<T>(
  dialect: Dialect,
  query: (sql: string) => Promise<unknown>,
  work: () => Promise<T>,
): Promise<T> {
  savepoints = (savepoints + 1) % Number.MAX_SAFE_INTEGER
  const { set, rollback, release } = dialect.savepoint(`get_or_create_${savepoints}`)
  await query(set)
  try {
    const result = await work()
    if (release) await query(release)
    return result
  } catch (error) {
    // A deadlock took the whole transaction on some databases, savepoints included: that is the caller's to retry.
    if (isTransientFailure(error)) throw error
    await secondary(async () => {
      await query(rollback)
      // Rolling back to a savepoint keeps it, and PostgreSQL's memory of it grows with every one until the commit.
      if (release) await query(release)
    })
    throw error
  }
}

/** Holds back what others send through this query runner for the length of a few statements. */
async function whileOthersWait<T>(runner: QueryRunner, work: (query: Query) => Promise<T>): Promise<T> {
  let open: () => void = () => undefined
  const isOpen = new Promise<void>((resolve) => {
    open = resolve
  })
  const { query, restore } = interceptQueries(runner, async (...statement) => {
    await isOpen
    return runner.query(...statement)
  })
  try {
    return await work(query)
  } finally {
    restore()
    open()
  }
}

type Query = QueryRunner['query']

/**
 * Gives one query runner a `query` of its own until it is restored; TypeORM's prototypes stay as they are. Returns the
 * way past it.
 */
export function interceptQueries(
  runner: QueryRunner,
  replacement: (...statement: Parameters<Query>) => Promise<unknown>,
): { readonly query: Query; restore(): void } {
  const before = Object.getOwnPropertyDescriptor(runner, 'query')
  const query = runner.query.bind(runner) as Query
  runner.query = replacement as Query
  const restore = () => {
    if (runner.query !== replacement) return
    if (before) Object.defineProperty(runner, 'query', before)
    else Reflect.deleteProperty(runner, 'query')
  }
  return { query, restore }
}

/** A failure while cleaning up must not hide the failure that made it necessary. */
export async function secondary(cleanUp: () => Promise<unknown>): Promise<void> {
  try {
    await cleanUp()
  } catch {
    // The connection is lost or the transaction is gone: the first error says so already.
  }
}
