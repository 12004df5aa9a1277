import type { ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import type { Criteria, Pinned } from './criteria.js'
import { isText, valueIn } from './properties.js'
import { type ColumnMetadata, type Driver, driverOf, type EntityMetadata, idOf } from './typeorm.js'

/** A primary key as a string. */
export function tableIdOf(metadata: EntityMetadata, entity: ObjectLiteral): string {
  return JSON.stringify(idOf(metadata, entity), (_key, value) => (typeof value === 'bigint' ? String(value) : value))
}

/** How keys of the columns that the criteria pin are told apart. */
export function keysOf({ criteria }: Call): Keys {
  const columns = criteria.pinned?.columns ?? []
  let keys = known.get(columns)
  if (!keys) {
    // An order that does not depend on how the criteria were written.
    keys = new Keys([...columns].sort((one, other) => (one.databaseName < other.databaseName ? -1 : 1)))
    known.set(columns, keys)
  }
  return keys
}

const known = new WeakMap<readonly ColumnMetadata[], Keys>()

/** Keys as strings: equal where the database stores equal values. */
class Keys {
  readonly #parts: readonly KeyPart[]
  /** Most keys are of one column. */
  readonly #only: KeyPart | undefined

  constructor(readonly columns: readonly ColumnMetadata[]) {
    this.#parts = columns.map((column) => new KeyPart(column))
    this.#only = this.#parts.length === 1 ? this.#parts[0] : undefined
  }

  /** The key that criteria pin: `1` and `'1'` are the same bigint. */
  ofCriteria(criteria: Criteria): string {
    const pinned = criteria.pinned as Pinned
    if (this.#only) return this.#only.ofGiven(pinned.valueFor(this.#only.column))
    return together(this.#parts.map((part) => part.ofGiven(pinned.valueFor(part.column))))
  }

  ofEntity(entity: ObjectLiteral): string {
    if (this.#only) return this.#only.ofGiven(valueIn(entity, this.#only.column))
    return together(this.#parts.map((part) => part.ofGiven(valueIn(entity, part.column))))
  }

  /** The key of a row that the driver returned, with each of the columns under its alias. */
  ofRecord(record: ObjectLiteral, aliases: readonly string[]): string {
    if (this.#only) return this.#only.ofStored(record[aliases[0] as string])
    return together(this.#parts.map((part, at) => part.ofStored(record[aliases[at] as string])))
  }
}

// The text sorts about as an index on the columns does. InnoDB locks the gaps between neighbours of an index: calls that
// insert the same keys in another order than its own deadlock, again and again.
const together = (texts: readonly string[]) => JSON.stringify(texts)

/** One column of a key. */
class KeyPart {
  readonly #driver: Driver
  readonly #type: string
  readonly #isText: boolean
  /** Not through the transformer, which need not lead back to what is stored. */
  readonly #bare: ColumnMetadata

  constructor(readonly column: ColumnMetadata) {
    this.#driver = driverOf(column)
    this.#type = this.#driver.normalizeType(column)
    this.#isText = isText(column)
    this.#bare = column.transformer ? Object.create(column, { transformer: { value: undefined } }) : column
  }

  ofGiven(value: unknown): string {
    if (this.#isText && !this.column.transformer && typeof value === 'string') return value
    return textOf(this.#type, this.#driver.preparePersistentValue(value, this.column))
  }

  ofStored(value: unknown): string {
    if (this.#isText && typeof value === 'string') return value
    const hydrated = this.#driver.prepareHydratedValue(value, this.#bare)
    return textOf(this.#type, this.#driver.preparePersistentValue(hydrated, this.#bare))
  }
}

/** Different spellings of one value of a type are one text: `1.5` and `1.50`, and a uuid in capitals. */
function textOf(type: string, value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value === 'object') return JSON.stringify(value)
  if (type === 'uuid') return String(value).toLowerCase()
  if (/^(decimal|numeric)$/.test(type))
    return String(value)
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, '')
  return String(value)
}
