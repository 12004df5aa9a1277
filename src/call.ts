import type { DeepPartial, EntityManager, ObjectLiteral, Repository } from 'typeorm'
import { type Criteria, type Pinned, pinsTheSame, readCriteria } from './criteria.js'
import type { Dialect } from './dialects/dialect.js'
import { dialectOf } from './dialects/registry.js'
import { constructorAdvice, GetOrCreateError, InvalidCriteriaError, received } from './errors.js'
import { composeNewRow, type NewRow, plainLayers, plainNewRow, type ValueLayer, withLazyRelations } from './new-row.js'
import { isPromise } from './operators.js'
import type { ResolvedOptions } from './options.js'
import { type DataSource, dataSourceOf, type EntityMetadata } from './typeorm.js'
import { coversUniqueKey, insistOnAUniqueKey } from './unique-key.js'

/** Values for the new row only, or a function that makes them: it runs only on a miss, and at most once per call. */
export type Defaults<ObjectLiteral> =
  | DeepPartial<ObjectLiteral>
  | (() => DeepPartial<ObjectLiteral> | Promise<DeepPartial<ObjectLiteral>>)

/** Where a call is made, and how. */
interface Context {
  readonly manager: EntityManager
  readonly dataSource: DataSource
  readonly dialect: Dialect
  readonly metadata: EntityMetadata
  readonly options: ResolvedOptions
}

/** One call with everything that was checked about it. */
export class Call implements Context {
  readonly manager: EntityManager
  readonly dataSource: DataSource
  readonly dialect: Dialect
  readonly metadata: EntityMetadata
  readonly options: ResolvedOptions
  /** Does a unique key cover the criteria, so that at most one row matches? */
  readonly isUnique: boolean
  /** Are the defaults made by a function, which must not run on a hit? */
  readonly defaultsAreLazy: boolean
  /** Is there such a function, run or not? It must not run while a connection is held. */
  readonly makesDefaults: boolean
  private composed: NewRow | undefined
  private made: Promise<NewRow> | undefined

  constructor(
    context: Context,
    readonly criteria: Criteria,
    private readonly layers: readonly ValueLayer[],
    private readonly origin?: Call,
  ) {
    this.manager = context.manager
    this.dataSource = context.dataSource
    this.dialect = context.dialect
    this.metadata = context.metadata
    this.options = context.options
    this.isUnique = origin ? origin.isUnique : coversUniqueKey(context.metadata, criteria)
    this.makesDefaults = origin ? origin.makesDefaults : layers.some(isMade)
    this.defaultsAreLazy = origin ? origin.defaultsAreLazy : this.makesDefaults
  }

  /** The same call, but for what is given. Its new row stays that of this call also with other criteria. */
  with(
    changes: Partial<Pick<Call, 'manager' | 'metadata' | 'options' | 'criteria' | 'defaultsAreLazy' | 'newRow'>>,
  ): Call {
    return Object.assign(new Call(this, this.criteria, this.layers, this), changes)
  }

  /** Does the row that the given values make still have the values of the criteria, or do defaults replace some? */
  keepsCriteria(): boolean {
    return this.criteria.alternatives.every((pinned) => keeps(this.given(), pinned))
  }

  /** The new row as far as it does not depend on a function. */
  given(): NewRow {
    if (this.origin) return this.origin.given()
    this.composed ??= compose(
      this.metadata,
      this.criteria,
      this.makesDefaults ? this.layers.filter((layer) => !isMade(layer)) : this.layers,
    )
    return this.composed
  }

  /** What is to be stored when no row is found. Runs the `defaults` function, once, however often it is asked for. */
  newRow(): NewRow | Promise<NewRow> {
    if (this.origin) return this.origin.newRow()
    if (!this.makesDefaults) return this.given()
    this.made ??= make(this.metadata, this.criteria, this.layers)
    return this.made
  }
}

function compose(metadata: EntityMetadata, { isPlain, values }: Criteria, layers: readonly ValueLayer[]): NewRow {
  if (isPlain && layers.every((layer) => layer.isPlain)) return plainNewRow(values, layers)
  return composeNewRow(metadata, values, layers)
}

async function make(metadata: EntityMetadata, criteria: Criteria, layers: readonly ValueLayer[]): Promise<NewRow> {
  return compose(metadata, criteria, await settled(metadata, layers))
}

const isMade = ({ values }: ValueLayer) => typeof values === 'function'

type Resolve = (metadata: EntityMetadata) => ResolvedOptions

/**
 * Checks the criteria, the options and all values that are not made by a function.
 *
 * @throws GetOrCreateError or one of its subclasses, before any SQL
 */
export function openCall(
  repository: Repository<ObjectLiteral>,
  criteria: unknown,
  layers: readonly ValueLayer[],
  resolve: Resolve,
): Call | Promise<Call> {
  const context = contextOf(repository, resolve)
  const { metadata } = context
  // Before anything is awaited: until they are copied, the criteria can still be changed.
  const read = readCriteria(metadata, criteria)
  const checked = plainLayers(metadata, layers)
  if (checked) return insistOnUniqueness(new Call(context, read, checked))
  const settledLayers = withLazyRelations(metadata, layers)
  if (!isPromise(settledLayers)) return openClosely(context, read, settledLayers)
  return settledLayers.then((awaited) => openClosely(context, read, awaited))
}

/** Composed at once also where a function is to follow, so that what is given already is checked before any SQL. */
function openClosely(context: Context, criteria: Criteria, layers: readonly ValueLayer[]): Call {
  const call = new Call(context, criteria, layers)
  call.given()
  return insistOnUniqueness(call)
}

function insistOnUniqueness(call: Call): Call {
  if (!call.isUnique) insistOnAUniqueKey(call.dataSource, call.metadata, call.criteria, call.options.uniqueness)
  return call
}

/** Calls that have everything in common but the criteria and the values of new rows. */
export interface CallList {
  /** The first of them. */
  readonly call: Call
  readonly criteria: readonly Criteria[]
  /** What one of them is to store when no row is found. Runs the `defaults` function: it is to be asked for once. */
  newRow(index: number): NewRow | Promise<NewRow>
}

/**
 * The same for a list of criteria, which must pin the same columns to plain values. Nothing for an empty list.
 *
 * @throws GetOrCreateError or one of its subclasses, before any SQL
 */
export async function openCalls(
  repository: Repository<ObjectLiteral>,
  list: unknown,
  layersFor: (criteria: unknown, index: number) => readonly ValueLayer[],
  resolve: Resolve,
): Promise<CallList | undefined> {
  const context = contextOf(repository, resolve)
  const { metadata } = context
  if (!Array.isArray(list)) throw new InvalidCriteriaError(`criteria is ${received(list)}: give an array of criteria.`)
  const members: unknown[] = Array.from(list)
  const given = layersFor(members[0], 0)
  const plain = plainLayers(metadata, given)
  const awaited = plain ?? withLazyRelations(metadata, given)
  // Nothing is awaited without need: until it is copied, what is given can still be changed.
  const settledLayers = isPromise(awaited) ? await awaited : awaited
  const criteria: Criteria[] = []
  for (const member of members) {
    const read = readCriteria(metadata, member, criteria.length)
    refuseOtherKeys(read, criteria[0] ?? read, criteria.length)
    criteria.push(read)
  }
  const [first] = criteria
  if (!first) return undefined
  // What is given is the same for all of them: it is checked and copied once, and composed for those that are missing.
  const layers = plain ?? settledLayers.map((layer) => (isMade(layer) ? layer : copyOfLayer(metadata, layer)))
  const call = new Call(context, first, layers)
  call.given()
  insistOnUniqueness(call)
  const newRow = (index: number) =>
    call.makesDefaults
      ? make(metadata, criteria[index] as Criteria, layersFor(members[index], index))
      : compose(metadata, criteria[index] as Criteria, layers)
  return { call, criteria, newRow }
}

const copyOfLayer = (metadata: EntityMetadata, layer: ValueLayer): ValueLayer => ({
  label: layer.label,
  values: composeNewRow(metadata, {}, [layer]).values,
})

function contextOf(repository: Repository<ObjectLiteral>, resolve: Resolve): Context {
  const { manager } = repository
  if (!manager) throw new GetOrCreateError(`The repository has no manager. ${constructorAdvice}`)
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

function refuseOtherKeys(criteria: Criteria, first: Criteria, index: number): void {
  if (!criteria.pinsEverything) {
    throw new InvalidCriteriaError(
      `criteria[${index}] holds an operator, a NULL or a relation by other fields: give plain values, as for a key.`,
    )
  }
  if (pinsTheSame(criteria, first)) return
  const names = ({ pinned }: Criteria) =>
    (pinned?.columns ?? [])
      .map((column) => column.propertyPath)
      .sort()
      .join(', ')
  throw new InvalidCriteriaError(
    `criteria[${index}] names ${names(criteria)}, and criteria[0] names ${names(first)}: ` +
      'give the same properties in all of them.',
  )
}

const isSame = (one: unknown, other: unknown) =>
  one === other || (one instanceof Date && other instanceof Date && +one === +other)

function keeps({ values }: NewRow, pinned: Pinned): boolean {
  return pinned.columns.every((column) => isSame(column.getEntityValue(values), pinned.valueFor(column)))
}

/** The values that functions make, one after the other. */
async function settled(metadata: EntityMetadata, layers: readonly ValueLayer[]): Promise<readonly ValueLayer[]> {
  const made: ValueLayer[] = []
  for (const { label, values } of layers) {
    made.push({ label, values: typeof values === 'function' ? await values() : values })
  }
  return withLazyRelations(metadata, made)
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
