import { Module } from '@nestjs/common'
import { getDataSourceToken, getRepositoryToken, TypeOrmModule } from '@nestjs/typeorm'
import {
  Column,
  type DataSource,
  Entity,
  EntitySchema,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Repository,
  Tree,
  TreeChildren,
  TreeParent,
  TreeRepository,
} from 'typeorm'
import { type GetOrCreateRepository, NotUniqueCriteriaError } from '../../src/index.js'
import { GetOrCreateModule, getGetOrCreateRepositoryToken } from '../../src/nestjs.js'
import { failureOf } from '../failures.js'
import { Account, inMemory, SignupService, start } from './accounts.js'

const accountsToken = getGetOrCreateRepositoryToken(Account)

describe('a feature', () => {
  test('injects the repository of its entity, with nothing else to import', async () => {
    const app = await start({
      imports: [inMemory(), GetOrCreateModule.forFeature([Account])],
      providers: [SignupService],
    })
    const signups = app.get(SignupService)
    const [account, created] = await signups.signUp('ada@x')
    expect([account, created]).toEqual([{ id: 1, email: 'ada@x', name: 'nobody' }, true])
    expect(await signups.signUp('ada@x')).toEqual([account, false])
  })

  test('gives a repository that goes into a transaction with its methods', async () => {
    const app = await start({ imports: [inMemory(), GetOrCreateModule.forFeature([Account])] })
    const accounts = app.get<GetOrCreateRepository<Account>>(accountsToken)
    await accounts.manager.transaction(async (manager) => {
      const [, created] = await manager.withRepository(accounts).getOrCreate({ email: 'ada@x' })
      expect(created).toBe(true)
    })
    expect(await accounts.countBy({ email: 'ada@x' })).toBe(1)
  })

  test('stands beside TypeOrmModule.forFeature for the same entity', async () => {
    const app = await start({
      imports: [inMemory(), TypeOrmModule.forFeature([Account]), GetOrCreateModule.forFeature([Account])],
      providers: [SignupService],
    })
    await app.get(SignupService).signUp('ada@x')
    const plain = app.get<Repository<Account>>(getRepositoryToken(Account))
    expect(plain).not.toHaveProperty('getOrCreate')
    expect(await plain.countBy({ email: 'ada@x' })).toBe(1)
  })

  test('can be handed on by the module that imports it', async () => {
    @Module({ imports: [GetOrCreateModule.forFeature([Account])], exports: [GetOrCreateModule] })
    class StorageModule {}
    const app = await start({ imports: [inMemory(), StorageModule], providers: [SignupService] })
    expect((await app.get(SignupService).signUp('ada@x'))[1]).toBe(true)
  })

  test('takes entity schemas', async () => {
    const Country = new EntitySchema<{ code: string }>({
      name: 'Country',
      columns: { code: { type: String, primary: true } },
    })
    const app = await start({ imports: [inMemory(), GetOrCreateModule.forFeature([Country])] })
    const countries = app.get<GetOrCreateRepository<{ code: string }>>(getGetOrCreateRepositoryToken(Country))
    expect(await countries.getOrCreate({ code: 'FR' })).toEqual([{ code: 'FR' }, true])
  })

  test('gives the tree repository of a tree entity, as TypeOrmModule does', async () => {
    @Entity()
    @Tree('materialized-path')
    class Folder {
      @PrimaryGeneratedColumn()
      id!: number

      @Column({ unique: true })
      name!: string

      @TreeParent()
      parent!: Folder | null

      @TreeChildren()
      children!: Folder[]
    }
    const app = await start({ imports: [inMemory(), GetOrCreateModule.forFeature([Folder])] })
    const folders = app.get<TreeRepository<Folder> & GetOrCreateRepository<Folder>>(
      getGetOrCreateRepositoryToken(Folder),
    )
    const [root] = await folders.getOrCreate({ name: 'root' })
    await folders.getOrCreate({ name: 'child' }, { parent: root })
    expect(folders).toBeInstanceOf(TreeRepository)
    expect(await folders.findTrees()).toEqual([
      { id: root.id, name: 'root', children: [{ id: expect.any(Number), name: 'child', children: [] }] },
    ])
  })

  test('waits for an application that initializes its data source itself', async () => {
    const manually = inMemory(undefined, { manualInitialization: true })
    const app = await start({ imports: [manually, GetOrCreateModule.forFeature([Account])] })
    await app.get<DataSource>(getDataSourceToken()).initialize()
    const accounts = app.get<GetOrCreateRepository<Account>>(accountsToken)
    expect((await accounts.getOrCreate({ email: 'ada@x' }))[1]).toBe(true)
  })
})

describe('several data sources', () => {
  const audit = { name: 'audit' } as never

  test('each have a repository of the same entity', async () => {
    const app = await start({
      imports: [
        inMemory(),
        inMemory('audit'),
        GetOrCreateModule.forFeature([Account]),
        GetOrCreateModule.forFeature([Account], 'audit'),
      ],
    })
    const here = app.get<GetOrCreateRepository<Account>>(accountsToken)
    const there = app.get<GetOrCreateRepository<Account>>(getGetOrCreateRepositoryToken(Account, 'audit'))
    expect((await here.getOrCreate({ email: 'ada@x' }))[1]).toBe(true)
    expect((await there.getOrCreate({ email: 'ada@x' }))[1]).toBe(true)
    expect(there.manager).toBe(app.get<DataSource>(getDataSourceToken('audit')).manager)
  })

  test('are named by a string or by their options', async () => {
    const app = await start({ imports: [inMemory('audit'), GetOrCreateModule.forFeature([Account], audit)] })
    const byName = getGetOrCreateRepositoryToken(Account, 'audit')
    expect(getGetOrCreateRepositoryToken(Account, audit)).toBe(byName)
    expect((await app.get<GetOrCreateRepository<Account>>(byName).getOrCreate({ email: 'ada@x' }))[1]).toBe(true)
  })

  test('do not share a token, and neither do entities or kinds of repository', () => {
    const tokens = [
      accountsToken,
      getGetOrCreateRepositoryToken(Account, 'audit'),
      getGetOrCreateRepositoryToken(class Team {}),
      getRepositoryToken(Account),
    ]
    expect(new Set(tokens).size).toBe(tokens.length)
    expect(getGetOrCreateRepositoryToken(Account, 'default')).toBe(accountsToken)
  })
})

/** Nest 10 knows only the second way of telling dynamic modules apart. */
describe.each(['reference', 'deep-hash'] as const)(
  'where Nest tells modules apart by %s',
  (moduleIdGeneratorAlgorithm) => {
    test('each feature has its own options', async () => {
      @Module({
        imports: [GetOrCreateModule.forFeature([Account], undefined, { uniqueness: 'require' })],
        providers: [SignupService],
      })
      class StrictModule {}
      @Module({
        imports: [GetOrCreateModule.forFeature([Account], undefined, { uniqueness: 'ignore' })],
        providers: [SignupService],
      })
      class LenientModule {}
      const app = await start({ imports: [inMemory(), StrictModule, LenientModule] }, { moduleIdGeneratorAlgorithm })
      const accountsOf = (module: new () => object) => app.select(module).get(SignupService, { strict: true }).accounts

      const refusal = await failureOf(accountsOf(StrictModule).getOrCreate({ name: 'Ada' }, { email: 'ada@x' }))
      expect(refusal).toBeInstanceOf(NotUniqueCriteriaError)
      expect((await accountsOf(LenientModule).getOrCreate({ name: 'Ada' }, { email: 'ada@x' }))[1]).toBe(true)
    })

    test('entities of one name in two modules stay two', async () => {
      const [first, second] = [entityNamedAccount('first_account'), entityNamedAccount('second_account')]
      @Module({ imports: [GetOrCreateModule.forFeature([first])] })
      class FirstModule {}
      @Module({ imports: [GetOrCreateModule.forFeature([second])] })
      class SecondModule {}
      const app = await start({ imports: [inMemory(), FirstModule, SecondModule] }, { moduleIdGeneratorAlgorithm })
      const repositories = app.get<Repository<object>>(accountsToken, { strict: false, each: true })
      expect(repositories.map(({ target }) => target)).toEqual([first, second])
    })
  },
)

function entityNamedAccount(table: string) {
  @Entity(table)
  class Account {
    @PrimaryColumn()
    email!: string
  }
  return Account
}
