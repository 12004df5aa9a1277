import type { DeepPartial, EntityManager, ObjectLiteral, Repository } from 'typeorm'
import { type Criteria, readCriteria } from './criteria.js'
import type { Dialect } from './dialects/dialect.js'
import { dialectOf } from './dialects/registry.js'
import { GetOrCreateError } from './errors.js'
import { composeNewRow, type NewRow } from './new-row.js'
import type { ResolvedOptions } from './options.js'
import { type DataSource, dataSourceOf, type EntityMetadata } from './typeorm.js'
import { coversUniqueKey, insistOnAUniqueKey } from './unique-key.js'

/** Values for the new row only, or a function that makes them: it runs only on a miss, and at most once per call. */
export type Defaults<E> = DeepPartial<E> | (() => DeepPartial<E> | Promise<DeepPartial<E>>)

/** One call with everything that was checked about it. */
export interface Call<E extends ObjectLiteral> {
  readonly manager: EntityManager
  readonly dataSource: DataSource
  readonly dialect: Dialect
  readonly metadata: EntityMetadata
  readonly criteria: Criteria<E>
  /** Does a unique key cover the criteria, so that at most one row matches? */
  readonly isUnique: boolean
  readonly options: ResolvedOptions<E>
  /** Are the defaults made by a function, which must not run on a hit? */
  readonly defaultsAreLazy: boolean
  /** What is to be stored when no row is found. Runs the `defaults` function. */
  newRow(): Promise<NewRow>
}

/**
 * Checks the criteria, the options and, unless a function makes them, the defaults.
 *
 * @throws GetOrCreateError or one of its subclasses, before any SQL
 */
export async function openCall<E extends ObjectLiteral>(
  repository: Repository<ObjectLiteral>,
  criteriaInput: unknown,
  defaults: unknown,
  resolve: (metadata: EntityMetadata) => ResolvedOptions<E>,
): Promise<Call<E>> {
  const { manager, metadata } = repository
  const dataSource = dataSourceOf(manager)
  const dialect = sqlDialectOf(dataSource)
  if (metadata.tableType === 'view') {
    throw new GetOrCreateError(
      `${metadata.name} is a view: no row can be created in it. Use the repository of a table.`,
    )
  }
  const options = resolve(metadata)
  const criteria = readCriteria<E>(metadata, criteriaInput)
  const compose = (input: unknown) => composeNewRow(metadata, criteria.values, input)
  const given = typeof defaults === 'function' ? undefined : await compose(defaults ?? {})
  const isUnique = coversUniqueKey(metadata, criteria)
  if (!isUnique) insistOnAUniqueKey(dataSource, metadata, criteria, options.uniqueness)
  return {
    manager,
    dataSource,
    dialect,
    metadata,
    criteria,
    isUnique,
    options,
    defaultsAreLazy: given === undefined,
    newRow: async () => given ?? compose(await (defaults as () => unknown)()),
  }
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
