import type { ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import { sendStatement } from './connection.js'
import type { Pinned } from './criteria.js'
import { ownColumnsOf } from './inserting.js'
import { valueIn } from './properties.js'
import { loadsRelations, seesDeleted, select } from './reading.js'
import { Shape } from './shape.js'
import { nameOfText, TextCache } from './text-cache.js'
import { broadcastLoad, type ColumnMetadata, type EntityMetadata, type QueryRunner } from './typeorm.js'

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
  /** The name of a column in the records; `undefined` where the SELECT does not read it. */
  aliasOf(column: ColumnMetadata): string | undefined
  /** How a record becomes an entity of the class that was asked for. */
  readonly shape: Shape
  /** The same for its child classes, of which the discriminator of a record names one. */
  readonly childShapes: readonly Shape[]
  readonly discriminator: string | undefined
}

const lookUps = new TextCache<LookUp | undefined>()

/** Rows, each with the record that it was made of. */
export interface ReadList {
  readonly entities: ObjectLiteral[]
  readonly records: readonly ObjectLiteral[]
  aliasOf(column: ColumnMetadata): string | undefined
}

/**
 * The matching rows, two at most, where the criteria are plain equality on columns of the entity's own table and nothing
 * is read beside them; `undefined` where the query builder has to be asked.
 */
export function readCompiled(call: Call, runner: QueryRunner): Promise<ReadList> | undefined {
  const { pinned, pinsEverything } = call.criteria
  if (!pinned || !pinsEverything) return undefined
  return readPinned(call, runner, pinned, seesDeleted(call), call.isUnique ? undefined : 2)
}

/** The same for the row with this primary key. */
export function readIdCompiled(
  call: Call,
  runner: QueryRunner,
  id: ObjectLiteral,
  withDeleted: boolean,
): Promise<ReadList> | undefined {
  const key = { columns: call.metadata.primaryColumns, valueFor: (column: ColumnMetadata) => valueIn(id, column) }
  return readPinned(call, runner, key, withDeleted)
}

function readPinned(
  call: Call,
  runner: QueryRunner,
  pinned: Pinned,
  withDeleted: boolean,
  limit?: number,
): Promise<ReadList> | undefined {
  if (!isCompilable(call)) return undefined
  const { columns } = pinned
  const lookUp = lookUps.get(call.metadata, keyFor(columns, withDeleted), () =>
    compile(call, runner, { columns, withDeleted, limit }),
  )
  if (!lookUp) return undefined
  const values = valuesFor(lookUp, (column) => persistent(column, pinned.valueFor(column)))
  return values.every(isSentAsItIs) ? read(call, runner, lookUp, values) : undefined
}

/** The same for the rows that have one of the values in a column, where one parameter can be a list. */
export function readListCompiled(
  call: Call,
  runner: QueryRunner,
  column: ColumnMetadata,
  list: readonly unknown[],
): Promise<ReadList> | undefined {
  const { comparesWithList } = call.dialect
  if (!comparesWithList || !isCompilable(call) || !(column.isSelect || column.isPrimary)) return undefined
  const columns = [column]
  const withDeleted = seesDeleted(call)
  const comparison = comparesWithList(column, `:${markOf(0)}`, list.length)
  const lookUp = lookUps.get(call.metadata, `${keyFor(columns, withDeleted)} ${comparison}`, () =>
    compile(call, runner, { columns, withDeleted, comparison }),
  )
  if (!lookUp) return undefined
  const sent = list.map((value) => persistent(column, value))
  const values = valuesFor(lookUp, () => sent)
  const isPlain = values.every((value) => (value === sent ? sent.every(isSentAsItIs) : isSentAsItIs(value)))
  return isPlain ? read(call, runner, lookUp, values) : undefined
}

async function read(call: Call, runner: QueryRunner, lookUp: LookUp, values: unknown[]): Promise<ReadList> {
  const { sql, name } = lookUp
  const { records } = await sendStatement(runner, call.dialect, call.options.prepare ? name : undefined, sql, values)
  const { driver } = call.dataSource
  const entities = records.map((record) => shapeFor(lookUp, record).hydrate(runner, driver, record))
  const listeners = broadcastLoad(runner, call.metadata, entities)
  if (listeners) await listeners
  return { entities, records, aliasOf: lookUp.aliasOf }
}

/** Strings and numbers reach the drivers as they are; other values, TypeORM converts for each. */
const isSentAsItIs = (value: unknown) => typeof value === 'string' || typeof value === 'number'

const valuesFor = ({ parameters }: LookUp, sent: (column: ColumnMetadata) => unknown): unknown[] =>
  parameters.map((part) => ('constant' in part ? part.constant : sent(part)))

function isCompilable(call: Call): boolean {
  return call.dialect.comparesPlainValues && !loadsRelations(call) && call.metadata.relationIds.length === 0
}

function persistent(column: ColumnMetadata, value: unknown): unknown {
  if (column.transformer === undefined) return value
  const transformers = [column.transformer ?? []].flat()
  return transformers.reduce((transformed, transformer) => transformer.to(transformed), value)
}

function keyFor(columns: readonly ColumnMetadata[], withDeleted: boolean): string {
  const paths = columns.length === 1 ? (columns[0]?.propertyPath ?? '') : columns.map((column) => column.propertyPath)
  return withDeleted ? `${paths}, deleted` : String(paths)
}

const markOf = (index: number) => `get_or_create_${index}`

interface LookUpManner {
  readonly columns: readonly ColumnMetadata[]
  readonly withDeleted: boolean
  /** How a column is compared with a list; absent where it is compared with one value. */
  readonly comparison?: string
  readonly limit?: number | undefined
}

/** Each key column gets a value that stands for it, and is looked for among the parameters of the finished text. */
function compile(
  call: Call,
  runner: QueryRunner,
  { columns, withDeleted, comparison, limit }: LookUpManner,
): LookUp | undefined {
  const { driver } = call.dataSource
  const marks = new Map(columns.map((column, index) => [markOf(index), column]))
  const query = select(call, runner, {}, withDeleted)
  for (const [mark, column] of marks) {
    const path = `${driver.escape(call.metadata.name)}.${driver.escape(column.databaseName)}`
    query.andWhere(`${path} ${comparison ?? `= :${mark}`}`, { [mark]: mark })
  }
  if (limit !== undefined) query.limit(limit)
  const [sql, parameters] = query.getQueryAndParameters()
  const aliasOf = (column: ColumnMetadata) => aliasIn(sql, call, column)
  const shape = shapeOf(call.metadata, aliasOf)
  const { childEntityMetadatas, discriminatorColumn } = call.metadata
  const childShapes = childEntityMetadatas.map((child) => shapeOf(child, aliasOf))
  if (!shape || !childShapes.every(isKnown)) return undefined
  return {
    sql,
    name: nameOfText(),
    aliasOf,
    parameters: parameters.map((value) => marks.get(value) ?? { constant: value }),
    shape,
    childShapes,
    discriminator: discriminatorColumn && aliasOf(discriminatorColumn),
  }
}

const isKnown = (shape: Shape | undefined): shape is Shape => shape !== undefined

/** The name that TypeORM's SELECT gives to a column. Long ones it shortens by rules of its own. */
function aliasIn(sql: string, { metadata, dataSource }: Call, column: ColumnMetadata): string | undefined {
  const { driver } = dataSource
  const usual = `${metadata.name}_${column.databaseName}`
  if (sql.includes(` AS ${driver.escape(usual)}`)) return usual
  const selected = `${driver.escape(metadata.name)}.${driver.escape(column.databaseName)} AS `
  const start = sql.indexOf(selected)
  return start < 0 ? undefined : /^(["`])(.*?)\1(?=, | FROM )/.exec(sql.slice(start + selected.length))?.[2]
}

/** `undefined` where a column is read under a name that we cannot tell. */
function shapeOf(metadata: EntityMetadata, aliasOf: LookUp['aliasOf']): Shape | undefined {
  const columns = ownColumnsOf(metadata)
  if (columns.some((column) => column.isSelect && aliasOf(column) === undefined)) return undefined
  return new Shape(
    metadata,
    columns.flatMap((column) => {
      const alias = aliasOf(column)
      return alias === undefined ? [] : [[column, alias] as const]
    }),
  )
}

function shapeFor({ shape, childShapes, discriminator }: LookUp, record: ObjectLiteral): Shape {
  if (childShapes.length === 0 || discriminator === undefined) return shape
  return childShapes.find(({ metadata }) => record[discriminator] === metadata.discriminatorValue) ?? shape
}
