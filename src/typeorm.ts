/**
 * What this package uses of TypeORM that is not, or not in every supported line, part of its public surface. Nothing
 * else reaches inside.
 *
 * - 0.3 calls the data source of a manager `connection`; 1.x calls it `dataSource`.
 * - `QueryRunner.broadcaster` fires listeners and subscribers (0.3.20 to 1.1).
 * - `createLockExpression` writes a SELECT's lock clause (0.3.20 to 1.1).
 * - The subject executors below keep the bookkeeping of trees (0.3.20 to 1.1).
 */
import type { DataSource, EntityManager, EntityMetadata, QueryRunner, SelectQueryBuilder } from 'typeorm'
import { ClosureSubjectExecutor } from 'typeorm/persistence/tree/ClosureSubjectExecutor.js'
import { MaterializedPathSubjectExecutor } from 'typeorm/persistence/tree/MaterializedPathSubjectExecutor.js'
import { NestedSetSubjectExecutor } from 'typeorm/persistence/tree/NestedSetSubjectExecutor.js'

export type { DatabaseType, DataSource, EntityMetadata, QueryRunner } from 'typeorm'
export type Driver = DataSource['driver']
export type ColumnMetadata = EntityMetadata['columns'][number]
export type RelationMetadata = EntityMetadata['relations'][number]

export function dataSourceOf(manager: EntityManager): DataSource {
  return (manager as { dataSource?: DataSource }).dataSource ?? manager.connection
}

type EntityEvent = 'BeforeInsert' | 'AfterInsert' | 'BeforeRecover' | 'AfterRecover'

/** Runs the entity's listeners and the data source's subscribers for an event, as TypeORM's own statements do. */
export function broadcast(runner: QueryRunner, event: EntityEvent, metadata: EntityMetadata, entity: object) {
  return runner.broadcaster.broadcast(event, metadata, entity, metadata.getEntityIdMap(entity))
}

/** Runs `afterLoad` for entities that were built without TypeORM's SELECT. */
export function broadcastLoad(runner: QueryRunner, metadata: EntityMetadata, entities: object[]) {
  return runner.broadcaster.broadcast('Load', metadata, entities)
}

/** Lets a locking SELECT end in `clause` instead of what TypeORM would write. */
export function replaceLockClause(query: SelectQueryBuilder<never>, clause: string): void {
  const internals = query as unknown as { createLockExpression?: () => string }
  if (typeof internals.createLockExpression !== 'function') {
    throw new Error('typeorm-get-or-create: this TypeORM release builds lock clauses in a way that is not known yet')
  }
  internals.createLockExpression = () => clause
}

/** The part of TypeORM's `Subject` that its tree executors read. */
interface InsertSubject {
  readonly metadata: EntityMetadata
  readonly entity: object
  readonly insertedValueSet: object
  readonly identifier: object | undefined
}

type TreeExecutor = { insert(subject: InsertSubject): Promise<void> }

/** Makes room in a nested set; it must run before the row is inserted and sets left and right on the entity. */
export async function beforeTreeInsert(runner: QueryRunner, metadata: EntityMetadata, entity: object): Promise<void> {
  if (metadata.treeType !== 'nested-set') return
  await insertIntoTree(new NestedSetSubjectExecutor(runner), metadata, entity)
}

/** A nested set has one root: whoever loses the race for it is told before the row's own INSERT. */
export function isTakenTreeRoot(error: unknown): boolean {
  return (error as { constructor?: { name?: string } } | undefined)?.constructor?.name === 'NestedSetMultipleRootError'
}

/** Records where an inserted row hangs in its tree. */
export async function afterTreeInsert(runner: QueryRunner, metadata: EntityMetadata, entity: object): Promise<void> {
  if (metadata.treeType === 'closure-table') await insertIntoTree(new ClosureSubjectExecutor(runner), metadata, entity)
  if (metadata.treeType === 'materialized-path') {
    await insertIntoTree(new MaterializedPathSubjectExecutor(runner), metadata, entity)
  }
}

function insertIntoTree(executor: object, metadata: EntityMetadata, entity: object): Promise<void> {
  const identifier = metadata.getEntityIdMap(entity)
  return (executor as TreeExecutor).insert({ metadata, entity, insertedValueSet: entity, identifier })
}
