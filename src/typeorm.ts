/**
 * What this package uses of TypeORM that is not, or not in every supported line, part of its public surface. Nothing
 * else reaches inside.
 *
 * - 0.3 calls the data source of a manager `connection`; 1.x calls it `dataSource`.
 * - `QueryRunner.broadcaster` fires listeners and subscribers (0.3.20 to 1.1).
 * - `createLockExpression` writes a SELECT's lock clause (0.3.20 to 1.1).
 * - `Subject` and `SubjectChangedColumnsComputer` find what changed in an entity (0.3.20 to 1.1).
 * - The subject executors below keep the bookkeeping of trees (0.3.20 to 1.1).
 */
import type { DataSource, EntityManager, EntityMetadata, ObjectLiteral, QueryRunner, SelectQueryBuilder } from 'typeorm'
import { DriverUtils } from 'typeorm/driver/DriverUtils.js'
import type { IsolationLevel } from 'typeorm/driver/types/IsolationLevel.js'
import { Subject } from 'typeorm/persistence/Subject.js'
import { SubjectChangedColumnsComputer } from 'typeorm/persistence/SubjectChangedColumnsComputer.js'
import { ClosureSubjectExecutor } from 'typeorm/persistence/tree/ClosureSubjectExecutor.js'
import { MaterializedPathSubjectExecutor } from 'typeorm/persistence/tree/MaterializedPathSubjectExecutor.js'
import { NestedSetSubjectExecutor } from 'typeorm/persistence/tree/NestedSetSubjectExecutor.js'

export type { DatabaseType, DataSource, EntityMetadata, QueryRunner } from 'typeorm'
export type { IsolationLevel } from 'typeorm/driver/types/IsolationLevel.js'
export type Driver = DataSource['driver']
export type ColumnMetadata = EntityMetadata['columns'][number]
export type RelationMetadata = EntityMetadata['relations'][number]

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

/** Is there a listener or a subscriber that an event may concern? */
export function isHeard(runner: QueryRunner, event: 'beforeInsert' | 'afterInsert', metadata: EntityMetadata): boolean {
  return metadata[`${event}Listeners`].length > 0 || dataSourceOf(runner.manager).subscribers.length > 0
}

export function driverOf(column: ColumnMetadata): Driver {
  const { entityMetadata } = column as { entityMetadata: { dataSource?: DataSource; connection: DataSource } }
  return (entityMetadata.dataSource ?? entityMetadata.connection).driver
}

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

/** Runs `afterLoad` for entities that were built without TypeORM's SELECT. */
export function broadcastLoad(runner: QueryRunner, metadata: EntityMetadata, entities: object[]) {
  return runner.broadcaster.broadcast('Load', metadata, entities)
}

/** The name that a column has in the records of a SELECT from its entity (0.3.20 to 1.1). */
export function aliasOf(driver: Driver, metadata: EntityMetadata, column: ColumnMetadata): string {
  return DriverUtils.buildAlias(driver, undefined, metadata.name, column.databaseName)
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

/** What would change in a stored row, found as TypeORM's unit of work finds it. */
export class Change {
  readonly #subject: Subject

  constructor(
    readonly metadata: EntityMetadata,
    readonly entity: ObjectLiteral,
    before: ObjectLiteral,
  ) {
    this.#subject = new Subject({ metadata, entity, canBeUpdated: true })
    this.#subject.databaseEntity = before
    this.#subject.databaseEntityLoaded = true
    this.recompute()
  }

  get isEmpty(): boolean {
    return !this.#subject.mustBeUpdated
  }

  /** Listeners may have changed the entity. */
  recompute(): void {
    this.#subject.recompute()
    new SubjectChangedColumnsComputer().compute([this.#subject])
  }

  takeValues(): ObjectLiteral {
    return this.#subject.createValueSetAndPopChangeMap()
  }

  /** The row's own UPDATE writes its parent only. */
  async moveInTree(runner: QueryRunner): Promise<void> {
    const { treeType, treeParentRelation } = this.metadata
    if (!treeType || treeParentRelation?.getEntityValue(this.entity) === undefined) return
    const executors = {
      'closure-table': ClosureSubjectExecutor,
      'materialized-path': MaterializedPathSubjectExecutor,
      'nested-set': NestedSetSubjectExecutor,
    }
    const Executor = executors[treeType as keyof typeof executors]
    await new Executor(forExecutors(runner)).update(this.#subject)
  }

  broadcast(runner: QueryRunner, event: 'BeforeUpdate' | 'AfterUpdate') {
    const { databaseEntity, diffColumns, diffRelations } = this.#subject
    return runner.broadcaster.broadcast(event, this.metadata, this.entity, databaseEntity, diffColumns, diffRelations)
  }
}

/** The part of TypeORM's `Subject` that its tree executors read. */
interface InsertSubject {
  readonly metadata: EntityMetadata
  readonly entity: object
  readonly insertedValueSet: object
  readonly identifier: object | undefined
}

type TreeExecutor = { insert(subject: InsertSubject): Promise<void> }

/**
 * What the tree executors read of a query runner. 0.3 calls its data source `connection` and 1.x `dataSource`: where two
 * copies of TypeORM are installed, the executors may be of the other line.
 */
function forExecutors(runner: QueryRunner): QueryRunner {
  const { manager } = runner
  const dataSource = dataSourceOf(manager)
  const query = (...statement: Parameters<QueryRunner['query']>) => runner.query(...statement)
  return { manager, dataSource, connection: dataSource, query } as unknown as QueryRunner
}

/** Makes room in a nested set; it must run before the row is inserted and sets left and right on the entity. */
export async function beforeTreeInsert(runner: QueryRunner, metadata: EntityMetadata, entity: object): Promise<void> {
  if (metadata.treeType !== 'nested-set') return
  const place: ObjectLiteral = {}
  await insertIntoTree(new NestedSetSubjectExecutor(forExecutors(runner)), metadata, entity, place)
  for (const column of [metadata.nestedSetLeftColumn, metadata.nestedSetRightColumn]) {
    column?.setEntityValue(entity, column.getEntityValue(place))
  }
}

/** A nested set has one root: whoever loses the race for it is told before the row's own INSERT. */
export function isTakenTreeRoot(error: unknown): boolean {
  return (error as { constructor?: { name?: string } } | undefined)?.constructor?.name === 'NestedSetMultipleRootError'
}

/** Records where an inserted row hangs in its tree. */
export async function afterTreeInsert(runner: QueryRunner, metadata: EntityMetadata, entity: object): Promise<void> {
  if (metadata.treeType === 'closure-table')
    await insertIntoTree(new ClosureSubjectExecutor(forExecutors(runner)), metadata, entity)
  if (metadata.treeType === 'materialized-path') {
    await insertIntoTree(new MaterializedPathSubjectExecutor(forExecutors(runner)), metadata, entity)
  }
}

function insertIntoTree(
  executor: object,
  metadata: EntityMetadata,
  entity: object,
  insertedValueSet = entity,
): Promise<void> {
  const identifier = idOf(metadata, entity)
  return (executor as TreeExecutor).insert({ metadata, entity, insertedValueSet, identifier })
}

/** A shared query runner is used again: what TypeORM miscounted would put every later call inside a transaction. */
export function forgetTransaction(runner: QueryRunner): void {
  Object.assign(runner, { isTransactionActive: false, transactionDepth: 0 })
}
