import type { ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import { ownColumnsOf } from './inserting.js'
import { loadsRelations, select } from './reading.js'
import { aliasOf, broadcastLoad, type ColumnMetadata, type EntityMetadata, type QueryRunner } from './typeorm.js'

/**
 * A look-up whose SQL was written once, by TypeORM's own query builder, and is sent again with other values. Building the
 * text is what TypeORM spends most of a small read on; connection, logging, events and entities stay TypeORM's.
 */
interface LookUp {
  readonly sql: string
  /** Unique among processes, which may share connections through a pooler. */
  readonly name: string
  /** The value of each parameter: that of a key column, or a constant such as a discriminator. */
  readonly parameters: readonly (ColumnMetadata | { readonly constant: unknown })[]
  /** How a record becomes an entity: of the class that was asked for, or of the child class that its discriminator names. */
  readonly shapes: readonly Shape[]
}

interface Shape {
  readonly metadata: EntityMetadata
  readonly discriminator: string | undefined
  readonly columns: readonly { readonly column: ColumnMetadata; readonly alias: string }[]
}

/** So many texts are kept for an entity: criteria may be put together at run time, without end. */
const MOST_LOOK_UPS = 100

const lookUps = new WeakMap<EntityMetadata, Map<string, LookUp>>()

/**
 * The matching rows, two at most, where the criteria are plain equality on columns of the entity's own table and nothing
 * is read beside them; `undefined` where the query builder has to be asked.
 */
export async function readCompiled(call: Call, runner: QueryRunner): Promise<ObjectLiteral[] | undefined> {
  const [pinned] = call.criteria.alternatives
  if (!pinned || !isCompilable(call)) return undefined
  const lookUp = lookUpFor(call, runner, pinned)
  const values: unknown[] = []
  for (const part of lookUp.parameters) {
    const value = 'constant' in part ? part.constant : persistent(part, pinned.get(part))
    // Strings and numbers reach these drivers as they are; other values, TypeORM converts for each.
    if (typeof value !== 'string' && typeof value !== 'number') return undefined
    values.push(value)
  }
  const { records } = await send(call, runner, lookUp, values)
  const rows = records.map((record) => hydrate(call, runner, lookUp.shapes, record))
  if (rows.length > 0) await broadcastLoad(runner, call.metadata, rows)
  return rows
}

function send(
  { options, dialect }: Call,
  runner: QueryRunner,
  { name, sql }: LookUp,
  values: unknown[],
): Promise<QueryResult> {
  const { queryNamed } = dialect
  if (options.prepare && queryNamed) return queryNamed(runner, name, sql, values) as Promise<QueryResult>
  return runner.query(sql, values, true)
}

type QueryResult = { readonly records: ObjectLiteral[] }

function isCompilable(call: Call): boolean {
  const { criteria, dialect, metadata } = call
  if (!dialect.comparesPlainValues || !criteria.pinsEverything || loadsRelations(call)) return false
  return metadata.relationIds.length === 0
}

function persistent(column: ColumnMetadata, value: unknown): unknown {
  const transformers = [column.transformer ?? []].flat()
  return transformers.reduce((transformed, transformer) => transformer.to(transformed), value)
}

function lookUpFor(call: Call, runner: QueryRunner, pinned: ReadonlyMap<ColumnMetadata, unknown>): LookUp {
  const known = lookUps.get(call.metadata) ?? new Map<string, LookUp>()
  lookUps.set(call.metadata, known)
  const withDeleted = call.options.withDeleted || call.options.restoreDeleted
  let name = String(withDeleted)
  for (const column of pinned.keys()) name += `,${column.propertyPath}`
  const found = known.get(name)
  if (found) return found
  const [oldest] = known.keys()
  if (known.size >= MOST_LOOK_UPS && oldest !== undefined) known.delete(oldest)
  const lookUp = compile(call, runner, [...pinned.keys()])
  known.set(name, lookUp)
  return lookUp
}

const processMark = Math.random().toString(36).slice(2)
let names = 0

/** Each key column gets a value that stands for it, and is looked for among the parameters of the finished text. */
function compile(call: Call, runner: QueryRunner, columns: readonly ColumnMetadata[]): LookUp {
  const { driver } = call.dataSource
  const marks = new Map(columns.map((column, index) => [`get_or_create_${index}`, column]))
  const query = select(call, runner, {}, call.options.withDeleted || call.options.restoreDeleted)
  for (const [mark, column] of marks) {
    const path = `${driver.escape(call.metadata.name)}.${driver.escape(column.databaseName)}`
    query.andWhere(`${path} = :${mark}`, { [mark]: mark })
  }
  if (!call.isUnique) query.limit(2)
  const [sql, parameters] = query.getQueryAndParameters()
  const name = `get_or_create_${processMark}_${++names}`
  return {
    sql,
    name,
    parameters: parameters.map((value) => marks.get(value) ?? { constant: value }),
    shapes: shapesOf(call),
  }
}

function shapesOf({ metadata, dataSource }: Call): Shape[] {
  const alias = (column: ColumnMetadata) => aliasOf(dataSource.driver, metadata, column)
  const { discriminatorColumn } = metadata
  return [...metadata.childEntityMetadatas, metadata].map((shape) => ({
    metadata: shape,
    discriminator: discriminatorColumn && alias(discriminatorColumn),
    columns: ownColumnsOf(shape).map((column) => ({ column, alias: alias(column) })),
  }))
}

/** Builds an entity as TypeORM's own reads do. */
function hydrate(
  { dataSource }: Call,
  runner: QueryRunner,
  shapes: readonly Shape[],
  record: ObjectLiteral,
): ObjectLiteral {
  const own = shapes.at(-1) as Shape
  const shape =
    shapes.find(
      ({ metadata, discriminator }) => discriminator && record[discriminator] === metadata.discriminatorValue,
    ) ?? own
  const entity: ObjectLiteral = shape.metadata.create(runner, { fromDeserializer: true })
  for (const { column, alias } of shape.columns) {
    const value = record[alias]
    if (value !== undefined) column.setEntityValue(entity, dataSource.driver.prepareHydratedValue(value, column))
  }
  return entity
}
