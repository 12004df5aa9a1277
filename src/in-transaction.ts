import type { EntityManager, ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import { GetOrCreateError } from './errors.js'
import { isTransientFailure } from './failures.js'
import { getOrCreate, isUnsettledRace, mayInsertFirst } from './get-or-create.js'
import type { NewRow } from './new-row.js'
import { look } from './reading.js'
import { recovered } from './recovering.js'
import { inRounds } from './rounds.js'
import { inOwnTransaction, isInTransaction, wasSwallowed } from './transaction.js'
import type { IsolationLevel } from './typeorm.js'

export type Work = (result: [entity: ObjectLiteral, created: boolean], manager: EntityManager) => unknown

/**
 * `getOrCreate` and `work` in one transaction: the caller's, or one of our own that runs again, as a whole, when the
 * database asks for it. It looks before it opens one, so that `defaults` make their values while no connection is held.
 */
export async function getOrCreateInTransaction(
  call: Call,
  work: Work | undefined,
  isolationLevel: IsolationLevel | undefined,
): Promise<[entity: ObjectLiteral, created: boolean]> {
  if (isInTransaction(call.manager)) return withWork(call, call.manager, work)
  const found = mayInsertFirst(call) ? undefined : await look(call)
  if (found && !work) return [await recovered(call, found), false]
  let row = found ? undefined : await call.newRow()
  let lostRace: unknown
  const isCurable = (error: unknown) =>
    (isTransientFailure(error) && !wasSwallowed(error)) || error === lostRace || error instanceof RowIsGone
  return inRounds(call.options.attempts, isCurable, async (attempt) => {
    if (attempt > 1 && !row && !(await look(call.with({ options: { ...call.options, readFrom: 'primary' } }))))
      row = await call.newRow()
    return inOwnTransaction(call, isolationLevel, (manager) =>
      withWork(joined(call, manager, row, attempt), manager, work, (error) => {
        // The winner is not in this transaction's snapshot: only the next transaction can see it.
        if (isUnsettledRace(call, error)) lostRace = error
      }),
    )
  })
}

async function withWork(
  call: Call,
  manager: EntityManager,
  work: Work | undefined,
  onFailure: (error: unknown) => void = () => undefined,
): Promise<[entity: ObjectLiteral, created: boolean]> {
  const result = await getOrCreate(call).catch((error) => {
    onFailure(error)
    throw error
  })
  await work?.(result, manager)
  return result
}

/** The call inside our transaction. A row that was missing a moment ago is inserted first; later tries look first. */
function joined(call: Call, manager: EntityManager, row: NewRow | undefined, attempt: number): Call {
  return call.with({
    manager,
    options: { ...call.options, attempts: 1, strategy: row && attempt === 1 ? 'create-first' : 'find-first' },
    defaultsAreLazy: row ? false : call.defaultsAreLazy,
    newRow: async () => {
      if (!row) throw new RowIsGone(`The ${call.metadata.name} was found, and deleted before the transaction saw it.`)
      return row
    },
  })
}

/** The row was there when we looked first and is not any more: its defaults have to be made, outside the transaction. */
class RowIsGone extends GetOrCreateError {}
