import type { DeepPartial, EntityManager, ObjectLiteral, Repository } from 'typeorm'
import { type Criteria, readCriteria } from './criteria.js'
import type { Dialect } from './dialects/dialect.js'
import { dialectOf } from './dialects/registry.js'
import { GetOrCreateError, InvalidCriteriaError, received } from './errors.js'
import { composeNewRow, type NewRow, type ValueLayer, withLazyRelations } from './new-row.js'
import type { ResolvedOptions } from './options.js'
import { type ColumnMetadata, type DataSource, dataSourceOf, type EntityMetadata } from './typeorm.js'
import { coversUniqueKey, insistOnAUniqueKey } from './unique-key.js'

/** Values for the new row only, or a function that makes them: it runs only on a miss, and at most once per call. */
export type Defaults<ObjectLiteral> =
  | DeepPartial<ObjectLiteral>
  | (() => DeepPartial<ObjectLiteral> | Promise<DeepPartial<ObjectLiteral>>)

/** One call with everything that was checked about it. */
export interface Call {
  readonly manager: EntityManager
  readonly dataSource: DataSource
  readonly dialect: Dialect
  readonly metadata: EntityMetadata
  readonly criteria: Criteria
  /** Does a unique key cover the criteria, so that at most one row matches? */
  readonly isUnique: boolean
  readonly options: ResolvedOptions
  /** Does the row that the given values make still have the values of the criteria, or do defaults replace some? */
  keepsCriteria(): boolean
  /** Are the defaults made by a function, which must not run on a hit? */
  readonly defaultsAreLazy: boolean
  /** The new row as far as it does not depend on a function. */
  given(): NewRow
  /** What is to be stored when no row is found. Runs the `defaults` function. */
  newRow(): NewRow | Promise<NewRow>
}

type Resolve = (metadata: EntityMetadata) => ResolvedOptions

/**
 * Checks the criteria, the options and all values that are not made by a function.
 *
 * @throws GetOrCreateError or one of its subclasses, before any SQL
 */
export async function openCall(
  repository: Repository<ObjectLiteral>,
  criteria: unknown,
  layers: readonly ValueLayer[],
  resolve: Resolve,
): Promise<Call> {
  const context = contextOf(repository, resolve)
  const call = callFor(context, criteria, 'criteria', await withLazyRelations(context.metadata, layers))
  // Composed at once also where a function is to follow, so that what is given already is checked before any SQL.
  call.given()
  if (!call.isUnique) insistOnAUniqueKey(call.dataSource, call.metadata, call.criteria, call.options.uniqueness)
  return call
}

/**
 * The same for a list of criteria, which must pin the same columns to plain values.
 *
 * @throws GetOrCreateError or one of its subclasses, before any SQL
 */
export async function openCalls(
  repository: Repository<ObjectLiteral>,
  list: unknown,
  layersFor: (criteria: unknown, index: number) => readonly ValueLayer[],
  resolve: Resolve,
): Promise<Call[]> {
  const context = contextOf(repository, resolve)
  if (!Array.isArray(list)) throw new InvalidCriteriaError(`criteria is ${received(list)}: give an array of criteria.`)
  const calls: Call[] = []
  for (const [index, criteria] of list.entries()) {
    const layers = withLazyRelations(context.metadata, layersFor(criteria, index))
    const call = callFor(context, criteria, `criteria[${index}]`, layers instanceof Promise ? await layers : layers)
    refuseOtherKeys(call, calls[0] ?? call, index)
    calls.push(call)
  }
  const [first] = calls
  // What is given is the same for all of them: it is checked once, and composed for those that are missing.
  first?.given()
  if (first && !first.isUnique) {
    insistOnAUniqueKey(first.dataSource, first.metadata, first.criteria, first.options.uniqueness)
  }
  return calls
}

type Context = Pick<Call, 'manager' | 'dataSource' | 'dialect' | 'metadata' | 'options'>

function contextOf(repository: Repository<ObjectLiteral>, resolve: Resolve): Context {
  const { manager } = repository
  const dataSource = dataSourceOf(manager)
  const dialect = sqlDialectOf(dataSource)
  const { metadata } = repository
  if (metadata.tableType === 'view') {
    throw new GetOrCreateError(
      `${metadata.name} is a view: no row can be created in it. Use the repository of a table.`,
    )
  }
  return { manager, dataSource, dialect, metadata, options: resolve(metadata) }
}

function callFor(context: Context, criteriaInput: unknown, label: string, layers: readonly ValueLayer[]): Call {
  const { metadata } = context
  const criteria = readCriteria(metadata, criteriaInput, label)
  const isMade = ({ values }: ValueLayer) => typeof values === 'function'
  const defaultsAreLazy = layers.some(isMade)
  const compose = (settled: readonly ValueLayer[]) => composeNewRow(metadata, criteria.values, settled)
  let composed: NewRow | undefined
  const given = () => {
    composed ??= compose(defaultsAreLazy ? layers.filter((layer) => !isMade(layer)) : layers)
    return composed
  }
  return {
    ...context,
    criteria,
    isUnique: coversUniqueKey(metadata, criteria),
    given,
    keepsCriteria: () => criteria.alternatives.every((pinned) => keeps(given(), pinned)),
    defaultsAreLazy,
    newRow: () => (defaultsAreLazy ? made(metadata, layers).then(compose) : given()),
  }
}

function refuseOtherKeys({ criteria }: Call, first: Call, index: number): void {
  if (!criteria.pinsEverything) {
    throw new InvalidCriteriaError(
      `criteria[${index}] holds an operator, a NULL or a relation by other fields: give plain values, as for a key.`,
    )
  }
  const [own, expected] = [criteria, first.criteria].map(({ alternatives: [pinned = new Map()] }) => [...pinned.keys()])
  if (own?.length === expected?.length && own?.every((column) => expected?.includes(column))) return
  const [names, expectedNames] = [own, expected].map((columns) =>
    columns
      ?.map((column) => column.propertyPath)
      .sort()
      .join(', '),
  )
  throw new InvalidCriteriaError(
    `criteria[${index}] names ${names}, and criteria[0] names ${expectedNames}: give the same properties in all of them.`,
  )
}

const isSame = (one: unknown, other: unknown) =>
  one === other || (one instanceof Date && other instanceof Date && +one === +other)

function keeps({ values }: NewRow, pinned: ReadonlyMap<ColumnMetadata, unknown>): boolean {
  return [...pinned].every(([column, value]) => isSame(column.getEntityValue(values), value))
}

/** The values that functions make, one after the other. */
async function made(metadata: EntityMetadata, layers: readonly ValueLayer[]): Promise<readonly ValueLayer[]> {
  const settled: ValueLayer[] = []
  for (const { label, values } of layers) {
    settled.push({ label, values: typeof values === 'function' ? await values() : values })
  }
  return withLazyRelations(metadata, settled)
}

/** @throws GetOrCreateError where the database has no SQL */
export function sqlDialectOf(dataSource: DataSource): Dialect {
  const dialect = dialectOf(dataSource)
  if (dialect) return dialect
  throw new GetOrCreateError(
    `'${dataSource.options.type}' is not supported: typeorm-get-or-create works on SQL databases. ` +
      'There, findOneAndUpdate with upsert: true is the atomic way.',
  )
}
