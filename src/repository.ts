import type { DeepPartial, FindOptionsWhere, ObjectLiteral, Repository } from 'typeorm'
import { getOrCreateTogether } from './batch.js'
import { type Defaults, openCall, openCalls, sqlDialectOf } from './call.js'
import { constructorAdvice, GetOrCreateError, received } from './errors.js'
import { getOrBuild, getOrCreate } from './get-or-create.js'
import { getOrCreateMany } from './get-or-create-many.js'
import { getOrCreateInTransaction } from './in-transaction.js'
import { isObject, isPromise } from './operators.js'
import {
  type BatchOptions,
  checkIsolationLevel,
  checkOptions,
  type GetOrBuildOptions,
  type GetOrCreateInTransactionOptions,
  type GetOrCreateManyOptions,
  type GetOrCreateMixinOptions,
  type GetOrCreateOptions,
  getOrBuildOptionChecks,
  getOrCreateOptionChecks,
  inTransactionOptionChecks,
  manyOptionChecks,
  mixinOptionChecks,
  type OptionChecks,
  resolveDefaults,
  resolveOptions,
  type UpdateOrCreateOptions,
  updateOrCreateOptionChecks,
} from './options.js'
import { isInTransaction } from './transaction.js'
import { dataSourceOf, type EntityMetadata, isolationLevelsOf } from './typeorm.js'
import { changesFrom, updateOrCreate } from './update-or-create.js'

/** A repository of whatever entity. */
// biome-ignore lint/suspicious/noExplicitAny: to TypeORM 0.3, the Repository<E> of a type parameter is no Repository<ObjectLiteral>.
export type AnyRepository = Repository<any>

/** The entity of a repository, extended or not. */
export type EntityOf<R> = R extends Repository<infer E> ? E : never

/** What identifies a row: one description, or several of which any may match. */
export type CriteriaOf<R> = FindOptionsWhere<EntityOf<R>> | FindOptionsWhere<EntityOf<R>>[]

/** The methods that the mixin adds. They take their entity from the repository they are called on. */
export interface GetOrCreateMethods {
  /**
   * Finds the row that the criteria identify, or creates it, right also when others do the same at that moment.
   *
   * **Promise.** One SELECT on a hit; on a miss one INSERT that cannot spoil your transaction. Of any number of concurrent
   * callers with the same unique criteria one gets `created = true`, and all get the same row, read from the primary and
   * in the same shape. The loser of a race never writes to the winner's row.
   *
   * **Needs** a unique key (primary key, `@Unique`, unique index) on the columns of the criteria. Without one, two
   * callers can both create: see `uniqueness`.
   *
   * **Limits.** Inside your own transaction, `created = true` is provisional until it commits, and a deadlock or
   * serialization failure (PostgreSQL 40001 at REPEATABLE READ when the winner is not in your snapshot; MySQL 1213) is
   * passed on: run the whole transaction again. `BeforeInsert` also runs for a caller that loses the race.
   *
   * @param criteria What identifies the row. Plain values, `Equal(x)`, `IsNull()`, embedded objects and relations given
   * by key also become values of a new row; other operators and arrays of alternatives only look up.
   * @param defaults Values for the new row only; they win over those of the criteria. A function runs only on a miss, at
   * most once, while no connection is held.
   * @returns The entity, and whether this call created it.
   * @throws InvalidCriteriaError, InvalidValuesError, InvalidOptionsError, NotUniqueCriteriaError before any SQL
   * @throws MultipleEntitiesFoundError when more than one row matches
   * @throws InvalidValuesError for 0 as a generated id where the database would store another number, before it inserts
   * @throws GetOrCreateError when the database stored no row and reported no error, as where a trigger leaves it out
   * @throws QueryFailedError the driver's own, for everything that is no race
   *
   * @example
   * const [user, created] = await users.getOrCreate({ email }, { name })
   */
  getOrCreate<R extends AnyRepository>(
    this: R,
    criteria: CriteriaOf<R>,
    defaults?: Defaults<EntityOf<R>>,
    options?: GetOrCreateOptions<EntityOf<R>>,
  ): Promise<[entity: EntityOf<R>, created: boolean]>

  /**
   * Finds the row that the criteria identify, or builds the entity that `getOrCreate` would store, without storing it.
   *
   * **Promise.** One SELECT, and nothing is written. A `defaults` function runs only on a miss.
   *
   * **Needs** a unique key on the columns of the criteria, as `getOrCreate` does.
   *
   * **Limits.** Nothing is reserved: when someone else stores the row first, saving what was built is a unique violation.
   * Where that can happen, use `getOrCreate`.
   *
   * @param criteria What identifies the row, as for `getOrCreate`.
   * @param defaults Values for a new entity only; they win over those of the criteria.
   * @returns The entity, and whether it is new and not saved.
   * @throws InvalidCriteriaError, InvalidValuesError, InvalidOptionsError, NotUniqueCriteriaError before any SQL
   * @throws MultipleEntitiesFoundError when more than one row matches
   * @throws QueryFailedError the driver's own, when the SELECT fails
   *
   * @example
   * const [draft, isNew] = await users.getOrBuild({ email }, { name })
   */
  getOrBuild<R extends AnyRepository>(
    this: R,
    criteria: CriteriaOf<R>,
    defaults?: Defaults<EntityOf<R>>,
    options?: GetOrBuildOptions<EntityOf<R>>,
  ): Promise<[entity: EntityOf<R>, isNew: boolean]>

  /**
   * `getOrCreate` and `work` in one transaction: lookup, creation and work commit together or not at all.
   *
   * **Promise.** Outside a transaction it opens one on the primary, and runs the whole of it again, at most `attempts`
   * times, after a deadlock, a serialization failure or a winner that its snapshot cannot see; the connection goes back
   * clean. `work` may run again, its effects commit exactly once. `defaults` runs at most once, before the transaction. An
   * error that `work` swallowed although it ended the transaction is thrown: the call never resolves over a commit that
   * stored nothing. Inside your transaction it joins that one and does not run again.
   *
   * **Needs** a unique key on the columns of the criteria, as `getOrCreate` does.
   *
   * **Limits.** On SQLite it queues with the other calls of this package, not with your own transactions. What `work` does
   * outside of the database happens again when it runs again.
   *
   * @returns The entity, and whether this call created it, in the attempt that was committed.
   * @throws as `getOrCreate`, and whatever `work` throws, after a rollback
   * @throws InvalidOptionsError for an `isolationLevel` inside your transaction, or one that the database does not have
   *
   * @example
   * await users.getOrCreateInTransaction({ email }, { name }, {
   *   work: async ([user, created], manager) => {
   *     if (created) await manager.insert(Outbox, { type: 'user.created', userId: user.id })
   *   },
   * })
   */
  getOrCreateInTransaction<R extends AnyRepository>(
    this: R,
    criteria: CriteriaOf<R>,
    defaults?: Defaults<EntityOf<R>>,
    options?: GetOrCreateInTransactionOptions<EntityOf<R>>,
  ): Promise<[entity: EntityOf<R>, created: boolean]>

  /**
   * Updates the row that the criteria identify, or creates it from the criteria, the updates and `createDefaults`.
   *
   * **Promise.** The row is locked before `updates(current)` runs and until the commit, so concurrent increments lose
   * nothing; the loser of a race to create applies its update once, to the winner's row. Only changed columns are
   * written, and without a change there is no UPDATE. Version and update-date columns, listeners and subscribers work as
   * with `save`.
   *
   * **Needs** a unique key on the columns of the criteria, as `getOrCreate` does.
   *
   * **Limits.** `updates(current)` may run again after a deadlock outside your transaction. In a MySQL transaction of
   * yours, losing a race and then updating can deadlock (1213).
   *
   * @param criteria As for `getOrCreate`.
   * @param updates New values, or a function that makes them from the locked row. As an object they also go into a new row.
   * @returns The entity as a read would return it after the update, and whether this call created it.
   * @throws as `getOrCreate`; InvalidValuesError when `updates(current)` gives no object
   *
   * @example
   * const [page, created] = await pages.updateOrCreate({ path }, (page) => ({ visits: page.visits + 1 }), {
   *   createDefaults: { visits: 1 },
   * })
   */
  updateOrCreate<R extends AnyRepository>(
    this: R,
    criteria: CriteriaOf<R>,
    updates: Updates<EntityOf<R>>,
    options?: UpdateOrCreateOptions<EntityOf<R>>,
  ): Promise<[entity: EntityOf<R>, created: boolean]>

  /**
   * `getOrCreate` for a list of criteria: one look, one insert and one look for what was lost, a chunk.
   *
   * **Promise.** Results come in the order of the criteria, with the flags and ids that the database answered. Equal
   * criteria get the same entity, and only the first of them `created = true`. All missing rows are stored or none, in a
   * transaction of our own or in yours; they are inserted in key order, so that calls for the same keys do not deadlock.
   *
   * **Needs** plain values for the same properties in every member, with a unique key on their columns.
   *
   * **Limits.** A failure for one row is a failure of the call. In your own transaction `created = true` is provisional
   * until it commits. Several calls in one transaction, for keys in different orders, can still deadlock.
   *
   * @param defaults Values for every new row, or a function of the criteria and their index, which runs only for rows that
   * are missing.
   * @returns One pair for each member of the list, in its order: the entity, and whether this call created it.
   * @throws as `getOrCreate`; InvalidCriteriaError naming the member that has an operator, or other properties than the first
   *
   * @example
   * const tags = await repository.getOrCreateMany(labels.map((label) => ({ label })))
   */
  getOrCreateMany<R extends AnyRepository>(
    this: R,
    criteriaList: readonly FindOptionsWhere<EntityOf<R>>[],
    defaults?: ManyDefaults<EntityOf<R>>,
    options?: GetOrCreateManyOptions<EntityOf<R>>,
  ): Promise<[entity: EntityOf<R>, created: boolean][]>
}

/** Changes of a row, or a function that makes them from the row while it is locked. */
export type Updates<E> = DeepPartial<E> | ((current: E) => DeepPartial<E> | Promise<DeepPartial<E>>)

/** Values for every new row, or a function that makes them for one. */
export type ManyDefaults<E> =
  | DeepPartial<E>
  | ((criteria: FindOptionsWhere<E>, index: number) => DeepPartial<E> | Promise<DeepPartial<E>>)

/**
 * A repository with the methods of this package: the type of a field or a parameter.
 *
 * @example
 * class SignupService {
 *   constructor(private readonly users: GetOrCreateRepository<User>) {}
 * }
 */
export type GetOrCreateRepository<E extends ObjectLiteral> = Repository<E> & GetOrCreateMethods

/**
 * The methods of this package for `Repository.extend`, TypeORM's own extension point. One mixin serves every entity, and
 * `manager.withRepository(users)` keeps the methods inside a transaction.
 *
 * **Promise.** Nothing of TypeORM's is patched: the repository that `extend` returns has the methods, and no other. Where
 * the database has no SQL, each call fails with a `GetOrCreateError`.
 *
 * @param options Defaults for every call.
 * @throws InvalidOptionsError for an option that is unknown or out of range
 *
 * @example
 * const users = dataSource.getRepository(User).extend(getOrCreateMixin())
 * await dataSource.transaction((manager) => manager.withRepository(users).getOrCreate({ email }, { name }))
 */
export function getOrCreateMixin(options?: GetOrCreateMixinOptions): GetOrCreateMethods {
  const mixin: GetOrCreateMixinOptions = checkOptions(options, mixinOptionChecks)
  const unchanged = resolveDefaults(mixin)
  const resolving = (given: unknown, checks: OptionChecks) => (metadata: EntityMetadata) =>
    given === undefined ? unchanged : resolveOptions(metadata, unchanged, given, checks)
  const methods = {
    async getOrCreate(criteria, defaults, given) {
      const resolve = resolving(given, getOrCreateOptionChecks)
      const opened = openCall(this, criteria, layer('defaults', defaults), resolve)
      const call = isPromise(opened) ? await opened : opened
      // `await` here takes two turns of the microtask queue less than a promise that is passed on.
      return await (mixin.batch ? getOrCreateTogether(call, sizeOf(mixin.batch)) : getOrCreate(call))
    },

    async getOrBuild(criteria, defaults, given) {
      const resolve = resolving(given, getOrBuildOptionChecks)
      return getOrBuild(await openCall(this, criteria, layer('defaults', defaults), resolve))
    },

    async getOrCreateInTransaction(criteria, defaults, given: GetOrCreateInTransactionOptions<ObjectLiteral> = {}) {
      const resolve = resolving(given, inTransactionOptionChecks)
      const call = await openCall(this, criteria, layer('defaults', defaults), resolve)
      const levels = isolationLevelsOf(call.dataSource.driver) ?? call.dialect.isolationLevels
      checkIsolationLevel(given.isolationLevel, isInTransaction(call.manager), levels)
      return getOrCreateInTransaction(call, given.work, given.isolationLevel)
    },

    async updateOrCreate(criteria, updates, given: UpdateOrCreateOptions<ObjectLiteral> = {}) {
      const makeUpdates = typeof updates === 'function' ? updates : () => updates
      const layers = [
        ...(typeof updates === 'function' ? [] : [{ label: 'updates', values: updates }]),
        ...layer('options.createDefaults', given?.createDefaults),
      ]
      const call = await openCall(this, criteria, layers, resolving(given, updateOrCreateOptionChecks))
      return updateOrCreate(call, async (current) => changesFrom(call, current, await makeUpdates(current)))
    },

    async getOrCreateMany(criteriaList, defaults, given: GetOrCreateManyOptions<ObjectLiteral> = {}) {
      const same = layer('defaults', defaults)
      const layers = (criteria: unknown, index: number) =>
        typeof defaults === 'function' ? layer('defaults', () => defaults(criteria, index)) : same
      const list = await openCalls(this, criteriaList, layers, resolving(given, manyOptionChecks))
      return list ? getOrCreateMany(list, given) : []
    },
  } satisfies Methods
  // Checked at run time, they take what they are given; the declared types tell callers what that may be.
  return methods as unknown as GetOrCreateMethods
}

type Methods = Record<
  keyof GetOrCreateMethods,
  (this: AnyRepository, input: unknown, values: unknown, options?: never) => Promise<unknown>
>

const MOST_TOGETHER = 100

const sizeOf = (batch: true | BatchOptions) => (batch === true ? MOST_TOGETHER : (batch.maxSize ?? MOST_TOGETHER))

const layer = (label: string, values: unknown) => (values === undefined ? [] : [{ label, values }])

/**
 * A repository with the methods of this package: `repository.extend(getOrCreateMixin(options))`, typed. What the
 * repository was extended with before is kept; the repository itself is left as it was.
 *
 * @param options Defaults for every call.
 * @throws GetOrCreateError where the database has no SQL, for what is no repository, and for one of a class whose constructor
 * takes something else than TypeORM calls it with
 * @throws InvalidOptionsError for an option that is unknown or out of range
 *
 * @example
 * const users = withGetOrCreate(dataSource.getRepository(User))
 */
export function withGetOrCreate<R extends AnyRepository>(
  repository: R,
  options?: GetOrCreateMixinOptions,
): R & GetOrCreateMethods {
  refuseOtherThanRepository(repository)
  sqlDialectOf(dataSourceOf(repository.manager))
  return extended(repository, getOrCreateMixin(options))
}

function refuseOtherThanRepository(given: unknown): void {
  if (isObject(given) && isObject(given.manager) && typeof given.extend === 'function') return
  const name = typeof given === 'function' && given.name ? given.name : received(given)
  throw new GetOrCreateError(`${name} is no repository: give withGetOrCreate(dataSource.getRepository(Entity)).`)
}

function extended<R extends AnyRepository>(repository: R, mixin: GetOrCreateMethods): R & GetOrCreateMethods {
  const refusal = () =>
    new GetOrCreateError(`${repository.constructor.name} cannot be extended with methods. ${constructorAdvice}`)
  let made: R & GetOrCreateMethods
  try {
    made = repository.extend(mixin)
  } catch (cause) {
    throw Object.assign(refusal(), { cause })
  }
  if (made.manager !== repository.manager) throw refusal()
  return made
}
