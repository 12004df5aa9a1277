import type { FindOptionsWhere, ObjectLiteral, Repository } from 'typeorm'
import { type Defaults, openCall, sqlDialectOf } from './call.js'
import { getOrBuild, getOrCreate } from './get-or-create.js'
import {
  checkOptions,
  type GetOrBuildOptions,
  type GetOrCreateMixinOptions,
  type GetOrCreateOptions,
  getOrBuildOptionChecks,
  getOrCreateOptionChecks,
  mixinOptionChecks,
  resolveOptions,
} from './options.js'
import { dataSourceOf } from './typeorm.js'

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
   * @throws QueryFailedError the driver's own, for everything that is no race
   *
   * @example
   * const [user, created] = await users.getOrCreate({ email }, { name })
   */
  getOrCreate<R extends Repository<ObjectLiteral>>(
    this: R,
    criteria: CriteriaOf<R>,
    defaults?: Defaults<EntityOf<R>>,
    options?: GetOrCreateOptions<EntityOf<R>>,
  ): Promise<[entity: EntityOf<R>, created: boolean]>

  /**
   * Finds the row that the criteria identify, or builds the entity that `getOrCreate` would store, without storing it.
   *
   * @returns The entity, and whether it is new and not saved.
   * @throws InvalidCriteriaError, InvalidValuesError, InvalidOptionsError, NotUniqueCriteriaError before any SQL
   * @throws MultipleEntitiesFoundError when more than one row matches
   *
   * @example
   * const [draft, isNew] = await users.getOrBuild({ email }, { name })
   */
  getOrBuild<R extends Repository<ObjectLiteral>>(
    this: R,
    criteria: CriteriaOf<R>,
    defaults?: Defaults<EntityOf<R>>,
    options?: GetOrBuildOptions<EntityOf<R>>,
  ): Promise<[entity: EntityOf<R>, isNew: boolean]>
}

/** A repository with the methods of this package. */
export type GetOrCreateRepository<E extends ObjectLiteral> = Repository<E> & GetOrCreateMethods

/**
 * The methods of this package for `Repository.extend`, TypeORM's own extension point. One mixin serves every entity, and
 * `manager.withRepository(users)` keeps the methods inside a transaction.
 *
 * @param options Defaults for every call.
 * @throws InvalidOptionsError for an option that is unknown or out of range
 *
 * @example
 * const users = dataSource.getRepository(User).extend(getOrCreateMixin())
 */
export function getOrCreateMixin(options?: GetOrCreateMixinOptions): GetOrCreateMethods {
  const mixin: GetOrCreateMixinOptions = checkOptions(options, mixinOptionChecks)
  return {
    async getOrCreate<R extends Repository<ObjectLiteral>>(
      this: R,
      criteria: CriteriaOf<R>,
      defaults?: Defaults<EntityOf<R>>,
      callOptions?: GetOrCreateOptions<EntityOf<R>>,
    ) {
      const call = await openCall<EntityOf<R>>(this, criteria, defaults, (metadata) =>
        resolveOptions(metadata, mixin, callOptions, getOrCreateOptionChecks),
      )
      return getOrCreate(call)
    },
    async getOrBuild<R extends Repository<ObjectLiteral>>(
      this: R,
      criteria: CriteriaOf<R>,
      defaults?: Defaults<EntityOf<R>>,
      callOptions?: GetOrBuildOptions<EntityOf<R>>,
    ) {
      const call = await openCall<EntityOf<R>>(this, criteria, defaults, (metadata) =>
        resolveOptions(metadata, mixin, callOptions, getOrBuildOptionChecks),
      )
      return getOrBuild(call)
    },
  }
}

/**
 * A repository with the methods of this package: `repository.extend(getOrCreateMixin(options))`, typed. What the
 * repository was extended with before is kept.
 *
 * @throws GetOrCreateError where the database has no SQL
 * @throws InvalidOptionsError for an option that is unknown or out of range
 *
 * @example
 * const users = withGetOrCreate(dataSource.getRepository(User))
 */
export function withGetOrCreate<R extends Repository<ObjectLiteral>>(
  repository: R,
  options?: GetOrCreateMixinOptions,
): R & GetOrCreateMethods {
  sqlDialectOf(dataSourceOf(repository.manager))
  return repository.extend(getOrCreateMixin(options))
}
