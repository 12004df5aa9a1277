import type { EntityManager, ObjectLiteral } from 'typeorm'
import { keysOf } from './bulk-keys.js'
import type { Call } from './call.js'
import { cloneOf } from './copies.js'
import { pinsTheSame } from './criteria.js'
import { getOrCreate } from './get-or-create.js'
import { getOrCreateMany } from './get-or-create-many.js'
import type { ResolvedOptions } from './options.js'
import { isInsideATurn } from './turns.js'

type Result = [entity: ObjectLiteral, created: boolean]

/** Calls that travel together, and who waits for each. */
class Batch {
  readonly #calls: Call[] = []
  readonly #waiting: { resolve(result: Result): void; reject(error: unknown): void }[] = []

  get size(): number {
    return this.#calls.length
  }

  /** Do the calls that are here have everything but the values in common with this one? */
  accepts({ metadata, criteria, options }: Call): boolean {
    const [first] = this.#calls
    return (
      first?.metadata === metadata &&
      pinsTheSame(first.criteria, criteria) &&
      (first.options === options || textOf(first.options) === textOf(options))
    )
  }

  add(call: Call): Promise<Result> {
    this.#calls.push(call)
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  async run(): Promise<void> {
    const results = await this.#together().catch(() => undefined)
    const given = new Set<ObjectLiteral>()
    for (const [index, { resolve, reject }] of this.#waiting.entries()) {
      const call = this.#calls[index] as Call
      const result = results?.[index]
      // One bad row fails the statement that all of them share: then each goes alone, and gets its own error.
      if (!result) {
        getOrCreate(call).then(resolve, reject)
        continue
      }
      const [entity, created] = result
      try {
        resolve([given.has(entity) ? cloneOf(call.metadata, entity) : entity, created])
      } catch (error) {
        reject(error)
      }
      given.add(entity)
    }
  }

  async #together(): Promise<Result[] | undefined> {
    const [first] = this.#calls
    if (!first || this.size === 1) return undefined
    if (!this.#haveOneKey(first)) {
      const criteria = this.#calls.map((call) => call.criteria)
      return getOrCreateMany({ call: first, criteria, newRow: (index) => (this.#calls[index] as Call).newRow() }, {})
    }
    const [entity, created] = await getOrCreate(first)
    return this.#calls.map((call) => [entity, created && call === first])
  }

  /** Callers who all want the same row need no transaction around it. */
  #haveOneKey(first: Call): boolean {
    const keys = keysOf(first)
    const key = keys.ofCriteria(first.criteria)
    return this.#calls.every(({ criteria }) => keys.ofCriteria(criteria) === key)
  }
}

/** Batches that still take calls. */
const open = new WeakMap<EntityManager, Batch[]>()

/**
 * `getOrCreate` together with the other calls of this tick that have the same manager, options and key columns. Calls
 * that a list cannot describe go alone, and so do those on the caller's own query runner, where one bad row could end the
 * transaction of all.
 */
export function getOrCreateTogether(call: Call, maxSize: number): Promise<Result> {
  const { manager, criteria, options } = call
  // From inside a call of ours, one must not wait for a batch that waits for the same connection.
  const mustGoAlone = manager.queryRunner || isInsideATurn()
  if (mustGoAlone || !criteria.pinsEverything || options.restoreDeleted) return getOrCreate(call)
  const batches = open.get(manager) ?? []
  open.set(manager, batches)
  const batch = batches.find((candidate) => candidate.accepts(call)) ?? openBatch(batches)
  const result = batch.add(call)
  if (batch.size >= maxSize) close(batches, batch)
  return result
}

const optionTexts = new WeakMap<ResolvedOptions, string>()

function textOf(options: ResolvedOptions): string {
  const text = optionTexts.get(options) ?? JSON.stringify(options)
  optionTexts.set(options, text)
  return text
}

function openBatch(batches: Batch[]): Batch {
  const batch = new Batch()
  batches.push(batch)
  // After all that this tick's promises still start, so that callers who waited for one batch meet in the next.
  Promise.resolve().then(() => afterMicrotasks(() => close(batches, batch)))
  return batch
}

function close(batches: Batch[], batch: Batch): void {
  const at = batches.indexOf(batch)
  if (at < 0) return
  batches.splice(at, 1)
  void batch.run()
}

const { process } = globalThis as { process?: { nextTick?(work: () => void): void } }
const afterMicrotasks = process?.nextTick ?? queueMicrotask
