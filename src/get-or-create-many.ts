import type { ObjectLiteral } from 'typeorm'
import {
  acknowledge,
  type BulkItem,
  type BulkItems,
  byKey,
  inKeyOrder,
  insertMany,
  itemsOf,
  lookFirst,
  lookMany,
  readRelations,
  rowsPerStatement,
} from './bulk.js'
import { keysOf, tableIdOf } from './bulk-keys.js'
import type { Call, CallList } from './call.js'
import { onConnection } from './connection.js'
import { isTransientFailure, isUniqueViolation } from './failures.js'
import { getOrCreateOn, refusesToYield } from './get-or-create.js'
import { columnsWithChosenIds } from './insert-text.js'
import { prepareCandidate, seeing } from './inserting.js'
import type { NewRow } from './new-row.js'
import { isPromise } from './operators.js'
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
  list: CallList,
  { chunkSize, onProgress }: BulkOptions,
): Promise<[entity: ObjectLiteral, created: boolean][]> {
  const { call } = list
  const items = itemsOf(list)
  const total = list.criteria.length
  const size = Math.min(chunkSize ?? Number.POSITIVE_INFINITY, rowsPerStatement(call))
  const done = progressOf(items, total, onProgress)
  for (const chunk of items.size <= size ? [items] : chunksOf([...items.values()], size)) {
    await onConnection(call.manager, call.dialect, readMode(call), (runner) => lookFirst(call, runner, chunk))
    done()
  }
  const missing = inKeyOrder([...items.values()].filter((item) => !item.entity))
  // Before any transaction, so that no connection is held meanwhile, and once, whatever happens then.
  for (const item of missing) {
    const row = list.newRow(item.index)
    item.row = isPromise(row) ? await row : row
  }
  if (missing.length > 0) await createAll(call, chunksOf(missing, size), done)
  const rows = oneARow(call, [...items.values()])
  if (loadsRelations(call)) {
    await onConnection(call.manager, call.dialect, 'master', (runner) => readRelations(call, runner, rows))
  }
  return resultsOf(rows, total)
}

/** All of the missing rows or none of them, in the caller's transaction or one of ours that may run again. */
async function createAll(call: Call, chunks: BulkItems[], done: () => void): Promise<void> {
  if (isInTransaction(call.manager)) return createChunks(call, chunks, done, new Progress())
  await inRounds(call.options.attempts, isTransientFailure, async (attempt) => {
    for (const chunk of chunks) for (const item of chunk.values()) forget(item)
    // Those who won meanwhile have stored most of our rows: to insert them again would be to meet the others again.
    if (attempt > 1) await lookForOpen(call, chunks)
    await createGivingWay(call, chunks, done)
  })
}

/**
 * InnoDB keeps what an INSERT that met a duplicate has locked, gaps included, until the transaction ends, and whoever
 * inserts beside it deadlocks with our next statement. So as long as nothing is stored, and no hook may have written,
 * a transaction that met the row of somebody else ends there, and another one inserts what is missing then.
 */
async function createGivingWay(call: Call, chunks: BulkItems[], done: () => void): Promise<void> {
  const { dialect, dataSource, metadata } = call
  const hasHooks = dataSource.subscribers.length > 0 || metadata.beforeInsertListeners.length > 0
  let givesWay = dialect.locksGaps && !hasHooks
  for (;;) {
    const progress = new Progress(givesWay)
    const before = openIn(chunks)
    try {
      return await inOwnTransaction(call, undefined, (manager) =>
        createChunks(call.with({ manager }), chunks, done, progress),
      )
    } catch (error) {
      if (!progress.gaveWay) throw error
    }
    await lookForOpen(call, chunks)
    givesWay = openIn(chunks) < before
  }
}

function lookForOpen(call: Call, chunks: BulkItems[]): Promise<void> {
  return onPrimary(call, chunks, async (_, runner, chunk) => {
    const open = stillOpen(chunk)
    if (open.size > 0) await lookFirst(call, runner, open)
  })
}

/** What one transaction has come to. */
class Progress {
  /** Primary keys of rows that our INSERTs stored under a key which no item has to the letter. */
  readonly unmatched = new Set<string>()
  gaveWay = false

  /** @param givesWay Does it end at a unique violation, for another transaction to go on? */
  constructor(public givesWay = false) {}
}

async function createChunks(call: Call, chunks: BulkItems[], done: () => void, progress: Progress): Promise<void> {
  await onPrimary(call, chunks, async (_, runner, chunk) => {
    const missing = stillOpen(chunk)
    if (missing.size > 0) await createChunk(call, runner, missing, progress)
    done()
  })
}

const openIn = (chunks: BulkItems[]) => chunks.reduce((count, chunk) => count + stillOpen(chunk).size, 0)

/** Those that have no entity yet. */
function stillOpen(items: BulkItems): BulkItems {
  const open = [...items.values()].filter((item) => !item.entity)
  return open.length === items.size ? items : byKey(open)
}

function onPrimary(
  call: Call,
  chunks: BulkItems[],
  step: (call: Call, runner: QueryRunner, chunk: BulkItems) => Promise<void>,
): Promise<void> {
  return onConnection(call.manager, call.dialect, 'master', async (runner) => {
    for (const chunk of chunks) await step(call, runner, chunk)
  })
}

async function createChunk(call: Call, runner: QueryRunner, chunk: BulkItems, progress: Progress): Promise<void> {
  for (const group of await groupsOf(call, runner, chunk)) await insertTogether(call, runner, group, progress)
  for (const item of chunk.values()) if (!item.entity) await createAlone(call, runner, item, progress)
}

/**
 * One INSERT for all. Where an insert cannot yield, one duplicate fails the whole statement: look who was faster, then try
 * again in halves, which leaves the rows that have no duplicate in statements with others.
 */
async function insertTogether(call: Call, runner: QueryRunner, items: BulkItems, progress: Progress): Promise<void> {
  const canYield = call.dialect.failedStatementAbortsTransaction
  let isStored = true
  try {
    for (const id of await insertMany(call, runner, items)) progress.unmatched.add(id)
  } catch (error) {
    if (canYield || !isUniqueViolation(error)) throw error
    progress.gaveWay = progress.givesWay
    if (progress.gaveWay) throw error
    isStored = false
  }
  progress.givesWay = false
  const lost = stillOpen(items)
  const stored = [...lost.values()].filter((item) => item.isCreated)
  const sight = seeing(
    call,
    stored.map(({ candidate }) => candidate as ObjectLiteral),
  )
  // Rows that were stored with a delete date are ours, those of others are not to be seen.
  if (sight !== call) await lookMany(sight, runner, byKey(stored))
  const unseen = stillOpen(lost)
  if (unseen.size > 0) await lookMany(call, runner, unseen)
  for (const item of items.values()) {
    const announced = acknowledge(call, runner, item)
    if (announced) await announced
  }
  if (canYield || isStored) return
  const open = [...stillOpen(lost).values()]
  if (open.length < 2) return
  for (const part of chunksOf(open, Math.ceil(open.length / 2)))
    if (part.size > 1) await insertTogether(call, runner, part, progress)
}

async function createAlone(list: Call, runner: QueryRunner, item: BulkItem, progress: Progress): Promise<void> {
  const call = list.with({ criteria: item.criteria })
  progress.givesWay = false
  item.isSettledAlone = true
  const found = await lookAgain(call, runner)
  if (!found) {
    const [entity, created] = await getOrCreateOn(call, runner, item.row as NewRow, item.candidate)
    item.candidate = undefined
    item.entity = entity
    item.isCreated = created
    return
  }
  item.entity = found
  if (progress.unmatched.delete(tableIdOf(call.metadata, found))) item.isCreated = true
  await acknowledge(call, runner, item)
}

/**
 * The rows that one INSERT can store: those with the same columns, because a chosen value for a generated id takes a list
 * of its own. A row whose key a default or a hook has changed cannot be told by it afterwards, and goes alone.
 */
async function groupsOf(call: Call, runner: QueryRunner, chunk: BulkItems): Promise<BulkItems[]> {
  // One duplicate would fail the statement for all of them, and the transaction with it.
  if (refusesToYield(call)) return []
  const groups = new Map<string, BulkItem[]>()
  const keys = keysOf(call)
  for (const item of chunk.values()) {
    if (!item.row || takesRelatedStatements(call, item.row)) continue
    const prepared = prepareCandidate(call, runner, item.row)
    const candidate = isPromise(prepared) ? await prepared : prepared
    item.candidate = candidate
    if (keys.ofEntity(candidate) !== item.key) continue
    const written = columnsWithChosenIds(call.metadata, candidate)?.join() ?? ''
    const group = groups.get(written)
    if (group) group.push(item)
    else groups.set(written, [item])
  }
  return Array.from(groups.values(), (group) => (group.length === chunk.size ? chunk : byKey(group)))
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
      row.repeat(item.index)
      for (const index of item.repeats ?? []) row.repeat(index)
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

function chunksOf(items: readonly BulkItem[], size: number): BulkItems[] {
  const chunks: BulkItems[] = []
  for (let start = 0; start < items.length; start += size) chunks.push(byKey(items.slice(start, start + size)))
  return chunks
}

/** Reports how many of the caller's criteria are settled; a transaction that runs again does not count backwards. */
function progressOf(items: BulkItems, total: number, report: BulkOptions['onProgress']): () => void {
  if (!report) return () => undefined
  let reported = -1
  return () => {
    let done = 0
    for (const item of items.values()) if (item.entity) done += item.weight
    if (done <= reported) return
    reported = done
    report({ done, total })
  }
}

/** In the order of the criteria. Equal criteria share the entity, and the first of them has created it. */
function resultsOf(items: readonly BulkItem[], total: number): [ObjectLiteral, boolean][] {
  const results = new Array<[ObjectLiteral, boolean]>(total)
  for (const item of items) {
    const entity = item.entity as ObjectLiteral
    results[item.index] = [entity, item.isCreated]
    for (const index of item.repeats ?? []) results[index] = [entity, false]
  }
  return results
}
