/**
 * The parts of TypeORM's unit of work that updates and trees need. Loaded when they are: as CommonJS modules that are
 * imported one by one, they would be half of what importing this package costs.
 *
 * - `Subject` and `SubjectChangedColumnsComputer` find what changed in an entity (0.3.20 to 1.1).
 * - The subject executors keep the bookkeeping of trees (0.3.20 to 1.1).
 */
import type { ObjectLiteral } from 'typeorm'
import { Subject } from 'typeorm/persistence/Subject.js'
import { SubjectChangedColumnsComputer } from 'typeorm/persistence/SubjectChangedColumnsComputer.js'
import { ClosureSubjectExecutor } from 'typeorm/persistence/tree/ClosureSubjectExecutor.js'
import { MaterializedPathSubjectExecutor } from 'typeorm/persistence/tree/MaterializedPathSubjectExecutor.js'
import { NestedSetSubjectExecutor } from 'typeorm/persistence/tree/NestedSetSubjectExecutor.js'
import { type ColumnMetadata, dataSourceOf, type EntityMetadata, idOf, type QueryRunner } from './typeorm.js'

/** What would change in a stored row, found as TypeORM's unit of work finds it. */
export class Change {
  readonly #subject: Subject

  constructor(
    readonly metadata: EntityMetadata,
    readonly entity: ObjectLiteral,
    private readonly before: ObjectLiteral,
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
    // TypeORM looks for it among the own properties of the entity, where accessors of its class are not.
    this.#subject.identifier = idOf(this.metadata, this.entity)
    new SubjectChangedColumnsComputer().compute([this.#subject])
    const untouched = this.metadata.columns.filter((column) => this.#isUntouched(column))
    this.#subject.changeMaps = this.#subject.changeMaps.filter(({ column }) => !untouched.some((one) => one === column))
    this.#subject.diffColumns = this.#subject.diffColumns.filter((column) => !untouched.includes(column))
  }

  /**
   * Of a column that TypeORM may take for changed all the same: what a transformer would store of the value can differ each
   * time, as with a salt, and 0.3 compares the bytes of Buffers only.
   */
  #isUntouched(column: ColumnMetadata): boolean {
    if (column.isVirtual) return false
    const value = column.getEntityValue(this.entity)
    return (
      (column.transformer !== undefined || value instanceof Uint8Array) &&
      isSame(value, column.getEntityValue(this.before))
    )
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

function isSame(one: unknown, other: unknown): boolean {
  if (!(one instanceof Uint8Array && other instanceof Uint8Array)) return one === other
  return one.length === other.length && one.every((byte, index) => byte === other[index])
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
