import { TypeORMError } from 'typeorm'

/**
 * What all errors of this package have in common. Errors of the database are never wrapped in it: they reach you as
 * TypeORM's own `QueryFailedError`, the very object that the driver's failure produced.
 *
 * @example
 * if (error instanceof GetOrCreateError) throw new BadRequestException(error.message)
 */
export class GetOrCreateError extends TypeORMError {}

/** The criteria cannot identify a row: thrown before any SQL, naming the path, what was received and what to do. */
export class InvalidCriteriaError extends GetOrCreateError {}

/** The values for the new row cannot be stored as given: thrown before any SQL that would write, naming the path. */
export class InvalidValuesError extends GetOrCreateError {}

/** An option is unknown, out of range, or not for this entity or database: thrown before any SQL. */
export class InvalidOptionsError extends GetOrCreateError {}

/** `uniqueness: 'require'` and no unique key covers the criteria: without one, two callers can both create. */
export class NotUniqueCriteriaError extends GetOrCreateError {
  constructor(
    /** The entity whose repository was asked. */
    readonly entityName: string,
    /** Property paths of the columns that the criteria pin to one value. */
    readonly propertyPaths: readonly string[],
    advice: string,
  ) {
    super(advice)
  }
}

/** More than one row matches the criteria, so none of them is "the" row. Thrown after the read. */
export class MultipleEntitiesFoundError extends GetOrCreateError {
  constructor(
    /** The entity whose repository was asked. */
    readonly entityName: string,
    declaredKey?: readonly string[],
  ) {
    super(
      declaredKey
        ? `More than one ${entityName} matches the criteria, although the entity declares a unique key on ` +
            `${declaredKey.map((path) => `'${path}'`).join(', ')}: the table has duplicates, and the unique index seems to ` +
            'be missing in the database. Remove the duplicates and create it.'
        : `More than one ${entityName} matches the criteria, so it is open which one is meant. ` +
            'Give criteria that a unique key covers, or remove the duplicates.',
    )
  }
}

/** TypeORM makes a repository anew for the methods of a mixin and for each transaction. */
export const constructorAdvice =
  "TypeORM's extend() and withRepository() call the constructor of a repository class with (target, manager, queryRunner). " +
  'Give the class no constructor of its own, or one that takes these and passes them to super().'

/** A short, safe rendering of a received value for an error message. */
export function received(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : 'a Date'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  if (value instanceof Promise) return 'a Promise'
  if (typeof value === 'object' && value !== null) {
    const name = Object.getPrototypeOf(value)?.constructor?.name
    if (name && name !== 'Object') return `an instance of ${name}`
    return Object.keys(value).length === 0 ? 'an empty object' : 'an object'
  }
  return String(value)
}
