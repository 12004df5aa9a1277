/**
 * What this package uses of TypeORM that is not, or not in every supported line, part of its public surface. Nothing
 * but this file and persistence.ts reaches inside.
 *
 * - 0.3 calls the data source of a manager `connection`; 1.x calls it `dataSource`.
 * - `QueryRunner.broadcaster` fires listeners and subscribers (0.3.20 to 1.1).
 * - `createLockExpression` writes a SELECT's lock clause (0.3.20 to 1.1).
 */
import type { DataSource, EntityManager, EntityMetadata, ObjectLiteral, QueryRunner, SelectQueryBuilder } from 'typeorm'
import type { IsolationLevel } from 'typeorm/driver/types/IsolationLevel.js'

export type { DatabaseType, DataSource, EntityMetadata, QueryRunner } from 'typeorm'
export type { IsolationLevel } from 'typeorm/driver/types/IsolationLevel.js'
export type Driver = DataSource['driver']
export type ColumnMetadata = EntityMetadata['columns'][number]
export type RelationMetadata = EntityMetadata['relations'][number]
export type EmbeddedMetadata = EntityMetadata['embeddeds'][number]

export function dataSourceOf(manager: EntityManager): DataSource {
  return (manager as { dataSource?: DataSource }).dataSource ?? manager.connection
}

/** The isolation levels that TypeORM lets a transaction have; 0.3 does not tell. */
export function isolationLevelsOf(driver: Driver): readonly IsolationLevel[] | undefined {
  return (driver as { readonly supportedIsolationLevels?: readonly IsolationLevel[] }).supportedIsolationLevels
}

/**
 * The primary key of an entity, as criteria. Where a key column that has a property of its own is also the foreign key of
 * a relation, 0.3.20 gives the related entity's key in its place, and 1.1 does so for relations of several columns.
 */
export function idOf(metadata: EntityMetadata, entity: ObjectLiteral | undefined): ObjectLiteral | undefined {
  const id = metadata.getEntityIdMap(entity)
  if (!id || !entity) return undefined
  for (const column of metadata.primaryColumns) {
    const isOwnProperty = column.relationMetadata && column.propertyName !== column.relationMetadata.propertyName
    if (isOwnProperty) column.setEntityValue(id, column.getEntityValue(entity))
  }
  return id
}

/** Is there a listener of the entity, or a subscriber, that an event may concern? */
export function isHeard(runner: QueryRunner, listeners: EntityMetadata['listeners']): boolean {
  return listeners.length > 0 || dataSourceOf(runner.manager).subscribers.length > 0
}

export function dataSourceOfColumn(column: ColumnMetadata): DataSource {
  const { entityMetadata } = column as { entityMetadata: { dataSource?: DataSource; connection: DataSource } }
  return entityMetadata.dataSource ?? entityMetadata.connection
}

export const driverOf = (column: ColumnMetadata): Driver => dataSourceOfColumn(column).driver

/** Runs the entity's listeners and the data source's subscribers for an event, as TypeORM's own statements do. */
export function broadcastInsert(
  runner: QueryRunner,
  event: 'BeforeInsert' | 'AfterInsert',
  metadata: EntityMetadata,
  entity: ObjectLiteral,
) {
  return fire(runner, event, metadata, entity, idOf(metadata, entity))
}

export function broadcastRecover(
  runner: QueryRunner,
  event: 'BeforeRecover' | 'AfterRecover',
  metadata: EntityMetadata,
  entity: ObjectLiteral,
) {
  return fire(runner, event, metadata, entity, entity, idOf(metadata, entity))
}

/** The declared arguments of an event lack the identifier that it is fired with. */
function fire(runner: QueryRunner, event: string, ...args: unknown[]): Promise<void> {
  const broadcaster = runner.broadcaster as unknown as { broadcast(event: string, ...args: unknown[]): Promise<void> }
  return broadcaster.broadcast(event, ...args)
}

/** Runs `afterLoad` for entities that were built without TypeORM's SELECT; a promise only where somebody listens. */
export function broadcastLoad(
  runner: QueryRunner,
  metadata: EntityMetadata,
  entities: object[],
): Promise<void> | undefined {
  if (entities.length === 0 || !isHeard(runner, metadata.afterLoadListeners)) return undefined
  return runner.broadcaster.broadcast('Load', metadata, entities)
}

/** Lets a locking SELECT end in `clause` instead of what TypeORM would write. */
export function replaceLockClause(query: SelectQueryBuilder<ObjectLiteral>, clause: string): void {
  const internals = query as unknown as { createLockExpression?: () => string }
  if (typeof internals.createLockExpression !== 'function') {
    throw new Error('typeorm-get-or-create: this TypeORM release builds lock clauses in a way that is not known yet')
  }
  internals.createLockExpression = () => clause
  // A SELECT that limits joined rows runs as copies of itself.
  const clone = query.clone.bind(query)
  query.clone = () => {
    const copy = clone()
    replaceLockClause(copy, clause)
    return copy
  }
}

/** A nested set has one root: whoever loses the race for it is told before the row's own INSERT. */
export function isTakenTreeRoot(error: unknown): boolean {
  return (error as { constructor?: { name?: string } } | undefined)?.constructor?.name === 'NestedSetMultipleRootError'
}

/** A shared query runner is used again: what TypeORM miscounted would put every later call inside a transaction. */
export function forgetTransaction(runner: QueryRunner): void {
  Object.assign(runner, { isTransactionActive: false, transactionDepth: 0 })
}
