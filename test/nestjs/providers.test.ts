import { Injectable, Module } from '@nestjs/common'
import { Test } from '@nestjs/testing'
import { getDataSourceToken, getRepositoryToken, InjectRepository } from '@nestjs/typeorm'
import { DataSource, Repository } from 'typeorm'
import { type GetOrCreateMethods, type GetOrCreateRepository, withGetOrCreate } from '../../src/index.js'
import { GetOrCreateModule, getGetOrCreateRepositoryToken } from '../../src/nestjs.js'
import { Account, inMemory, SignupService, start } from './accounts.js'

@Module({ imports: [GetOrCreateModule.forFeature([Account])], providers: [SignupService] })
class SignupModule {}

describe('a testing module', () => {
  test('overrides the repository, and then needs no database at all', async () => {
    const ada = { id: 1, email: 'ada@x', name: 'Ada' }
    const app = await Test.createTestingModule({ imports: [SignupModule] })
      .overrideProvider(getGetOrCreateRepositoryToken(Account))
      .useValue({ getOrCreate: async () => [ada, true] })
      .compile()
    expect(await app.get(SignupService).signUp('ada@x')).toEqual([ada, true])
  })

  test('overrides the data source, and the repositories are on that one', async () => {
    const dataSource = new DataSource({ type: 'sqljs', entities: [Account], synchronize: true })
    await dataSource.initialize()
    const app = await Test.createTestingModule({ imports: [inMemory(), SignupModule] })
      .overrideProvider(getDataSourceToken())
      .useValue(dataSource)
      .compile()
    await app.get(SignupService).signUp('ada@x')
    expect(await dataSource.getRepository(Account).countBy({ email: 'ada@x' })).toBe(1)
    await app.close()
  })
})

describe('a provider without GetOrCreateModule', () => {
  test('replaces the repository that @InjectRepository gives', async () => {
    @Injectable()
    class PlainService {
      constructor(@InjectRepository(Account) readonly accounts: GetOrCreateRepository<Account>) {}
    }
    const app = await start({
      imports: [inMemory(undefined, { entities: [Account] })],
      providers: [
        PlainService,
        {
          provide: getRepositoryToken(Account),
          inject: [DataSource],
          useFactory: (dataSource: DataSource) => withGetOrCreate(dataSource.getRepository(Account)),
        },
      ],
    })
    expect((await app.get(PlainService).accounts.getOrCreate({ email: 'ada@x' }))[1]).toBe(true)
  })

  test('is injected by its class', async () => {
    /** The class to inject by; which methods it has is for the compiler alone. */
    abstract class Accounts extends Repository<Account> {
      declare readonly getOrCreate: GetOrCreateMethods['getOrCreate']
    }
    @Injectable()
    class ByClassService {
      constructor(readonly accounts: Accounts) {}
    }
    const app = await start({
      imports: [inMemory(undefined, { entities: [Account] })],
      providers: [
        ByClassService,
        {
          provide: Accounts,
          inject: [DataSource],
          useFactory: (dataSource: DataSource) => withGetOrCreate(dataSource.getRepository(Account)),
        },
      ],
    })
    const [account, created] = await app.get(ByClassService).accounts.getOrCreate({ email: 'ada@x' }, { name: 'Ada' })
    expect([account.name, created]).toEqual(['Ada', true])
  })

  test('can be a class of its own around the repository', async () => {
    @Injectable()
    class Accounts {
      private readonly repository: GetOrCreateRepository<Account>

      constructor(dataSource: DataSource) {
        this.repository = withGetOrCreate(dataSource.getRepository(Account), { uniqueness: 'require' })
      }

      signUp(email: string) {
        return this.repository.getOrCreate({ email })
      }
    }
    const app = await start({ imports: [inMemory(undefined, { entities: [Account] })], providers: [Accounts] })
    expect((await app.get(Accounts).signUp('ada@x'))[1]).toBe(true)
  })
})
