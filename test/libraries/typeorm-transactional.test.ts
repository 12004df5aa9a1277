import {
  addTransactionalDataSource,
  deleteDataSourceByName,
  initializeTransactionalContext,
  StorageDriver,
  Transactional,
} from 'typeorm-transactional'
import { testThatItCarriesOurCalls } from './carries-our-calls.js'

class Application {
  @Transactional()
  async run<T>(work: () => Promise<T>): Promise<T> {
    return work()
  }
}

// It gives TypeORM's classes another `manager`, so it must come before the first repository.
initializeTransactionalContext({ storageDriver: StorageDriver.ASYNC_LOCAL_STORAGE })

describe('a method with @Transactional() of typeorm-transactional carries our calls', () => {
  testThatItCarriesOurCalls(async ({ dataSource }, users) => {
    addTransactionalDataSource(dataSource)
    const application = new Application()
    return {
      inTransactionalMethod: (work) => application.run(work),
      users: () => users,
      manager: () => dataSource.manager,
      close: async () => void deleteDataSourceByName('default'),
    }
  })
})
