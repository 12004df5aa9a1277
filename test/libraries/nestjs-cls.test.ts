import { Global, Injectable, Module } from '@nestjs/common'
import { Test } from '@nestjs/testing'
import { ClsPluginTransactional, Transactional, TransactionHost } from '@nestjs-cls/transactional'
import { TransactionalAdapterTypeOrm } from '@nestjs-cls/transactional-adapter-typeorm'
import { ClsModule } from 'nestjs-cls'
import { DataSource } from 'typeorm'
import { testThatItCarriesOurCalls } from './carries-our-calls.js'

@Injectable()
class Application {
  @Transactional()
  async run<T>(work: () => Promise<T>): Promise<T> {
    return work()
  }
}

describe('a method with @Transactional() of @nestjs-cls/transactional carries our calls', () => {
  testThatItCarriesOurCalls(async ({ dataSource }, users) => {
    @Global()
    @Module({ providers: [{ provide: DataSource, useValue: dataSource }], exports: [DataSource] })
    class Database {}

    const adapter = new TransactionalAdapterTypeOrm({ dataSourceToken: DataSource })
    const module = await Test.createTestingModule({
      imports: [Database, ClsModule.forRoot({ plugins: [new ClsPluginTransactional({ adapter })] })],
      providers: [Application],
    }).compile()
    await module.init()
    const application = module.get(Application)
    const host = module.get<TransactionHost<TransactionalAdapterTypeOrm>>(TransactionHost)
    return {
      inTransactionalMethod: (work) => application.run(work),
      // It patches nothing: who wants to be in the transaction asks its host for the manager.
      users: () => host.tx.withRepository(users),
      manager: () => host.tx,
      close: () => module.close(),
    }
  })
})
