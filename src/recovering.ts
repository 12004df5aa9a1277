import { IsNull, Not, type ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import { onConnection } from './connection.js'
import { setAt } from './operators.js'
import { readAgain, readById } from './reading.js'
import { broadcastRecover, type ColumnMetadata, idOf, type QueryRunner } from './typeorm.js'

/** With `restoreDeleted`, a soft-deleted match is recovered on the primary; anything else is returned as it is, at once. */
export function recovered(
  call: Call,
  found: ObjectLiteral,
  runner?: QueryRunner,
): ObjectLiteral | Promise<ObjectLiteral> {
  const { deleteDateColumn } = call.metadata
  if (!call.options.restoreDeleted || !deleteDateColumn) return found
  // Where it is not selected, another read has to tell.
  const mayBeDeleted = !deleteDateColumn.isSelect || Boolean(deleteDateColumn.getEntityValue(found))
  if (!mayBeDeleted) return found
  if (runner) return recover(call, runner, found, deleteDateColumn)
  return onConnection(call.manager, call.dialect, 'master', (own) => recover(call, own, found, deleteDateColumn))
}

/** An UPDATE by condition, so that of several callers one recovers the row and AfterRecover runs for that one. */
async function recover(
  call: Call,
  runner: QueryRunner,
  found: ObjectLiteral,
  deletedAt: ColumnMetadata,
): Promise<ObjectLiteral> {
  const { metadata } = call
  const id = idOf(metadata, found) as ObjectLiteral
  const undeleted = deletedAt.isSelect ? undefined : await readById(call, runner, id, false)
  if (undeleted) return undeleted
  const whereDeleted = { ...id }
  setAt(whereDeleted, deletedAt.propertyPath, Not(IsNull()))
  await broadcastRecover(runner, 'BeforeRecover', metadata, found)
  const { affected } = await runner.manager
    .createQueryBuilder(metadata.target, metadata.name, runner)
    .restore()
    .where(whereDeleted)
    .callListeners(false)
    .execute()
  if (!affected) return (await readAgain(call, runner, id)) ?? found
  const row = (await readById(call, runner, id)) ?? found
  await broadcastRecover(runner, 'AfterRecover', metadata, row)
  return row
}
