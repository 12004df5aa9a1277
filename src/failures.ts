import type { QueryFailedError } from 'typeorm'
import type { DriverError, FailureKind, UniqueViolation } from './dialects/dialect.js'
import { dialectOfError } from './dialects/registry.js'

export type { UniqueViolation } from './dialects/dialect.js'

/**
 * Is this a violation of a unique key (primary key, unique constraint, unique index, exclusion constraint)?
 *
 * Takes any error and decides by the driver that made it and that driver's code, never by English text where a code
 * exists. An unknown error is no violation.
 *
 * @example
 * try {
 *   await users.insert({ email })
 * } catch (error) {
 *   if (!isUniqueViolation(error)) throw error
 * }
 */
export function isUniqueViolation(error: unknown): error is QueryFailedError {
  return failureKindOf(error) === 'uniqueViolation'
}

/**
 * Which key was violated, or `undefined` when the error is no unique violation.
 *
 * **Limits.** A fact that the driver does not give is absent: MySQL names the index, SQLite the table and columns,
 * PostgreSQL all three. Names are the database's, not those of entities and properties.
 *
 * @example
 * const violation = uniqueViolation(error)
 * if (violation?.columns?.includes('email')) throw new ConflictException('This e-mail address is taken')
 */
export function uniqueViolation(error: unknown): UniqueViolation | undefined {
  const driverError = driverErrorOf(error)
  if (!driverError || !isUniqueViolation(error)) return undefined
  return dialectOfError(driverError)?.describeUniqueViolation(driverError)
}

/**
 * Is this a deadlock or a serialization failure? The transaction did nothing wrong, and may be run again as a whole.
 *
 * Takes any error and decides as `isUniqueViolation` does. A lock timeout is none: who holds the lock may still hold it.
 *
 * @example
 * for (let attempt = 1; ; attempt++) {
 *   try {
 *     return await dataSource.transaction(work)
 *   } catch (error) {
 *     if (attempt === 3 || !isTransientFailure(error)) throw error
 *   }
 * }
 */
export function isTransientFailure(error: unknown): boolean {
  const kind = failureKindOf(error)
  return kind === 'deadlock' || kind === 'serializationFailure'
}

/** What a failed statement means; `undefined` for every error that is in no dialect's tables. */
export function failureKindOf(error: unknown): FailureKind | undefined {
  const driverError = driverErrorOf(error)
  const dialect = driverError && dialectOfError(driverError)
  const code = dialect?.codeOf(driverError as DriverError)
  if (!dialect || code === undefined) return undefined
  const kinds = Object.keys(dialect.failures) as FailureKind[]
  return kinds.find((kind) => Object.values(dialect.failures[kind]).includes(code))
}

/** TypeORM keeps the driver's error as `driverError`; an error that it did not wrap is the driver's own. */
function driverErrorOf(error: unknown): DriverError | undefined {
  const driverError = (error as { driverError?: unknown } | undefined)?.driverError ?? error
  return isErrorLike(driverError) ? driverError : undefined
}

function isErrorLike(error: unknown): error is DriverError {
  return typeof error === 'object' && error !== null && typeof (error as DriverError).message === 'string'
}
