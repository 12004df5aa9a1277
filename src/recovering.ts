import { IsNull, Not, type ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import { onConnection } from './connection.js'
import { readAgain, readById } from './reading.js'
import { broadcastRecover, idOf, type QueryRunner } from './typeorm.js'

/** With `restoreDeleted`, a soft-deleted match is recovered on the primary; anything else is returned as it is, at once. */
export function recovered(
  call: Call,
  found: ObjectLiteral,
  runner?: QueryRunner,
): ObjectLiteral | Promise<ObjectLiteral> {
  const deletedAt = call.metadata.deleteDateColumn?.getEntityValue(found) ?? undefined
  if (!call.options.restoreDeleted || deletedAt === undefined) return found
  if (runner) return recover(call, runner, found)
  return onConnection(call.manager, call.dialect, 'master', (own) => recover(call, own, found))
}

/** An UPDATE by condition, so that of several callers one recovers the row and AfterRecover runs for that one. */
async function recover(call: Call, runner: QueryRunner, found: ObjectLiteral): Promise<ObjectLiteral> {
  const { metadata } = call
  const id = idOf(metadata, found) as ObjectLiteral
  await broadcastRecover(runner, 'BeforeRecover', metadata, found)
  const { affected } = await runner.manager
    .createQueryBuilder(metadata.target, metadata.name, runner)
    .restore()
    .where({ ...id, [metadata.deleteDateColumn?.propertyPath as string]: Not(IsNull()) })
    .callListeners(false)
    .execute()
  if (!affected) return (await readAgain(call, runner, id)) ?? found
  const row = (await readById(call, runner, id)) ?? found
  await broadcastRecover(runner, 'AfterRecover', metadata, row)
  return row
}
