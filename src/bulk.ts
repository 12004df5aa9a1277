import { type FindOptionsWhere, In, type ObjectLiteral } from 'typeorm'
import { keysOf, tableIdOf } from './bulk-keys.js'
import type { Call, CallList } from './call.js'
import { type ReadList, readListCompiled } from './compiled.js'
import type { Criteria } from './criteria.js'
import { MultipleEntitiesFoundError } from './errors.js'
import { insertStatement } from './insert-text.js'
import { fill, hydrate, ownColumns } from './inserting.js'
import type { NewRow } from './new-row.js'
import { setAt } from './operators.js'
import { loadsRelations, readMatch, select } from './reading.js'
import { broadcastInsert, broadcastLoad, type ColumnMetadata, idOf, isHeard, type QueryRunner } from './typeorm.js'

/** One key of a bulk call. */
export class BulkItem {
  row: NewRow | undefined = undefined
  candidate: ObjectLiteral | undefined = undefined
  entity: ObjectLiteral | undefined = undefined
  isCreated = false
  /** Was its row read or stored for this item alone? Then another item may have the same row. */
  isSettledAlone = false
  /** Where else the key stands in the caller's list. */
  repeats: number[] | undefined = undefined

  constructor(
    readonly key: string,
    readonly criteria: Criteria,
    /** Where in the caller's list the key stands first. */
    readonly index: number,
  ) {}

  /** For how many of the caller's criteria it stands. */
  get weight(): number {
    return 1 + (this.repeats?.length ?? 0)
  }

  repeat(index: number): void {
    this.repeats ??= []
    this.repeats.push(index)
  }

  valueOf(column: ColumnMetadata): unknown {
    return this.criteria.pinned?.valueFor(column)
  }
}

/** Items by their keys. */
export type BulkItems = ReadonlyMap<string, BulkItem>

/** One item a key. */
export function itemsOf({ call, criteria }: CallList): BulkItems {
  const items = new Map<string, BulkItem>()
  const keys = keysOf(call)
  let index = 0
  for (const each of criteria) {
    const key = keys.ofCriteria(each)
    const item = items.get(key)
    if (item) item.repeat(index)
    else items.set(key, new BulkItem(key, each, index))
    index++
  }
  return items
}

export function byKey(items: Iterable<BulkItem>): BulkItems {
  const found = new Map<string, BulkItem>()
  for (const item of items) found.set(item.key, item)
  return found
}

/** In key order: calls that insert the same keys in the same order do not deadlock. */
export const inKeyOrder = (items: readonly BulkItem[]) =>
  [...items].sort((one, other) => (one.key < other.key ? -1 : 1))

/** SQLite nests one level for every OR, and allows a thousand: https://www.sqlite.org/limits.html#max_expr_depth */
const MOST_ALTERNATIVES = 500

/** How many rows fit into one statement, by the parameters that it may have. */
export function rowsPerStatement(call: Call): number {
  const rows = Math.floor(call.dialect.maxParameters / call.metadata.columns.length)
  return Math.max(1, listsByOneColumn(call) ? rows : Math.min(rows, MOST_ALTERNATIVES))
}

/**
 * One SELECT for all of the keys. A row belongs to the item whose key it has.
 *
 * @returns whether a row came back that has no item's key to the letter
 */
export async function lookMany(call: Call, runner: QueryRunner, items: BulkItems): Promise<boolean> {
  const bare = withoutRelations(call)
  const keys = keysOf(call)
  const [column] = keys.columns
  const values = column && listsByOneColumn(call) ? valuesOf(items, column) : undefined
  const compiled = column && values && readListCompiled(bare, runner, column, values)
  const { entities, records, aliasOf } = await (compiled ?? readList(bare, runner, keys.columns, items))
  const aliases = keys.columns.map((column) => aliasOf(column) as string)
  let hasStrays = false
  let index = 0
  for (const entity of entities) {
    const item = items.get(keys.ofRecord(records[index++] ?? {}, aliases))
    if (item?.entity) throw new MultipleEntitiesFoundError(call.metadata.name)
    if (item) item.entity = entity
    else hasStrays = true
  }
  return hasStrays
}

const valuesOf = (items: BulkItems, column: ColumnMetadata) =>
  Array.from(items.values(), (item) => item.valueOf(column))

/** The keys are read beside the entities, as they are stored: before transformers, and where no entity has them. */
async function readList(
  call: Call,
  runner: QueryRunner,
  columns: readonly ColumnMetadata[],
  items: BulkItems,
): Promise<ReadList> {
  const query = select(call, runner, whereOf(call, items), call.options.withDeleted)
  const { driver } = call.dataSource
  const aliasOf = (column: ColumnMetadata) => `get_or_create_key_${columns.indexOf(column)}`
  for (const column of columns) {
    query.addSelect(`${driver.escape(call.metadata.name)}.${driver.escape(column.databaseName)}`, aliasOf(column))
  }
  const { entities, raw: records } = await query.getRawAndEntities()
  return { entities, records, aliasOf }
}

/** The first look. Where the database takes keys for equal that we do not, it says alone which row each of them means. */
export async function lookFirst(call: Call, runner: QueryRunner, items: BulkItems): Promise<void> {
  if (!(await lookMany(call, runner, items))) return
  for (const item of items.values()) {
    if (item.entity) continue
    const found = await readMatch(call.with({ criteria: item.criteria }), runner)
    if (!found) continue
    item.entity = found
    item.isSettledAlone = true
  }
}

/**
 * One INSERT for all of the items, yielding where the database can. Which rows were stored is told by what the database
 * returns, by key and never by position; where it returns nothing, all were stored or the statement failed.
 *
 * @returns the primary keys of stored rows that no item's key matches to the letter
 */
export async function insertMany(call: Call, runner: QueryRunner, items: BulkItems): Promise<string[]> {
  const { metadata, dialect } = call
  const candidates = Array.from(items.values(), ({ candidate }) => candidate as ObjectLiteral)
  const yields = dialect.failedStatementAbortsTransaction
  if (dialect.insertedRow(call.dataSource.driver) !== 'returning') {
    const { sql, parameters } = insertStatement(call, runner, candidates, { yields })
    await runner.query(sql, parameters, true)
    for (const item of items.values()) item.isCreated = true
    return []
  }
  const readable = ownColumns(withoutRelations(call))
  const keys = keysOf(call)
  const returning = [...new Set([...(readable ?? metadata.primaryColumns), ...keys.columns])]
  const { sql, parameters } = insertStatement(call, runner, candidates, { yields, returning })
  const { records } = await runner.query(sql, parameters, true)
  const names = keys.columns.map((column) => column.databaseName)
  const unmatched: string[] = []
  const rows: ObjectLiteral[] = []
  for (const record of records as ObjectLiteral[]) {
    const row = hydrate(call, runner, readable ?? metadata.primaryColumns, record)
    const item = items.get(keys.ofRecord(record, names))
    if (!item) unmatched.push(tableIdOf(metadata, row))
    else {
      item.isCreated = true
      if (readable) {
        item.entity = row
        rows.push(row)
      }
    }
  }
  await broadcastLoad(runner, metadata, rows)
  return unmatched
}

/** AfterInsert, once the stored row is known. */
export function acknowledge(call: Call, runner: QueryRunner, item: BulkItem): Promise<void> | undefined {
  const { entity, candidate } = item
  if (!entity || !candidate || !item.isCreated) return undefined
  item.candidate = undefined
  if (!isHeard(runner, call.metadata.afterInsertListeners)) return undefined
  // Reading a lazy relation would load it.
  const read = call.metadata.columns.filter(
    (column) => !column.isVirtual && column.getEntityValue(entity) !== undefined,
  )
  fill(candidate, entity, read)
  return broadcastInsert(runner, 'AfterInsert', call.metadata, candidate)
}

/** Loads requested and eager relations for all of the rows, as many in one SELECT as fit. */
export async function readRelations(call: Call, runner: QueryRunner, items: readonly BulkItem[]): Promise<void> {
  const byId = new Map(items.map((item) => [tableIdOf(call.metadata, item.entity as ObjectLiteral), item]))
  const ids = items.map((item) => idOf(call.metadata, item.entity) as FindOptionsWhere<ObjectLiteral>)
  for (let start = 0; start < ids.length; start += MOST_ALTERNATIVES) {
    const query = select(call, runner, ids.slice(start, start + MOST_ALTERNATIVES), call.options.withDeleted)
    for (const entity of await query.getMany()) {
      const item = byId.get(tableIdOf(call.metadata, entity))
      if (item) item.entity = entity
    }
  }
}

function whereOf(call: Call, items: BulkItems): FindOptionsWhere<ObjectLiteral> | FindOptionsWhere<ObjectLiteral>[] {
  const [column] = keysOf(call).columns
  if (!column || !listsByOneColumn(call))
    return Array.from(items.values(), ({ criteria }) => criteria.where() as FindOptionsWhere<ObjectLiteral>)
  const where: ObjectLiteral = {}
  setAt(where, column.propertyPath, In(valuesOf(items, column)))
  return where as FindOptionsWhere<ObjectLiteral>
}

/** One column of our own can be compared with a list; keys of several columns, and foreign keys, take an OR for each. */
function listsByOneColumn(call: Call): boolean {
  const [column, another] = keysOf(call).columns
  return column !== undefined && another === undefined && !column.relationMetadata
}

function withoutRelations(call: Call): Call {
  if (!loadsRelations(call)) return call
  const { relations, ...options } = call.options
  return call.with({ options: { ...options, loadEagerRelations: false } })
}
