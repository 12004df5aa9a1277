import type { Criteria, Pinned } from './criteria.js'
import { NotUniqueCriteriaError } from './errors.js'
import { keyNamesOf } from './properties.js'
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
  const covers = coveredKey(metadata, columns) !== undefined
  coverage.set(columns, covers)
  return covers
}

const coveredKey = (metadata: EntityMetadata, columns: readonly ColumnMetadata[]) =>
  uniqueKeysOf(metadata).find((key) => key.every((column) => columns.includes(column)))

/** The properties of a unique key that all of the criteria pin; alternatives may be of a key each and match a row each. */
export function keyInCriteria(metadata: EntityMetadata, { pinned }: Criteria): string[] | undefined {
  return pinned && coveredKey(metadata, pinned.columns)?.map(memberOf)
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

/** For criteria that no unique key covers: warns once per entity, set of columns and advice, or refuses. */
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
  const advice = adviceFor(metadata, criteria)
  const message = `${problem(metadata, paths)}: concurrent calls can create duplicates. ${advice ?? newKey(metadata, paths)}`
  if (uniqueness === 'require') throw new NotUniqueCriteriaError(metadata.name, paths, message)
  const seen = warned.get(metadata) ?? new Set()
  const known = `${[...paths].sort().join()} ${advice}`
  if (seen.has(known)) return
  warned.set(metadata, seen.add(known))
  dataSource.logger.log('warn', `typeorm-get-or-create: ${message}`)
}

const problem = ({ name }: EntityMetadata, paths: readonly string[]) =>
  paths.length > 0
    ? `No unique key of ${name} is covered by the criteria on ${quoted(paths)}`
    : `The criteria pin no column of ${name} to a value`

const newKey = ({ name }: EntityMetadata, paths: readonly string[]) =>
  paths.length > 0
    ? `Add @Unique([${quoted(paths)}]) to ${name}, or pass uniqueness: 'ignore'.`
    : "Give the columns of a unique key as plain values, or pass uniqueness: 'ignore'."

/** What to do about a key that is there already: a new one on what is left of it would be the wrong advice. */
function adviceFor(metadata: EntityMetadata, criteria: Criteria): string | undefined {
  const uncovered = criteria.alternatives.find(({ columns }) => !coverKey(metadata, columns))
  if (!uncovered) return undefined
  return conditionAdvice(metadata, uncovered) ?? memberAdvice(metadata, uncovered)
}

function conditionAdvice({ indices }: EntityMetadata, { columns }: Pinned): string | undefined {
  const index = indices.find(
    (candidate) =>
      candidate.isUnique &&
      candidate.where &&
      candidate.columns.length > 0 &&
      candidate.columns.every((column) => columns.includes(column)),
  )
  if (!index) return undefined
  return (
    `The unique index on ${quoted(index.columns.map(memberOf))} has a condition, and whether it holds cannot be checked: ` +
    "pass uniqueness: 'ignore' where it does."
  )
}

function memberAdvice(metadata: EntityMetadata, { columns, unpinned }: Pinned): string | undefined {
  if (!unpinned) return undefined
  const isMissing = (column: ColumnMetadata) => !columns.includes(column)
  const key = uniqueKeysOf(metadata).find((members) =>
    members.filter(isMissing).every((column) => unpinned.has(column)),
  )
  const missing = key?.find(isMissing)
  if (!key || !missing) return undefined
  return (
    `The unique key on ${quoted(key.map(memberOf))} would be, but '${memberOf(missing)}' is given by ` +
    `${unpinned.get(missing)}: give ${asValue(missing)}, or pass uniqueness: 'ignore'.`
  )
}

const quoted = (names: readonly string[]) => [...new Set(names)].map((name) => `'${name}'`).join(', ')

/** The property that a column is given by. */
const memberOf = ({ isVirtual, relationMetadata, propertyPath }: ColumnMetadata) =>
  (isVirtual && relationMetadata?.propertyPath) || propertyPath

const asValue = (column: ColumnMetadata) =>
  column.isVirtual && column.relationMetadata
    ? `${memberOf(column)}: { ${keyNamesOf(column.relationMetadata)}: … }`
    : `${memberOf(column)} as a plain value`
