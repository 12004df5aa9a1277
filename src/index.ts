export type { Defaults } from './call.js'
export {
  GetOrCreateError,
  InvalidCriteriaError,
  InvalidOptionsError,
  InvalidValuesError,
  MultipleEntitiesFoundError,
  NotUniqueCriteriaError,
} from './errors.js'
export { isTransientFailure, isUniqueViolation, type UniqueViolation, uniqueViolation } from './failures.js'
export type {
  BatchOptions,
  BulkOptions,
  CallDefaults,
  GetOrBuildOptions,
  GetOrCreateInTransactionOptions,
  GetOrCreateManyOptions,
  GetOrCreateMixinOptions,
  GetOrCreateOptions,
  ReadOptions,
  Strategy,
  Uniqueness,
  UpdateOrCreateOptions,
} from './options.js'
export {
  type AnyRepository,
  type CriteriaOf,
  type EntityOf,
  type GetOrCreateMethods,
  type GetOrCreateRepository,
  getOrCreateMixin,
  type ManyDefaults,
  type Updates,
  withGetOrCreate,
} from './repository.js'
