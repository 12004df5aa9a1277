import type { DeepPartial, EntityManager, FindOneOptions, ObjectLiteral } from 'typeorm'
import { InvalidOptionsError, received } from './errors.js'
import { isPlainObject } from './operators.js'
import type { EntityMetadata, IsolationLevel } from './typeorm.js'
import type { Uniqueness } from './unique-key.js'

export type { Uniqueness } from './unique-key.js'

/** Whether a call looks before it inserts, or inserts before it looks. */
export type Strategy = 'find-first' | 'create-first'

/** Defaults for every call of a repository; each call may override them. */
export interface CallDefaults {
  /**
   * What to do when no unique key covers the criteria, so that two callers can both create: warn once through TypeORM's
   * logger, refuse with `NotUniqueCriteriaError`, or stay silent. TypeORM shows the warning where `logging` has `'warn'`
   * or is `'all'`. The entity's metadata are asked, not the database, which may lack an index that the entity declares.
   *
   * @default 'warn'
   */
  readonly uniqueness?: Uniqueness
  /**
   * How many rounds to go when the winner's row vanishes before it can be read, or when the database reports a deadlock
   * or serialization failure outside a transaction. An integer of at least 1.
   *
   * @default 3
   */
  readonly attempts?: number
  /**
   * `'create-first'` inserts before it looks: one statement instead of two for loads that mostly create. It looks first
   * all the same where an insert could not tell: criteria that no unique key covers or that only look up, and
   * `defaults` given as a function, which promise to run only on a miss.
   *
   * @default 'find-first'
   */
  readonly strategy?: Strategy
}

/** How calls of a repository reach the database; for every call of it. */
export interface GetOrCreateMixinOptions extends CallDefaults {
  /**
   * Send look-ups by key and inserts as named statements, which the server parses and plans once a connection. PostgreSQL
   * only. Not behind a pooler in transaction mode older than PgBouncer 1.21, where named statements fail (42P05).
   *
   * @default false
   */
  readonly prepare?: boolean
  /**
   * Let calls of `getOrCreate` that are made in the same tick travel together, as one `getOrCreateMany`; equal criteria
   * share one flight. Every caller still gets a result, an entity and an error of its own. Never across transactions,
   * managers or options.
   *
   * @default false, or at most 100 calls together when `true`
   */
  readonly batch?: boolean | BatchOptions
}

/** How calls travel together. */
export interface BatchOptions {
  /**
   * How many calls go together at most. An integer of at least 1.
   *
   * @default 100
   */
  readonly maxSize?: number
}

/** How the row is read. */
export interface ReadOptions<E> {
  /** Relations to load, as in `find`; on both branches, so that found and created entities have the same shape. */
  readonly relations?: FindOneOptions<E>['relations']
  /**
   * Load eager relations, as in `find`.
   *
   * @default true
   */
  readonly loadEagerRelations?: boolean
  /**
   * Let a soft-deleted match count as found.
   *
   * @default false
   */
  readonly withDeleted?: boolean
  /**
   * Where the first read goes, outside a transaction; later reads always go to the primary. Inside a transaction every
   * statement is on its connection. The default is TypeORM's: the replica, where replication is configured.
   */
  readonly readFrom?: 'replica' | 'primary'
}

/** Options of `getOrBuild`. */
export interface GetOrBuildOptions<E> extends ReadOptions<E>, Pick<CallDefaults, 'uniqueness'> {}

/** Options of `getOrCreate`. */
export interface GetOrCreateOptions<E> extends ReadOptions<E>, CallDefaults {
  /**
   * Recover a soft-deleted match in the same call and return it, with `created = false`. Needs a delete-date column.
   *
   * @default false
   */
  readonly restoreDeleted?: boolean
}

/** Options of `getOrCreateInTransaction`. */
export interface GetOrCreateInTransactionOptions<E> extends GetOrCreateOptions<E> {
  /**
   * The isolation level of the transaction that is opened. Inside the caller's transaction it is an
   * `InvalidOptionsError`.
   *
   * @default the database's
   */
  readonly isolationLevel?: IsolationLevel
  /**
   * What is to be committed together with the row, on the manager that it is given. It may run again, in a new
   * transaction; its effects commit once.
   */
  readonly work?: (result: [entity: E, created: boolean], manager: EntityManager) => unknown
}

/** Options of `updateOrCreate`. */
export interface UpdateOrCreateOptions<E>
  extends Pick<ReadOptions<E>, 'relations' | 'loadEagerRelations' | 'withDeleted'>,
    Pick<GetOrCreateOptions<E>, 'restoreDeleted' | 'attempts' | 'uniqueness'> {
  /** Values for a new row only, over those of the criteria and the updates. A function runs only on a miss, once. */
  readonly createDefaults?: DeepPartial<E> | (() => DeepPartial<E> | Promise<DeepPartial<E>>)
}

/** How a bulk call is cut, and what it tells while it runs. */
export interface BulkOptions {
  /**
   * How many rows go into one statement at most.
   *
   * @default as many as the database allows parameters for
   */
  readonly chunkSize?: number
  /** Called as rows are settled, with `done` of `total` criteria; before the commit where rows are created. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
}

/** Options of `getOrCreateMany`. */
export interface GetOrCreateManyOptions<E>
  extends ReadOptions<E>,
    Pick<CallDefaults, 'attempts' | 'uniqueness'>,
    BulkOptions {}

/** The options of one call over those of the mixin. */
export interface ResolvedOptions extends Omit<GetOrCreateOptions<ObjectLiteral>, keyof CallDefaults> {
  readonly prepare: boolean
  readonly uniqueness: Uniqueness
  readonly attempts: number
  readonly strategy: Strategy
}

const callDefaults = { uniqueness: 'warn', attempts: 3, strategy: 'find-first', prepare: false } as const

type Check = { readonly holds: (value: unknown, metadata?: EntityMetadata) => boolean; readonly expected: string }

/** What each option that a method knows must be. */
export type OptionChecks = Readonly<Record<string, Check>>

const oneOf = (...values: string[]): Check => ({
  holds: (value) => values.includes(value as string),
  expected: values.map((value) => `'${value}'`).join(' or '),
})
const flag: Check = { holds: (value) => typeof value === 'boolean', expected: 'true or false' }

const callChecks: Record<keyof CallDefaults, Check> = {
  uniqueness: oneOf('warn', 'require', 'ignore'),
  attempts: {
    holds: (value) => Number.isInteger(value) && (value as number) >= 1,
    expected: 'an integer of at least 1',
  },
  strategy: oneOf('find-first', 'create-first'),
}

const readChecks: Record<keyof ReadOptions<unknown>, Check> = {
  relations: { holds: (value) => isPlainObject(value) || Array.isArray(value), expected: 'an object, as in find' },
  loadEagerRelations: flag,
  withDeleted: flag,
  readFrom: oneOf('replica', 'primary'),
}

const callback: Check = { holds: (value) => typeof value === 'function', expected: 'a function' }
const { readFrom, ...otherReadChecks } = readChecks
const { strategy, ...roundChecks } = callChecks

export const inTransactionOptionChecks: OptionChecks = {
  ...readChecks,
  ...callChecks,
  restoreDeleted: flag,
  isolationLevel: { holds: (value) => typeof value === 'string', expected: "a level, such as 'SERIALIZABLE'" },
  work: callback,
}
export const updateOrCreateOptionChecks: OptionChecks = {
  ...otherReadChecks,
  ...roundChecks,
  restoreDeleted: flag,
  createDefaults: { holds: (value) => typeof value === 'object' || typeof value === 'function', expected: 'values' },
}
export const manyOptionChecks: OptionChecks = {
  ...readChecks,
  ...roundChecks,
  chunkSize: callChecks.attempts,
  onProgress: callback,
}
const batchSize: Check = {
  holds: (value) => typeof value === 'boolean' || (isPlainObject(value) && hasOnlySize(value)),
  expected: 'true, false or { maxSize }, an integer of at least 1',
}
const hasOnlySize = ({ maxSize = 1, ...others }: { maxSize?: unknown }) =>
  callChecks.attempts.holds(maxSize) && Object.keys(others).length === 0

const mixinChecks: Record<keyof GetOrCreateMixinOptions, Check> = { ...callChecks, prepare: flag, batch: batchSize }

export const mixinOptionChecks: OptionChecks = mixinChecks
export const getOrBuildOptionChecks: OptionChecks = {
  ...readChecks,
  uniqueness: callChecks.uniqueness,
}
export const getOrCreateOptionChecks: OptionChecks = {
  ...readChecks,
  ...callChecks,
  restoreDeleted: flag,
}

/** @throws InvalidOptionsError for an option that is unknown or out of range */
export function checkOptions(options: unknown, checks: OptionChecks): Record<string, unknown> {
  if (options === undefined) return {}
  if (!isPlainObject(options)) throw new InvalidOptionsError(`options is ${received(options)}: give an object.`)
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (!check) throw new InvalidOptionsError(`options.${name} is unknown: use ${Object.keys(checks).join(', ')}.`)
    if (!check.holds(value))
      throw new InvalidOptionsError(`options.${name} is ${received(value)}: use ${check.expected}.`)
  }
  return Object.fromEntries(given)
}

/** The options of a call that gives none. */
export function resolveDefaults({ batch, ...mixin }: GetOrCreateMixinOptions): ResolvedOptions {
  return { ...callDefaults, ...mixin }
}

/**
 * The options of one call over those of the mixin, checked and copied.
 *
 * @throws InvalidOptionsError
 */
export function resolveOptions(
  metadata: EntityMetadata,
  defaults: ResolvedOptions,
  options: unknown,
  checks: OptionChecks,
): ResolvedOptions {
  const given = checkOptions(options, checks) as GetOrCreateOptions<ObjectLiteral>
  if (given.restoreDeleted && !metadata.deleteDateColumn) {
    throw new InvalidOptionsError(
      `options.restoreDeleted is true: ${metadata.name} has no delete-date column; add a @DeleteDateColumn or leave the option out.`,
    )
  }
  const relations = given.relations && relationTree(metadata, given.relations)
  return { ...defaults, ...given, ...(relations && { relations: relations as never }) }
}

/** @throws InvalidOptionsError for a level inside the caller's transaction, or one that the database does not have */
export function checkIsolationLevel(
  level: IsolationLevel | undefined,
  isInTransaction: boolean,
  known: readonly IsolationLevel[],
): void {
  if (level === undefined) return
  if (isInTransaction) {
    throw new InvalidOptionsError(
      `options.isolationLevel is ${received(level)}: the transaction is yours already; set its level where you open it.`,
    )
  }
  if (known.includes(level)) return
  const levels = known.map((name) => `'${name}'`).join(', ') || 'none: leave it out'
  throw new InvalidOptionsError(`options.isolationLevel is ${received(level)}: this database has ${levels}.`)
}

/** Relations as the object that every TypeORM line takes; 0.3 also takes a list of paths. */
function relationTree(metadata: EntityMetadata, relations: object): Record<string, unknown> {
  const tree = Array.isArray(relations) ? treeOf(relations) : (relations as Record<string, unknown>)
  refuseUnknownRelations(metadata, tree, 'options.relations')
  return tree
}

function treeOf(paths: readonly string[]): Record<string, unknown> {
  const tree: Record<string, unknown> = {}
  for (const path of paths) {
    let branch = tree
    for (const key of String(path).split('.')) {
      branch[key] = isPlainObject(branch[key]) ? branch[key] : {}
      branch = branch[key] as Record<string, unknown>
    }
  }
  return tree
}

function refuseUnknownRelations(
  metadata: EntityMetadata,
  tree: Record<string, unknown>,
  label: string,
  prefix = '',
): void {
  for (const [key, value] of Object.entries(tree)) {
    const path = `${prefix}${key}`
    const relation = metadata.findRelationWithPropertyPath(path)
    const embedded = metadata.findEmbeddedWithPropertyPath(path)
    if (!relation && !embedded) {
      throw new InvalidOptionsError(
        `${label}.${key} is ${received(value)}: ${metadata.name} has no relation of that name.`,
      )
    }
    if (!isPlainObject(value)) continue
    if (relation) refuseUnknownRelations(relation.inverseEntityMetadata, value, `${label}.${key}`)
    else refuseUnknownRelations(metadata, value, `${label}.${key}`, `${path}.`)
  }
}
