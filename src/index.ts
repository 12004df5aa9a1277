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
  GetOrBuildOptions,
  GetOrCreateMixinOptions,
  GetOrCreateOptions,
  ReadOptions,
  Strategy,
  Uniqueness,
} from './options.js'
export {
  type CriteriaOf,
  type EntityOf,
  type GetOrCreateMethods,
  type GetOrCreateRepository,
  getOrCreateMixin,
  withGetOrCreate,
} from './repository.js'
