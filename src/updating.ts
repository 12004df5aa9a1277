import type { ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import { cloneOf, columnsOf } from './copies.js'
import { entityFrom, fill, hydrate, ownColumns } from './inserting.js'
import type { NewRow } from './new-row.js'
import type { Change } from './persistence.js'
import { type LockedRow, loadsRelations, lockedKeys, readById } from './reading.js'
import { saveChildren, saveParent } from './related.js'
import {
  broadcastLoad,
  type ColumnMetadata,
  type EntityMetadata,
  idOf,
  isHeard,
  type QueryRunner,
  type RelationMetadata,
} from './typeorm.js'

/**
 * Writes what differs from the locked row, with the events of an update, and returns the row as a read would. The
 * difference is taken against that row and not, as `save()` does it, against another SELECT, which at REPEATABLE READ is a
 * stale snapshot.
 */
export async function updateRow(
  given: Call,
  runner: QueryRunner,
  locked: LockedRow,
  changes: (current: ObjectLiteral) => Promise<NewRow>,
): Promise<ObjectLiteral> {
  // A row of a table that classes share is one of its own class.
  const metadata = given.metadata.findInheritanceMetadata(locked.row)
  const call = given.with({ metadata })
  const row = await changes(cloneOf(metadata, locked.row))
  const before = await stateBefore(call, runner, locked, row)
  const entity = stateAfter(call, runner, locked, row, before)
  for (const relation of row.parents) await saveParent(runner, relation, relation.getEntityValue(entity))
  const { Change } = await import('./persistence.js')
  const written = await writeChange(call, runner, locked, new Change(metadata, entity, before))
  if (row.children.length > 0) await saveChildren(call, runner, entity, row.children)
  const touchesOthers = row.children.length > 0 || row.parents.length > 0
  if (!written && !touchesOthers) return locked.row
  if (written && !touchesOthers && !loadsRelations(call)) return written
  return (await readById(call, runner, idOf(metadata, entity) as ObjectLiteral, true)) as ObjectLiteral
}

/** The locked row's columns, and the foreign keys that are about to change. */
async function stateBefore(call: Call, runner: QueryRunner, locked: LockedRow, row: NewRow): Promise<ObjectLiteral> {
  const before = columnsOf(call.metadata, locked.row, copiesFor(call, runner))
  const relations = call.metadata.relationsWithJoinColumns.filter((relation) => isGiven(relation, row))
  if (relations.length > 0) await lockedKeys(call, runner, before, relations)
  return before
}

const copiesFor = ({ metadata }: Call, runner: QueryRunner) =>
  isHeard(runner, metadata.beforeUpdateListeners) ? 'for hooks' : undefined

function stateAfter(
  call: Call,
  runner: QueryRunner,
  locked: LockedRow,
  row: NewRow,
  before: ObjectLiteral,
): ObjectLiteral {
  const { metadata } = call
  const entity = columnsOf(metadata, locked.row, copiesFor(call, runner))
  const given = entityFrom(call, runner.manager, row)
  for (const column of metadata.columns) {
    const value = column.isVirtual ? undefined : column.getEntityValue(row.values)
    if (value !== undefined) column.setEntityValue(entity, value)
  }
  for (const relation of metadata.relations.filter((candidate) => isGiven(candidate, row))) {
    // TypeORM takes one NULL for different from another.
    const isStillNull = relation.getEntityValue(row.values, true) === null && relation.getEntityValue(before) === null
    if (!isStillNull) relation.setEntityValue(entity, relation.getEntityValue(given))
  }
  return entity
}

const isGiven = (relation: RelationMetadata, { values }: NewRow) => relation.getEntityValue(values, true) !== undefined

/** BeforeUpdate, one UPDATE of the changed columns, AfterUpdate; nothing at all where nothing changed. */
async function writeChange(
  call: Call,
  runner: QueryRunner,
  locked: LockedRow,
  change: Change,
): Promise<ObjectLiteral | undefined> {
  if (change.isEmpty) return undefined
  await change.broadcast(runner, 'BeforeUpdate')
  change.recompute()
  if (change.isEmpty) return undefined
  await change.moveInTree(runner)
  const row = await sendUpdate(call, runner, locked, change)
  fill(
    change.entity,
    row,
    call.metadata.columns.filter((column) => column.getEntityValue(row) !== undefined),
  )
  await change.broadcast(runner, 'AfterUpdate')
  return row
}

async function sendUpdate(call: Call, runner: QueryRunner, locked: LockedRow, change: Change): Promise<ObjectLiteral> {
  const { metadata, dialect } = call
  const { driver } = call.dataSource
  const id = idOf(metadata, locked.row) as ObjectLiteral
  const values = change.takeValues()
  const { updateDateColumn } = metadata
  if (locked.now !== undefined && updateDateColumn?.getEntityValue(values) === undefined)
    updateDateColumn?.setEntityValue(values, locked.now)
  // Not CURRENT_TIMESTAMP, the time when the transaction began: who changed the row while we waited for it was later.
  if (dialect.updateClock && updateDateColumn?.getEntityValue(values) === undefined)
    updateDateColumn?.setEntityValue(values, () => dialect.updateClock)
  const update = runner.manager.createQueryBuilder().update(metadata.target).set(values).where(id)
  const [sql, parameters] = update.callListeners(false).updateEntity(false).getQueryAndParameters()
  const readBack = async () =>
    (await readById(call, runner, { ...id, ...idOf(metadata, change.entity) }, true)) as ObjectLiteral
  const columns = ownColumns(call)
  if (dialect.updateReturnsRow && columns) {
    const names = columns.map((column) => driver.escape(column.databaseName)).join(', ')
    const { records } = await runner.query(`${sql} RETURNING ${names}`, parameters, true)
    const [record] = records
    return record ? loaded(runner, metadata, hydrate(call, runner, columns, record)) : readBack()
  }
  await runner.query(sql, parameters, true)
  const predicted = columns && predict(call, locked, values)
  return predicted ? loaded(runner, metadata, predicted) : readBack()
}

/** The row as it is stored now, where that is certain without reading it. */
function predict(
  { metadata, dialect, dataSource }: Call,
  locked: LockedRow,
  values: ObjectLiteral,
): ObjectLiteral | undefined {
  const row = columnsOf(metadata, locked.row) as ObjectLiteral
  const version = metadata.versionColumn
  if (metadata.updateDateColumn && locked.now === undefined) return undefined
  if (metadata.columns.some((column) => column.asExpression !== undefined || writesItself(metadata, column)))
    return undefined
  if (version?.isSelect) version.setEntityValue(row, Number(version.getEntityValue(row)) + 1)
  const stores = (column: ColumnMetadata, value: unknown) =>
    column === metadata.updateDateColumn ? (column.precision ?? 6) >= 3 : dialect.storesExactly(column, value)
  for (const column of metadata.columns) {
    const value = column.getEntityValue(values)
    if (value === undefined || column.isVirtual || !column.isUpdate || !column.isSelect) continue
    const persistent = dataSource.driver.preparePersistentValue(value, column)
    if (!stores(column, persistent)) return undefined
    column.setEntityValue(row, dataSource.driver.prepareHydratedValue(persistent, column))
  }
  return row
}

const writesItself = (metadata: EntityMetadata, column: ColumnMetadata) =>
  column.onUpdate !== undefined && column !== metadata.updateDateColumn

async function loaded(runner: QueryRunner, metadata: EntityMetadata, row: ObjectLiteral): Promise<ObjectLiteral> {
  await broadcastLoad(runner, metadata, [row])
  return row
}
