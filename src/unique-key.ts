import type { Criteria } from './criteria.js'
import { NotUniqueCriteriaError } from './errors.js'
import type { ColumnMetadata, DataSource, EntityMetadata } from './typeorm.js'

/** What to do when no unique key covers the criteria. */
export type Uniqueness = 'warn' | 'require' | 'ignore'

/**
 * The unique keys of an entity, from its metadata. An index with a condition does not count: it lets two equal rows live
 * beside each other. Nor does one on an expression, which has no columns here.
 */
function uniqueKeysOf(metadata: EntityMetadata): ColumnMetadata[][] {
  const known = knownKeys.get(metadata)
  if (known) return known
  const indices = metadata.indices.filter((index) => index.isUnique && !index.where && !index.isNullFiltered)
  const keys = [metadata.primaryColumns, ...[...metadata.uniques, ...indices].map(({ columns }) => columns)]
  const unique = keys.filter((columns) => columns.length > 0)
  knownKeys.set(metadata, unique)
  return unique
}

const knownKeys = new WeakMap<EntityMetadata, ColumnMetadata[][]>()

/** Do the criteria pin every column of some unique key to a value? NULL is not equal to NULL, so IsNull() pins nothing. */
export function coversUniqueKey(metadata: EntityMetadata, { alternatives, pinned }: Criteria): boolean {
  if (pinned) return coverKey(metadata, pinned.columns)
  return alternatives.every(({ columns }) => coverKey(metadata, columns))
}

function coverKey(metadata: EntityMetadata, columns: readonly ColumnMetadata[]): boolean {
  const known = coverage.get(columns)
  if (known !== undefined) return known
  const covers = uniqueKeysOf(metadata).some((key) => key.every((column) => columns.includes(column)))
  coverage.set(columns, covers)
  return covers
}

/** Plain criteria of the same columns share the array of them. */
const coverage = new WeakMap<readonly ColumnMetadata[], boolean>()

/**
 * Does a violation concern a key that the criteria leave open? Then no row that they find can have caused it, and it was
 * no race. Where the driver does not say which key it was, the answer is no.
 */
export function isOfAnotherKey(
  metadata: EntityMetadata,
  criteria: Criteria,
  violation: { readonly constraint?: string; readonly columns?: readonly string[] },
): boolean {
  const violated = violation.columns ?? columnsOfConstraint(metadata, violation.constraint)
  if (!violated) return false
  const pinned = criteria.alternatives.flatMap((alternative) =>
    alternative.columns.map((column) => column.databaseName),
  )
  return !violated.every((name) => pinned.includes(name))
}

function columnsOfConstraint(metadata: EntityMetadata, name: string | undefined): string[] | undefined {
  const key = [...metadata.uniques, ...metadata.indices].find((candidate) => candidate.name === name)
  return key?.columns.map((column) => column.databaseName)
}

const warned = new WeakMap<EntityMetadata, Set<string>>()

/** For criteria that no unique key covers: warns once per entity and set of columns, or refuses. */
export function insistOnAUniqueKey(
  dataSource: DataSource,
  metadata: EntityMetadata,
  criteria: Criteria,
  uniqueness: Uniqueness,
): void {
  if (uniqueness === 'ignore') return
  const paths = [
    ...new Set(criteria.alternatives.flatMap((pinned) => pinned.columns.map((column) => column.propertyPath))),
  ]
  const columns = paths.map((path) => `'${path}'`).join(', ')
  const advice = paths.length
    ? `No unique key of ${metadata.name} is covered by the criteria on ${columns}: concurrent calls can create duplicates. ` +
      `Add @Unique([${columns}]) to ${metadata.name} (an index with a condition does not count)`
    : `The criteria pin no column of ${metadata.name} to a value: concurrent calls can create duplicates. ` +
      'Give the columns of a unique key as plain values'
  if (uniqueness === 'require')
    throw new NotUniqueCriteriaError(metadata.name, paths, `${advice}, or pass uniqueness: 'ignore'.`)
  const seen = warned.get(metadata) ?? new Set()
  const keySet = [...paths].sort().join()
  if (seen.has(keySet)) return
  warned.set(metadata, seen.add(keySet))
  dataSource.logger.log('warn', `typeorm-get-or-create: ${advice}, or pass uniqueness: 'ignore'.`)
}
