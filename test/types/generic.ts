/** Code that is generic over entities: a helper, a base class of services. Compiled, never run. */
import type { ObjectLiteral, Repository } from 'typeorm'
import { type GetOrCreateRepository, withGetOrCreate } from '../../src/index.js'

export function wrapAny<E extends ObjectLiteral>(repository: Repository<E>): GetOrCreateRepository<E> {
  return withGetOrCreate(repository)
}
