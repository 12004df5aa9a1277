import type { InsertQueryBuilder, ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import { InvalidValuesError } from './errors.js'
import { givesDefaultsElsewhere, listsWriter, type RowsWriter, tuplesWriter } from './insert-rows.js'
import { storesText, valueIn } from './properties.js'
import { nameOfText, TextCache } from './text-cache.js'
import type { ColumnMetadata, Driver, EntityMetadata, QueryRunner } from './typeorm.js'

/** An INSERT that is ready to be sent. */
export interface InsertStatement {
  readonly sql: string
  readonly parameters: unknown[]
  /** Only where the text is one that is sent again and again. */
  readonly name?: string
  /** Keys that TypeORM made itself, because the database cannot. */
  readonly locallyGenerated?: ObjectLiteral | undefined
}

export interface InsertManner {
  /** Shall a row that meets a duplicate be left out, instead of failing the statement? */
  readonly yields: boolean
  /** What a RETURNING clause is to give back; absent where there is none. */
  readonly returning?: readonly ColumnMetadata[]
}

/** A text that TypeORM's own query builder wrote for one row, to be sent again for rows with values for the same columns. */
interface InsertText {
  readonly sql: string
  readonly name: string
  /** The same INSERT for several rows. */
  readonly forRows: RowsWriter | undefined
}

/** `undefined` for rows whose values TypeORM does not send one by one, as its driver prepares them. */
const texts = new TextCache<InsertText | undefined>()

/** The INSERT that TypeORM would write. Building it anew is what it spends most of a small one on. */
export function insertStatement(
  call: Call,
  runner: QueryRunner,
  candidates: readonly ObjectLiteral[],
  manner: InsertManner,
): InsertStatement {
  if (call.dialect.generatesForZero) refuseZeros(call, candidates)
  const sent = sentValues(call, candidates)
  if (!sent) return built(call, runner, candidates, manner)
  const text = texts.get(call.metadata, keyOf(sent, manner), () => compile(call, runner, candidates, sent, manner))
  if (text && candidates.length === 1) return { sql: text.sql, name: text.name, parameters: firstOf(sent) }
  return text?.forRows?.(candidates.length, sent.lists) ?? built(call, runner, candidates, manner)
}

interface SentValues {
  /** For each column of an INSERT, what kind of value it has, in every row. */
  readonly kinds: string
  /** The values of each column that is not left to its default, one a row. */
  readonly lists: readonly unknown[][]
}

const firstOf = ({ lists }: SentValues): unknown[] => lists.map((list) => list[0])

/** Nothing where a value is an SQL expression, or where the rows have values for different columns. */
function sentValues({ metadata, dataSource }: Call, candidates: readonly ObjectLiteral[]): SentValues | undefined {
  const columns = insertableColumns(metadata)
  const lists: unknown[][] = []
  let kinds = ''
  for (const candidate of candidates) {
    const isFirst = kinds.length < columns.length
    let at = 0
    let list = 0
    for (const column of columns) {
      const sent = sentFor(metadata, column, candidate, dataSource.driver)
      if (typeof sent === 'function') return undefined
      const kind = kindOf(sent)
      if (isFirst) kinds += kind
      else if (kinds[at++] !== kind) return undefined
      if (sent === undefined) continue
      if (isFirst) lists.push([sent])
      else lists[list++]?.push(sent)
    }
  }
  return { kinds, lists }
}

function sentFor(metadata: EntityMetadata, column: ColumnMetadata, candidate: ObjectLiteral, driver: Driver): unknown {
  if (column.isDiscriminator) return metadata.discriminatorValue
  const value = valueIn(candidate, column)
  if (typeof value === 'function' || (value === undefined && !column.transformer)) return value
  if (typeof value === 'string' && storesText(column)) return value
  return driver.preparePersistentValue(value, column)
}

const insertable = new WeakMap<EntityMetadata, ColumnMetadata[]>()

function insertableColumns(metadata: EntityMetadata): ColumnMetadata[] {
  const columns = insertable.get(metadata) ?? metadata.columns.filter((column) => column.isInsert)
  insertable.set(metadata, columns)
  return columns
}

/** A generated key that is null is left to the database, as one that is absent is; another column is set to NULL. */
const kindOf = (value: unknown) => (value === undefined ? '-' : value === null ? '0' : '+')

const keyOf = ({ kinds }: SentValues, { yields, returning }: InsertManner) =>
  `${kinds}${yields ? '?' : '!'}${returning ? namesOf(returning) : ''}`

const names = new WeakMap<readonly ColumnMetadata[], string>()

function namesOf(columns: readonly ColumnMetadata[]): string {
  const known = names.get(columns)
  if (known !== undefined) return known
  const joined = columns.map((column) => column.databaseName).join()
  names.set(columns, joined)
  return joined
}

/** Only where TypeORM sends for this row what we would send. */
function compile(
  call: Call,
  runner: QueryRunner,
  [candidate = {}]: readonly ObjectLiteral[],
  values: SentValues,
  { yields, returning }: InsertManner,
): InsertText | undefined {
  const { kinds } = values
  const sent = firstOf(values)
  const text = (candidates: ObjectLiteral[], paths?: string[]) => built(call, runner, candidates, { yields }, paths)
  const { sql, parameters } = text([candidate])
  if (sent.length !== parameters.length || !sent.every((value, at) => isSame(value, parameters[at]))) return undefined
  const { driver } = call.dataSource
  // Where every column without a value gets its default, an INSERT of several rows need not name it in each of them.
  const given = givesDefaultsElsewhere(driver, sql, sent.length) ? givenColumns(call, kinds) : undefined
  const paths = given?.map((column) => column.propertyPath)
  const ofOne = text([candidate], paths).sql
  const tuples = tuplesWriter(driver, ofOne, sent.length)
  const twice = sent.map((value) => [value, value])
  const isRight = tuples?.(2, twice).sql === text([candidate, candidate], paths).sql
  const writer = isRight ? ((given && listsFor(call, ofOne, given)) ?? tuples) : undefined
  const end = returning ? returningClause(driver, returning) : ''
  return { sql: sql + end, name: nameOfText(), forRows: writer && ending(writer, end) }
}

const ending =
  (write: RowsWriter, end: string): RowsWriter =>
  (rows, lists) => {
    const { sql, parameters } = write(rows, lists)
    return { sql: sql + end, parameters }
  }

const givenColumns = ({ metadata }: Call, kinds: string) =>
  insertableColumns(metadata).filter((_, at) => kinds[at] !== kindOf(undefined))

function listsFor(
  { dataSource, dialect }: Call,
  sql: string,
  columns: readonly ColumnMetadata[],
): RowsWriter | undefined {
  const rows = dialect.rowsFromLists?.(columns)
  return rows && listsWriter(dataSource.driver, sql, columns, rows)
}

const isSame = (one: unknown, other: unknown) =>
  Object.is(one, other) || (one instanceof Date && other instanceof Date && +one === +other)

function built(
  call: Call,
  runner: QueryRunner,
  candidates: readonly ObjectLiteral[],
  { yields, returning }: InsertManner,
  paths?: string[],
): InsertStatement {
  const insert = builtInsert(call, runner, candidates, yields, paths).updateEntity(false)
  const [sql, parameters] = insert.getQueryAndParameters()
  const end = returning ? returningClause(call.dataSource.driver, returning) : ''
  return { sql: sql.trimEnd() + end, parameters, locallyGenerated: insert.expressionMap.locallyGenerated[0] }
}

/** The INSERT from TypeORM's own query builder. */
export function builtInsert(
  { metadata }: Call,
  runner: QueryRunner,
  candidates: readonly ObjectLiteral[],
  yields: boolean,
  paths = columnsWithChosenIds(metadata, candidates[0] as ObjectLiteral),
): InsertQueryBuilder<ObjectLiteral> {
  const insert = runner.manager
    .createQueryBuilder()
    .insert()
    .into(metadata.target, paths)
    .values([...candidates])
    .callListeners(false)
  return yields ? insert.orIgnore() : insert
}

const returningClause = (driver: Driver, columns: readonly ColumnMetadata[]) =>
  ` RETURNING ${columns.map((column) => driver.escape(column.databaseName)).join(', ')}`

/**
 * TypeORM's insert leaves out a value for an increment column on databases that would not need it there; an explicit
 * list of columns keeps it.
 */
export function columnsWithChosenIds(metadata: EntityMetadata, candidate: ObjectLiteral): string[] | undefined {
  const isChosen = (column: ColumnMetadata) =>
    isIncrement(column) && (valueIn(candidate, column) ?? undefined) !== undefined
  if (!metadata.generatedColumns.some(isChosen)) return undefined
  return metadata.columns
    .filter((column) => column.isInsert && (!isIncrement(column) || isChosen(column)))
    .map((column) => column.propertyPath)
}

/** The row would be stored under a number that nobody asked for, and each call would store another. */
function refuseZeros({ metadata }: Call, candidates: readonly ObjectLiteral[]): void {
  for (const column of metadata.generatedColumns) {
    if (!candidates.some((candidate) => isZeroAsId(column, candidate))) continue
    throw new InvalidValuesError(
      `${metadata.name}.${column.propertyPath} is 0, for which the database would generate another number: choose another.`,
    )
  }
}

/** Is a number that the database generates zero in this entity? */
export function isZeroAsId(column: ColumnMetadata, entity: ObjectLiteral): boolean {
  if (!isIncrement(column)) return false
  const value = valueIn(entity, column)
  return value === 0 || value === '0' || value === 0n
}

const isIncrement = (column: ColumnMetadata) => column.isGenerated && column.generationStrategy === 'increment'
