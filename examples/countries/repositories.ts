import type { DataSource, DeepPartial, FindOptionsWhere, ObjectLiteral, Repository } from 'typeorm'
import { type GetOrCreateRepository, withGetOrCreate } from '../../src/index.js'
import { Country, Currency, Language, Region } from './entities.js'
import type { Repositories } from './import.js'

/** With this package. */
export const withThePackage = (dataSource: DataSource): Repositories => ({
  regions: withGetOrCreate(dataSource.getRepository(Region)),
  currencies: withGetOrCreate(dataSource.getRepository(Currency)),
  languages: withGetOrCreate(dataSource.getRepository(Language)),
  countries: withGetOrCreate(dataSource.getRepository(Country)),
})

/** What is usually written instead. */
export const writtenByHand = (dataSource: DataSource): Repositories => ({
  regions: withFindOneByAndSave(dataSource.getRepository(Region)),
  currencies: withFindOneByAndSave(dataSource.getRepository(Currency)),
  languages: withFindOneByAndSave(dataSource.getRepository(Language)),
  countries: withFindOneByAndSave(dataSource.getRepository(Country)),
})

/** Right until two callers look for the same row at the same time. */
function withFindOneByAndSave<E extends ObjectLiteral>(repository: Repository<E>) {
  return repository.extend({
    async getOrCreate(criteria: FindOptionsWhere<E>, defaults?: DeepPartial<E>) {
      const found = await repository.findOneBy(criteria)
      if (found) return [found, false]
      return [await repository.save({ ...criteria, ...defaults } as DeepPartial<E>), true]
    },
  }) as unknown as GetOrCreateRepository<E>
}
