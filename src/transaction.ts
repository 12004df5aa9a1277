import type { EntityManager } from 'typeorm'
import type { Call } from './call.js'
import { interceptQueries, onConnection, secondary } from './connection.js'
import type { Dialect } from './dialects/dialect.js'
import { isTransientFailure } from './failures.js'
import { forgetTransaction, type IsolationLevel, type QueryRunner } from './typeorm.js'

export const isInTransaction = (manager: EntityManager) => manager.queryRunner?.isTransactionActive ?? false

const swallowed = new WeakSet<object>()

/**
 * Did code inside the transaction keep this failure to itself although it had ended the transaction? What ran after it may
 * have been stored outside of any, so it is not run again.
 */
export const wasSwallowed = (failure: unknown) => swallowed.has(failure as object)

/**
 * Runs `work` in a transaction of ours on the primary. It commits, or throws with nothing stored and with the connection
 * fit for its next user.
 * When code inside swallowed the failure that ended the transaction, that failure is thrown.
 */
export async function inOwnTransaction<T>(
  call: Call,
  isolationLevel: IsolationLevel | undefined,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  return onConnection(call.manager, call.dialect, 'master', async (runner) => {
    const isNested = runner.isTransactionActive
    await begin(runner, call.dialect, isolationLevel)
    const statements = watchFailures(runner, call.dialect)
    try {
      const result = await work(runner.manager)
      await refuseSpoiled(call.dialect, runner, statements.failures)
      await runner.commitTransaction()
      return result
    } catch (error) {
      statements.stop()
      await rollBack(runner, isNested)
      throw error
    } finally {
      statements.stop()
    }
  })
}

async function begin(runner: QueryRunner, { beginToWrite }: Dialect, isolationLevel?: IsolationLevel): Promise<void> {
  const isNested = runner.isTransactionActive
  const restore = beginToWrite && replaceBegin(runner, beginToWrite)
  try {
    await runner.startTransaction(isolationLevel)
  } catch (error) {
    // TypeORM takes a transaction for open as soon as it asks for it, also where the database refuses.
    if (!isNested) await rollBack(runner, isNested)
    throw error
  } finally {
    if (restore) restore()
  }
}

function replaceBegin(runner: QueryRunner, beginToWrite: string): () => void {
  const { query, restore } = interceptQueries(runner, (sql, ...rest) =>
    query(sql === 'BEGIN TRANSACTION' ? beginToWrite : sql, ...rest),
  )
  return restore
}

/** After a failure that ended the transaction nothing more is sent: it would be stored outside of any. */
function watchFailures(runner: QueryRunner, dialect: Dialect): { readonly failures: unknown[]; stop(): void } {
  const failures: unknown[] = []
  const { query, restore } = interceptQueries(runner, async (...statement) => {
    const end = dialect.failedStatementAbortsTransaction ? undefined : failures.find(isTransientFailure)
    if (end) throw end
    try {
      return await query(...statement)
    } catch (error) {
      failures.push(error)
      throw error
    }
  })
  return { failures, stop: restore }
}

/**
 * PostgreSQL answers a COMMIT of an aborted transaction with a silent ROLLBACK; MySQL drops the transaction at a deadlock
 * and stores what follows outside of any. Neither may look like success.
 */
async function refuseSpoiled(dialect: Dialect, runner: QueryRunner, failures: unknown[]): Promise<void> {
  if (failures.length === 0) return
  const transient = failures.find(isTransientFailure)
  if (!dialect.failedStatementAbortsTransaction) {
    if (transient) throwSwallowed(transient)
    return
  }
  const [first] = failures
  await runner.query('SELECT 1').catch(() => throwSwallowed(transient ?? first))
}

function throwSwallowed(failure: unknown): never {
  swallowed.add(failure as object)
  throw failure
}

/**
 * TypeORM counts nested transactions, and after a deadlock it asks for a savepoint that went with the transaction: no
 * ROLLBACK would be sent, and the connection would return to the pool inside an open transaction.
 */
async function rollBack(runner: QueryRunner, isNested: boolean): Promise<void> {
  await secondary(() => runner.rollbackTransaction())
  // On a shared connection the transaction around ours is somebody else's to end.
  if (isNested || !runner.isTransactionActive) return
  await secondary(() => runner.query('ROLLBACK'))
  forgetTransaction(runner)
}
