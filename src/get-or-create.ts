import type { ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import { onConnection } from './connection.js'
import { GetOrCreateError } from './errors.js'
import { isTransientFailure, uniqueViolation } from './failures.js'
import { entityFrom, insertRow, type Manner, prepareCandidate } from './inserting.js'
import type { NewRow } from './new-row.js'
import { isPromise } from './operators.js'
import { look, lookAgain, readMatch, readMode } from './reading.js'
import { recovered } from './recovering.js'
import { insertWithRelated, takesRelatedStatements } from './related.js'
import { inRounds } from './rounds.js'
import type { QueryRunner } from './typeorm.js'
import { isOfAnotherKey } from './unique-key.js'

type Result = [entity: ObjectLiteral, created: boolean]

/**
 * Look; if there is no row, create it; if someone else was faster, look again; if there is still nothing, it was no race
 * and the database's own error says what it was.
 */
export function getOrCreate(call: Call): Promise<Result> {
  return looksWhereItInserts(call) ? createInRounds(call) : lookThenCreate(call)
}

/** With no connection held in between. */
async function lookThenCreate(call: Call): Promise<Result> {
  const found = mayInsertFirst(call) ? undefined : await look(call)
  if (found) return [await recovered(call, found), false]
  return createInRounds(call, await call.newRow())
}

/**
 * On one connection for both, so that callers who wait for a connection find the row instead of racing for it. A function
 * that makes defaults must not run while one is held.
 */
function looksWhereItInserts(call: Call): boolean {
  if (call.makesDefaults || mayInsertFirst(call)) return false
  return Boolean(call.manager.queryRunner) || !call.dataSource.driver.isReplicated || readMode(call) === 'master'
}

/**
 * Another round where the winner may be gone again, and after a deadlock or serialization failure. In the caller's
 * transaction such a failure is passed on: the transaction is gone, and going on would store the rest of it outside of any.
 */
function createInRounds(call: Call, row?: NewRow): Promise<Result> {
  let isInTransaction = false
  const isCurable = (error: unknown) => isUnsettledRace(call, error) || (isTransientFailure(error) && !isInTransaction)
  return inRounds(call.options.attempts, isCurable, () =>
    onConnection(call.manager, call.dialect, 'master', (runner) => {
      isInTransaction = runner.isTransactionActive
      return getOrCreateOn(call, runner, row)
    }),
  )
}

/** Look; if there is no row, build the entity that `getOrCreate` would store. */
export async function getOrBuild(call: Call): Promise<[entity: ObjectLiteral, isNew: boolean]> {
  const found = await look(call)
  if (found) return [found, false]
  return [entityFrom(call, call.manager, await call.newRow()), true]
}

/**
 * One round, which looks first where no new row is given. Not split any further: Node keeps ten frames of a stack, and an
 * original error names the caller as long as we stay below that.
 */
export async function getOrCreateOn(
  call: Call,
  runner: QueryRunner,
  given?: NewRow,
  prepared?: ObjectLiteral,
): Promise<Result> {
  const found = given ? undefined : await readMatch(call, runner)
  if (found) return [await recovered(call, found, runner), false]
  // `await` costs turns of the microtask queue also where there is nothing to wait for.
  const made = given ?? call.newRow()
  const row = isPromise(made) ? await made : made
  const ready = prepared ?? prepareCandidate(call, runner, row)
  const candidate = isPromise(ready) ? await ready : ready
  let failure: unknown
  for (const manner of waysToInsert(call, row)) {
    const claim = await (takesRelatedStatements(call, row)
      ? insertWithRelated(call, runner, candidate, row)
      : insertRow(call, runner, candidate, manner))
    if (claim.created) return [claim.created, true]
    failure = claim.failure
    const winner = await lookAgain(call, runner)
    if (winner) return [await recovered(call, winner, runner), false]
  }
  if (failure === undefined) {
    throw new GetOrCreateError(
      `The database stored no ${call.metadata.name} and reported no error: look for a trigger or a rule that leaves rows out.`,
    )
  }
  unexplained.add(failure as object)
  throw failure
}

/** Failures of a claim for which no winner was found. The same error thrown by a hook is none of our business. */
const unexplained = new WeakSet<object>()

/**
 * Where a failed statement aborts the transaction the insert yields, in and out of transactions: nothing fails, so
 * nothing has to be rolled back, and a savepoint would take along what others wrote on this connection meanwhile. An
 * insert that yielded to something we cannot find keeps its reason to itself; one more, guarded, brings it out.
 */
function waysToInsert(call: Call, row: NewRow): Manner[] {
  if (!call.dialect.failedStatementAbortsTransaction || takesRelatedStatements(call, row)) return ['plain']
  return refusesToYield(call) ? ['guarded'] : ['yielding', 'guarded']
}

/** ON CONFLICT cannot be used on a table with a deferrable key (55000 in PostgreSQL). */
export function refusesToYield({ dialect, metadata }: Call): boolean {
  return dialect.failedStatementAbortsTransaction && metadata.uniques.some((unique) => unique.deferrable)
}

/** Can the row that stood in the way have been one that the criteria find, gone again before it could be read? */
export function isUnsettledRace({ metadata, criteria }: Call, error: unknown): boolean {
  const violation = unexplained.has(error as object) ? uniqueViolation(error) : undefined
  return violation !== undefined && !isOfAnotherKey(metadata, criteria, violation)
}

/** Inserting first is right only where a unique key stops the second row, and where no lazy default would run in vain. */
export function mayInsertFirst(call: Call): boolean {
  if (call.options.strategy !== 'create-first' || call.defaultsAreLazy) return false
  return call.criteria.describesRow && call.keepsCriteria() && call.isUnique
}
