import type { ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import { type ColumnMetadata, driverOf, type EntityMetadata, idOf } from './typeorm.js'

/** A primary key as a string. */
export function tableIdOf(metadata: EntityMetadata, entity: ObjectLiteral): string {
  return JSON.stringify(idOf(metadata, entity), (_key, value) => (typeof value === 'bigint' ? String(value) : value))
}

/** The columns that the criteria pin, in an order that does not depend on how they were written. */
export function keyColumnsOf({ criteria }: Call): ColumnMetadata[] {
  const columns = [...(criteria.alternatives[0]?.keys() ?? [])]
  return columns.sort((one, other) => (one.databaseName < other.databaseName ? -1 : 1))
}

/** A key as a string, from what the database stores: `1` and `'1'` are the same bigint. */
export function keyOf(columns: readonly ColumnMetadata[], part: (column: ColumnMetadata) => unknown): string {
  return keyFrom(columns, (column) => driverOf(column).preparePersistentValue(part(column), column))
}

/** The same from what the driver returned. Not through the transformer, which need not lead back to what is stored. */
export function storedKeyOf(columns: readonly ColumnMetadata[], part: (column: ColumnMetadata) => unknown): string {
  return keyFrom(columns, (column) => {
    const driver = driverOf(column)
    const bare = column.transformer ? withoutTransformer(column) : column
    return driver.preparePersistentValue(driver.prepareHydratedValue(part(column), bare), bare)
  })
}

const withoutTransformer = (column: ColumnMetadata): ColumnMetadata =>
  Object.create(column, { transformer: { value: undefined } })

// The text sorts about as an index on the columns does. InnoDB locks the gaps between neighbours of an index: calls that
// insert the same keys in another order than its own deadlock, again and again.
function keyFrom(columns: readonly ColumnMetadata[], stored: (column: ColumnMetadata) => unknown): string {
  return JSON.stringify(columns.map((column) => textOf(driverOf(column).normalizeType(column), stored(column))))
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
