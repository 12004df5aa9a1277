import type { ObjectLiteral } from 'typeorm'
import {
  acknowledge,
  type BulkItem,
  inKeyOrder,
  insertMany,
  itemsOf,
  lookFirst,
  lookMany,
  readRelations,
  rowsPerStatement,
} from './bulk.js'
import { keysOf, tableIdOf } from './bulk-keys.js'
import type { Call } from './call.js'
import { onConnection } from './connection.js'
import { isTransientFailure, isUniqueViolation } from './failures.js'
import { createOrLookAgain } from './get-or-create.js'
import { columnsWithChosenIds } from './insert-text.js'
import { prepareCandidate } from './inserting.js'
import type { BulkOptions } from './options.js'
import { loadsRelations, lookAgain, readMode } from './reading.js'
import { takesRelatedStatements } from './related.js'
import { inRounds } from './rounds.js'
import { inOwnTransaction, isInTransaction } from './transaction.js'
import type { QueryRunner } from './typeorm.js'

/**
 * The story of `getOrCreate` for many rows, a chunk at a time: look for all, insert what is missing in one statement, look
 * again for what was lost. A row that the answers cannot be matched with by its key goes the way of a single row.
 */
export async function getOrCreateMany(
  calls: readonly Call[],
  { chunkSize, onProgress }: BulkOptions,
): Promise<[entity: ObjectLiteral, created: boolean][]> {
  const [call] = calls
  if (!call) return []
  const items = itemsOf(calls)
  const size = Math.min(chunkSize ?? Number.POSITIVE_INFINITY, rowsPerStatement(call))
  const done = progressOf(items, calls.length, onProgress)
  for (const chunk of chunksOf(items, size)) {
    await onConnection(call.manager, call.dialect, readMode(call), (runner) => lookFirst(call, runner, chunk))
    done()
  }
  const missing = inKeyOrder(items.filter((item) => !item.entity))
  // Before any transaction, so that no connection is held meanwhile, and once, whatever happens then.
  for (const item of missing) {
    const row = item.call.newRow()
    item.row = row instanceof Promise ? await row : row
  }
  if (missing.length > 0) await createAll(call, chunksOf(missing, size), done)
  const rows = oneARow(call, items)
  if (loadsRelations(call)) {
    await onConnection(call.manager, call.dialect, 'master', (runner) => readRelations(call, runner, rows))
  }
  return resultsOf(rows, calls.length)
}

/** All of the missing rows or none of them, in the caller's transaction or one of ours that may run again. */
async function createAll(call: Call, chunks: BulkItem[][], done: () => void): Promise<void> {
  if (isInTransaction(call.manager)) return createChunks(call, chunks, done)
  await inRounds(call.options.attempts, isTransientFailure, async (attempt) => {
    for (const item of chunks.flat()) forget(item)
    // Those who won meanwhile have stored most of our rows: to insert them again would be to meet the others again.
    if (attempt > 1) await onPrimary(call, chunks, lookFirst)
    await inOwnTransaction(call, undefined, (manager) => createChunks(call.with({ manager }), chunks, done))
  })
}

async function createChunks(call: Call, chunks: BulkItem[][], done: () => void): Promise<void> {
  const unmatched: Unmatched = new Set()
  await onPrimary(call, chunks, async (_, runner, chunk) => {
    const missing = chunk.filter((item) => !item.entity)
    if (missing.length > 0) await createChunk(call, runner, missing, unmatched)
    done()
  })
}

function onPrimary(
  call: Call,
  chunks: BulkItem[][],
  step: (call: Call, runner: QueryRunner, chunk: BulkItem[]) => Promise<void>,
): Promise<void> {
  return onConnection(call.manager, call.dialect, 'master', async (runner) => {
    for (const chunk of chunks) await step(call, runner, chunk)
  })
}

/** Primary keys of rows that our INSERTs stored under a key which no item has to the letter. */
type Unmatched = Set<string>

async function createChunk(
  call: Call,
  runner: QueryRunner,
  chunk: readonly BulkItem[],
  unmatched: Unmatched,
): Promise<void> {
  for (const group of await groupsOf(call, runner, chunk)) await insertTogether(call, runner, group, unmatched)
  for (const item of chunk) if (!item.entity) await createAlone(call, runner, item, unmatched)
}

/**
 * One INSERT for all. Where an insert cannot yield, one duplicate fails the whole statement: look who was faster, then try
 * again in halves, which leaves the rows that have no duplicate in statements with others.
 */
async function insertTogether(
  call: Call,
  runner: QueryRunner,
  items: readonly BulkItem[],
  unmatched: Unmatched,
): Promise<void> {
  const canYield = call.dialect.failedStatementAbortsTransaction
  let isStored = true
  try {
    for (const id of await insertMany(call, runner, items)) unmatched.add(id)
  } catch (error) {
    if (canYield || !isUniqueViolation(error)) throw error
    isStored = false
  }
  const open = () => items.filter((item) => !item.entity)
  if (open().length > 0) await lookMany(call, runner, open())
  for (const item of items) {
    const announced = acknowledge(call, runner, item)
    if (announced) await announced
  }
  if (canYield || isStored || open().length < 2) return
  const half = Math.ceil(open().length / 2)
  for (const part of chunksOf(open(), half)) if (part.length > 1) await insertTogether(call, runner, part, unmatched)
}

async function createAlone(
  { manager, options }: Call,
  runner: QueryRunner,
  item: BulkItem,
  unmatched: Unmatched,
): Promise<void> {
  const call = item.call.with({ manager, options })
  item.isSettledAlone = true
  const found = await lookAgain(call, runner)
  if (!found) {
    const row = item.row ?? (await call.newRow())
    const [entity, created] = await createOrLookAgain(call, runner, row, item.candidate)
    item.candidate = undefined
    item.entity = entity
    item.isCreated = created
    return
  }
  item.entity = found
  if (unmatched.delete(tableIdOf(call.metadata, found))) item.isCreated = true
  await acknowledge(call, runner, item)
}

/**
 * The rows that one INSERT can store: those with the same columns, because a chosen value for a generated id takes a list
 * of its own. A row whose key a default or a hook has changed cannot be told by it afterwards, and goes alone.
 */
async function groupsOf(call: Call, runner: QueryRunner, chunk: readonly BulkItem[]): Promise<BulkItem[][]> {
  const groups = new Map<string, BulkItem[]>()
  const keys = keysOf(call)
  for (const item of chunk) {
    if (!item.row || takesRelatedStatements(call, item.row)) continue
    const prepared = prepareCandidate(call, runner, item.row)
    const candidate = prepared instanceof Promise ? await prepared : prepared
    item.candidate = candidate
    if (keys.ofEntity(candidate) !== item.key) continue
    const written = String(columnsWithChosenIds(call.metadata, candidate))
    const group = groups.get(written)
    if (group) group.push(item)
    else groups.set(written, [item])
  }
  return [...groups.values()]
}

/** Keys that the database takes for equal share one row: its entity, and the first of them in the list has created it. */
function oneARow({ metadata }: Call, items: readonly BulkItem[]): readonly BulkItem[] {
  if (!items.some((item) => item.isSettledAlone)) return items
  const rows = new Map<string, BulkItem>()
  for (const item of items) {
    const id = tableIdOf(metadata, item.entity as ObjectLiteral)
    const row = rows.get(id)
    if (!row) rows.set(id, item)
    else {
      row.indices.push(...item.indices)
      row.indices.sort((one, other) => one - other)
      row.isCreated ||= item.isCreated
    }
  }
  return [...rows.values()]
}

function forget(item: BulkItem): void {
  item.entity = undefined
  item.candidate = undefined
  item.isCreated = false
}

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = []
  for (let start = 0; start < items.length; start += size) chunks.push(items.slice(start, start + size))
  return chunks
}

/** Reports how many of the caller's criteria are settled; a transaction that runs again does not count backwards. */
function progressOf(
  items: readonly { readonly entity?: unknown; readonly indices: number[] }[],
  total: number,
  report: BulkOptions['onProgress'],
): () => void {
  let reported = -1
  return () => {
    const done = items.reduce((sum, item) => sum + (item.entity ? item.indices.length : 0), 0)
    if (done <= reported) return
    reported = done
    report?.({ done, total })
  }
}

/** In the order of the criteria. Equal criteria share the entity, and the first of them has created it. */
function resultsOf(items: readonly BulkItem[], total: number): [ObjectLiteral, boolean][] {
  const results = new Array<[ObjectLiteral, boolean]>(total)
  for (const { entity, isCreated, indices } of items) {
    for (const [nth, index] of indices.entries()) results[index] = [entity as ObjectLiteral, isCreated && nth === 0]
  }
  return results
}
