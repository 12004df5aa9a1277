import type { DeepPartial, EntityManager, EntityTarget, ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import { guarded, sendStatement } from './connection.js'
import { cloneOf } from './copies.js'
import { isUniqueViolation } from './failures.js'
import { builtInsert, type InsertStatement, insertStatement, isZeroAsId } from './insert-text.js'
import type { NewRow } from './new-row.js'
import { copyInto } from './operators.js'
import { setValueIn, valueIn } from './properties.js'
import { loadsRelations, readById, readMatch } from './reading.js'
import { Shape } from './shape.js'
import {
  broadcastInsert,
  broadcastLoad,
  type ColumnMetadata,
  type Driver,
  type EntityMetadata,
  idOf,
  isHeard,
  isTakenTreeRoot,
  type QueryRunner,
  type RelationMetadata,
} from './typeorm.js'

/**
 * How an INSERT meets a row that is already there.
 *
 * - `plain`: it fails
 * - `yielding`: it inserts nothing and says so by returning no row (ON CONFLICT DO NOTHING)
 * - `guarded`: it fails, and a transaction that the failure would abort stays usable
 */
export type Manner = 'plain' | 'yielding' | 'guarded'

/** The entity that is about to be inserted, after BeforeInsert; a promise only where somebody listens. */
export function prepareCandidate(call: Call, runner: QueryRunner, row: NewRow): ObjectLiteral | Promise<ObjectLiteral> {
  const candidate = entityFrom(call, runner.manager, row, runner)
  forgetInitialZeros(call.metadata, candidate, row.values)
  if (!isHeard(runner, call.metadata.beforeInsertListeners)) return candidate
  return broadcastInsert(runner, 'BeforeInsert', call.metadata, candidate).then(() => candidate)
}

/** `id = 0` in a class says that there is no id yet. */
function forgetInitialZeros(
  { generatedColumns }: EntityMetadata,
  candidate: ObjectLiteral,
  given: ObjectLiteral,
): void {
  for (const column of generatedColumns)
    if (isZeroAsId(column, candidate) && valueIn(given, column) === undefined) setValueIn(candidate, column, undefined)
}

/** What `create` makes of the values. Of loaded entities among them it would not: it does not end where they lead back. */
export function entityFrom(
  { metadata }: Call,
  manager: EntityManager,
  { values, isPlain }: Pick<NewRow, 'values' | 'isPlain'>,
  runner?: QueryRunner,
): ObjectLiteral {
  if (isPlain) {
    const entity = metadata.create(runner)
    copyInto(entity, values)
    return entity
  }
  const loaded = metadata.relations.filter(
    (relation) => !relation.isLazy && !relation.embeddedMetadata && isLoaded(relation, values[relation.propertyName]),
  )
  const others = { ...values }
  for (const { propertyName } of loaded) delete others[propertyName]
  const entity: ObjectLiteral = manager.create(
    metadata.target as EntityTarget<ObjectLiteral>,
    others as DeepPartial<ObjectLiteral>,
  )
  for (const { propertyName, inverseEntityMetadata } of loaded)
    entity[propertyName] = cloneOf(inverseEntityMetadata, values[propertyName])
  return entity
}

function isLoaded({ inverseEntityMetadata: { target } }: RelationMetadata, value: unknown): boolean {
  return typeof target === 'function' && value instanceof target
}

/** The row that was created, or the violation of a key that stood in its way; an insert that yielded gives no reason. */
export interface Claim {
  readonly created?: ObjectLiteral
  readonly failure?: unknown
}

/** Inserts the row, runs AfterInsert, and returns it as a read would. */
export async function insertRow(
  call: Call,
  runner: QueryRunner,
  candidate: ObjectLiteral,
  manner: Manner,
): Promise<Claim> {
  let written: WrittenRow | undefined
  try {
    written = await writeRow(call, runner, candidate, manner)
  } catch (error) {
    return lostClaim(error)
  }
  if (!written) return {}
  const created = written.row ?? (await readCandidate(call, runner, candidate))
  if (isHeard(runner, call.metadata.afterInsertListeners))
    await broadcastInsert(runner, 'AfterInsert', call.metadata, candidate)
  return { created }
}

/**
 * For failures of our statements, not of a hook: where a unique key stood in the way, whoever holds it may be the winner.
 *
 * @throws any other failure
 */
export function lostClaim(failure: unknown): Claim {
  if (isUniqueViolation(failure) || isTakenTreeRoot(failure)) return { failure }
  throw failure
}

interface WrittenRow {
  /** Where the INSERT returned all of it. */
  readonly row?: ObjectLiteral
}

/**
 * The row's own INSERT, without events. The key that the database generated is filled into the candidate. The row itself
 * comes back, where the INSERT returns all of it, as a new entity: a candidate carries what no read returns, such as the
 * relations of the criteria, unsaved fields and values before a lossy transformer.
 */
export async function writeRow(
  call: Call,
  runner: QueryRunner,
  candidate: ObjectLiteral,
  manner: Manner,
): Promise<WrittenRow | undefined> {
  const { metadata, dialect } = call
  const { driver } = call.dataSource
  const yields = manner === 'yielding'
  const way = dialect.insertedRow(driver)
  if (way === 'typeorm') {
    await builtInsert(call, runner, [candidate], yields).execute()
    return {}
  }
  if (way === 'insertId') {
    const statement = insertStatement(call, runner, [candidate], { yields })
    const { raw } = await send(call, runner, statement, manner)
    fillGeneratedIds(driver, metadata, candidate, raw, statement.locallyGenerated)
    return {}
  }
  const columns = ownColumns(call)
  const returned = columns ?? metadata.primaryColumns
  const statement = insertStatement(call, runner, [candidate], { yields, returning: returned })
  const { records } = await send(call, runner, statement, manner)
  const [record] = records
  if (!record) return undefined
  const row = hydrate(call, runner, returned, record)
  fill(candidate, row, returned)
  if (!columns) return {}
  const listeners = broadcastLoad(runner, metadata, [row])
  if (listeners) await listeners
  return { row }
}

function send(
  { dialect, options }: Call,
  runner: QueryRunner,
  { sql, parameters, name }: InsertStatement,
  manner: Manner,
): Promise<{ raw: unknown; records: ObjectLiteral[] }> {
  if (manner === 'guarded' && runner.isTransactionActive)
    return guarded(runner, dialect, (query) => query(sql, parameters, true))
  return sendStatement(runner, dialect, options.prepare ? name : undefined, sql, parameters)
}

/** The columns that entities of this class have, without those of its child classes in the same table. */
export function ownColumnsOf(metadata: EntityMetadata): ColumnMetadata[] {
  return metadata.columns.filter(
    (column) => !column.isVirtual && !metadata.childEntityMetadatas.some((child) => child.target === column.target),
  )
}

/** The columns that a read gives, when RETURNING gives the same and there is nothing to read beside them. */
export function ownColumns(call: Call): readonly ColumnMetadata[] | undefined {
  return loadsRelations(call) ? undefined : returnable(call)
}

const returnableColumns = new WeakMap<EntityMetadata, readonly ColumnMetadata[] | 'differ'>()

function returnable({ metadata, dialect, dataSource }: Call): readonly ColumnMetadata[] | undefined {
  const known = returnableColumns.get(metadata)
  if (known) return known === 'differ' ? undefined : known
  const columns = ownColumnsOf(metadata).filter((column) => column.isSelect || column.isPrimary)
  const readsDifferently = (column: ColumnMetadata) =>
    column.isVirtualProperty || dialect.selectsThroughFunction(column, dataSource.driver)
  const differs = metadata.relationIds.length > 0 || columns.some(readsDifferently)
  returnableColumns.set(metadata, differs ? 'differ' : columns)
  return differs ? undefined : columns
}

/** Builds an entity from a record of RETURNING. */
export function hydrate(
  { metadata, dataSource }: Call,
  runner: QueryRunner,
  columns: readonly ColumnMetadata[],
  record: ObjectLiteral,
): ObjectLiteral {
  let shape = shapes.get(columns)
  if (!shape) {
    shape = new Shape(
      metadata,
      columns.map((column) => [column, column.databaseName]),
    )
    shapes.set(columns, shape)
  }
  return shape.hydrate(runner, dataSource.driver, record)
}

const shapes = new WeakMap<readonly ColumnMetadata[], Shape>()

/** Listeners of AfterInsert see what is stored. */
export function fill(candidate: object, row: object, columns: readonly ColumnMetadata[]): void {
  for (const column of columns) if (!column.isVirtual) setValueIn(candidate, column, valueIn(row, column))
}

function fillGeneratedIds(
  driver: Driver,
  metadata: EntityMetadata,
  candidate: object,
  raw: unknown,
  locallyGenerated: ObjectLiteral = {},
): void {
  const reported: ObjectLiteral = driver.createGeneratedMap(metadata, raw as ObjectLiteral, 0, 1) ?? {}
  for (const column of metadata.generatedColumns) {
    if ((column.getEntityValue(candidate) ?? undefined) !== undefined) continue
    const value = column.getEntityValue(locallyGenerated) ?? column.getEntityValue(reported)
    if (value !== undefined) column.setEntityValue(candidate, value)
  }
}

/** Reads the row that was just written, and lets the candidate know what is stored. */
export async function readCandidate(call: Call, runner: QueryRunner, candidate: ObjectLiteral): Promise<ObjectLiteral> {
  const { metadata } = call
  const row = await readWritten(seeing(call, [candidate]), runner, candidate)
  if (!row) return candidate
  fill(
    candidate,
    row,
    metadata.columns.filter((column) => column.getEntityValue(row) !== undefined),
  )
  return row
}

/** By the criteria where the database made a key that it does not tell. */
function readWritten(call: Call, runner: QueryRunner, candidate: ObjectLiteral): Promise<ObjectLiteral | undefined> {
  const { metadata } = call
  const id = metadata.hasAllPrimaryKeys(candidate) ? idOf(metadata, candidate) : undefined
  if (id) return readById(call, runner, id)
  return call.isUnique && call.keepsCriteria() ? readMatch(call, runner) : Promise.resolve(undefined)
}

/** A call that also sees rows which were stored with a delete date. */
export function seeing(call: Call, candidates: readonly ObjectLiteral[]): Call {
  const { deleteDateColumn } = call.metadata
  if (!candidates.some((candidate) => deleteDateColumn?.getEntityValue(candidate))) return call
  return call.with({ options: { ...call.options, withDeleted: true } })
}
