import { dialectOf } from './dialects/registry.js'
import { type ColumnMetadata, dataSourceOfColumn, driverOf } from './typeorm.js'

/**
 * What a column holds, where values of another kind are a mistake. Some databases convert them and find rows of others:
 * on MySQL, `'1abc' = 1` and `'zoe' = 0` are true.
 */
export type Kind = 'text' | 'uuid' | 'integer'

const TEXTS = ['varchar', 'nvarchar', 'char', 'nchar', 'character', 'character varying', 'varying character']
const OTHER_TEXTS = ['native character', 'varchar2', 'nvarchar2', 'national varchar', 'national char', 'char varying']
const LONG_TEXTS = ['text', 'tinytext', 'mediumtext', 'longtext', 'ntext', 'citext', 'string', 'clob', 'nclob']
const INTEGERS = ['int', 'integer', 'tinyint', 'smallint', 'mediumint', 'bigint', 'int2', 'int4', 'int8', 'int64']
const COUNTERS = ['serial', 'serial2', 'serial4', 'serial8', 'smallserial', 'bigserial', 'unsigned big int']

const KINDS: ReadonlyMap<unknown, Kind> = new Map<unknown, Kind>([
  ...[String, ...TEXTS, ...OTHER_TEXTS, ...LONG_TEXTS].map((type) => [type, 'text'] as const),
  ...[...INTEGERS, ...COUNTERS].map((type) => [type, 'integer'] as const),
  ['uuid', 'uuid'],
])

/** `undefined` where other values may be meant, such as those that a transformer takes. */
export function kindOf(column: ColumnMetadata): Kind | undefined {
  if (column.isArray || column.enum || isTransformed(column)) return undefined
  // To some databases `Number` is a decimal.
  return KINDS.get(column.type === Number ? driverOf(column).normalizeType(column) : column.type)
}

const isTransformed = (column: ColumnMetadata) => Boolean(column.transformer ?? column.referencedColumn?.transformer)

/** As the servers read it: PostgreSQL, too, takes blanks and signs. */
const INTEGER = /^\s*[+-]?\d+\s*$/

/** Is it a primitive of a kind that the column does not hold? Booleans are integers, and so are ids that come as text. */
export function isOfAnotherKind(value: unknown, kind: Kind | undefined): boolean {
  if (kind === undefined) return false
  if (kind === 'integer') return typeof value === 'string' ? !INTEGER.test(value) : isInfinite(value)
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
}

const isInfinite = (value: unknown) => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY

/**
 * What to do about a value that stands for none: on some databases it would be stored as NULL, over what was there, or as
 * a text that no date is read from.
 */
export function noValueAdvice(value: unknown, column: ColumnMetadata): string | undefined {
  if (isTransformed(column)) return undefined
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'give a valid Date' : undefined
  if (Number.isNaN(value)) return storesNaN(column) ? undefined : 'give a number'
  return isInfinite(value) && kindOf(column) === 'integer' ? kindAdvice(column, 'integer') : undefined
}

function storesNaN(column: ColumnMetadata): boolean {
  return dialectOf(dataSourceOfColumn(column))?.typesWithNaN.includes(String(column.type)) ?? false
}

/** What to do about a value of another kind. */
export function kindAdvice({ propertyName }: ColumnMetadata, kind: Kind): string {
  return kind === 'integer'
    ? `${propertyName} is an integer column; give an integer`
    : `${propertyName} is a ${kind} column; give a string`
}
