import type { ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import { onConnection } from './connection.js'
import { GetOrCreateError, InvalidValuesError, received } from './errors.js'
import { isTransientFailure } from './failures.js'
import { getOrCreate } from './get-or-create.js'
import { composeNewRow, type NewRow, withLazyRelations } from './new-row.js'
import { isObject } from './operators.js'
import { isOwningToOne, isWritable, propertyOf } from './properties.js'
import { lockMatch } from './reading.js'
import { recovered } from './recovering.js'
import { inRounds } from './rounds.js'
import { inOwnTransaction, isInTransaction } from './transaction.js'
import type { EntityMetadata } from './typeorm.js'
import { updateRow } from './updating.js'

/** Makes the changes for a row from the row itself, while it is locked. */
export type Changes = (current: ObjectLiteral) => Promise<NewRow>

/** Lock the row and update it; if there is none, create it; if someone else was faster, lock and update theirs. */
export async function updateOrCreate(call: Call, changes: Changes): Promise<[entity: ObjectLiteral, created: boolean]> {
  const isOurs = !isInTransaction(call.manager)
  const creating = insertingFirst(call)
  const isCurable = (error: unknown) => isOurs && isTransientFailure(error)
  return inRounds(call.options.attempts, isCurable, async () => {
    let winner: ObjectLiteral | undefined
    for (let round = 0; round <= call.options.attempts; round++) {
      const updated = await (isOurs ? updateInOwnTransaction : updateFound)(call, winner, changes)
      if (updated) return [updated, false]
      const [entity, created] = await getOrCreate(creating)
      if (created) return [entity, true]
      winner = entity
    }
    throw new GetOrCreateError(`The ${call.metadata.name} was deleted each time before it could be updated.`)
  })
}

/** The row was just looked for: the next step inserts it. */
function insertingFirst(call: Call): Call {
  return call.with({ options: { ...call.options, strategy: 'create-first' }, defaultsAreLazy: false })
}

function updateInOwnTransaction(
  call: Call,
  winner: ObjectLiteral | undefined,
  changes: Changes,
): Promise<ObjectLiteral | undefined> {
  return inOwnTransaction(call, undefined, (manager) => updateFound(call.with({ manager }), winner, changes, 'ours'))
}

/** Nobody else changes the row between the read that the changes are made from and the commit. */
function updateFound(
  call: Call,
  winner: ObjectLiteral | undefined,
  changes: Changes,
  transaction: 'ours' | 'theirs' = 'theirs',
): Promise<ObjectLiteral | undefined> {
  return onConnection(call.manager, call.dialect, 'master', async (runner) => {
    const match = await lockMatch(call, runner, winner, transaction)
    if (!match) return undefined
    const current = await recovered(call, match.row, runner)
    return updateRow(call, runner, { ...match, row: current }, changes)
  })
}

/** Checks what an `updates` function gave, as values for the row that it was given. */
export async function changesFrom(call: Call, current: ObjectLiteral, given: unknown): Promise<NewRow> {
  const { metadata } = call
  if (!isObject(given)) {
    throw new InvalidValuesError(`updates(current) gave ${received(given)}: return an object of property values.`)
  }
  const values = given === current ? writtenPart(metadata, current) : given
  const row = composeNewRow(metadata, {}, await withLazyRelations(metadata, [{ label: 'updates', values }]), isWritable)
  // An INSERT has nothing to do for them; an update takes links and children away.
  const emptied = metadata.relations.filter((relation) => {
    const value = relation.getEntityValue(row.values, true)
    return !isOwningToOne(relation) && (value === null || (Array.isArray(value) && value.length === 0))
  })
  return { ...row, children: [...row.children, ...emptied] }
}

/** The row itself comes back with what reads and listeners added to it. */
function writtenPart(metadata: EntityMetadata, row: ObjectLiteral): ObjectLiteral {
  const isWritten = (key: string) => {
    const property = propertyOf(metadata, key)
    return property && (!property.column || isWritable(property.column))
  }
  const written = Object.fromEntries(Object.entries(row).filter(([key]) => isWritten(key)))
  // A lazy relation is an accessor of the entity, and asks the database unless it was set or read.
  for (const { propertyName } of metadata.lazyRelations)
    if (`__has_${propertyName}__` in row || `__promise_${propertyName}__` in row)
      written[propertyName] = row[propertyName]
  return written
}
