import { BaseEntity, Column, type DataSource, Entity, PrimaryGeneratedColumn, Repository } from 'typeorm'
import { GetOrCreateError, getOrCreateMixin, withGetOrCreate } from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { failureOf } from '../failures.js'

/** Active Record, with a way of its own to our methods. */
@Entity()
class Account extends BaseEntity {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  login!: string

  @Column({ length: 40, default: '' })
  name!: string

  static signUp(login: string): Promise<[account: Account, created: boolean]> {
    return withGetOrCreate(Account.getRepository<Account>()).getOrCreate({ login })
  }

  rename(name: string): Promise<this> {
    this.name = name
    return this.save()
  }
}

let db: OpenDatabase

beforeAll(async () => {
  db = await openDatabase([Account])
  Account.useDataSource(db.dataSource)
})
afterAll(() => db.close())

describe('Active Record', () => {
  test('an entity that was created can save itself', async () => {
    const [account, created] = await Account.signUp('ada')
    await account.rename('Ada')

    expect(created).toBe(true)
    expect(await Account.findOneByOrFail({ login: 'ada' })).toMatchObject({ id: account.id, name: 'Ada' })
  })

  test('an entity that was found can remove itself', async () => {
    await Account.signUp('bob')
    const [account, created] = await Account.signUp('bob')
    await account.remove()

    expect(created).toBe(false)
    expect(await Account.countBy({ login: 'bob' })).toBe(0)
  })

  test('the repository of the class goes into a transaction', async () => {
    const accounts = Account.getRepository<Account>().extend(getOrCreateMixin())
    const work = db.dataSource.transaction(async (manager) => {
      await manager.withRepository(accounts).getOrCreate({ login: 'cy' })
      throw new Error('not today')
    })

    await expect(work).rejects.toThrow('not today')
    expect(await Account.countBy({ login: 'cy' })).toBe(0)
  })
})

describe('a repository that is extended twice', () => {
  const accountsOf = () =>
    db.dataSource
      .getRepository(Account)
      .extend(getOrCreateMixin())
      .extend({
        signUp(login: string) {
          return this.getOrCreate({ login })
        },
      })
      .extend({
        async signUpAs(login: string, name: string) {
          const [{ id }, created] = await this.signUp(login)
          const [account] = await this.updateOrCreate({ id }, { name })
          return { account, created }
        },
      })

  test('has methods of its own that call ours, and each other, on `this`', async () => {
    const { account, created } = await accountsOf().signUpAs('dan', 'Dan')

    expect([account.name, created]).toEqual(['Dan', true])
  })

  test('keeps them in a transaction, which undoes what they did', async () => {
    const work = db.dataSource.transaction(async (manager) => {
      await manager.withRepository(accountsOf()).signUpAs('eve', 'Eve')
      throw new Error('not today')
    })

    await expect(work).rejects.toThrow('not today')
    expect(await Account.countBy({ login: 'eve' })).toBe(0)
  })
})

describe('a repository class of your own', () => {
  class Accounts extends Repository<Account> {
    isTaken(login: string): Promise<boolean> {
      return this.existsBy({ login })
    }
  }

  test('keeps its methods, also in a transaction', async () => {
    const accounts = withGetOrCreate(new Accounts(Account, db.dataSource.manager))
    await db.dataSource.transaction(async (manager) => {
      const bound = manager.withRepository(accounts)
      expect((await bound.getOrCreate({ login: 'own' }))[1]).toBe(true)
      expect(await bound.isTaken('own')).toBe(true)
    })
  })

  /** As injected by `@InjectRepository(Account)`. */
  class TakesRepository extends Repository<Account> {
    constructor(repository: Repository<Account>) {
      super(repository.target, repository.manager, repository.queryRunner)
    }
  }
  class TakesDataSource extends Repository<Account> {
    constructor(dataSource: DataSource) {
      super(Account, dataSource.createEntityManager())
    }
  }
  const called =
    "TypeORM's extend() and withRepository() call the constructor of a repository class with (target, manager, queryRunner)"

  test.each([
    ['a repository', () => new TakesRepository(db.dataSource.getRepository(Account)), 'TakesRepository cannot be'],
    ['a data source', () => new TakesDataSource(db.dataSource), 'TakesDataSource cannot be'],
  ])('is refused when its constructor takes %s', (_what, make, says) => {
    const repository = make()
    const extend = () => withGetOrCreate(repository)
    expect(extend).toThrow(GetOrCreateError)
    expect(extend).toThrow(says)
    expect(extend).toThrow(called)
  })

  test('is refused by the mixin at its first call when its constructor takes something else', async () => {
    const accounts = new TakesRepository(db.dataSource.getRepository(Account)).extend(getOrCreateMixin())
    const calls = [
      () => accounts.getOrCreate({ login: 'a' }),
      () => accounts.getOrCreateMany([{ login: 'a' }]),
      () => accounts.updateOrCreate({ login: 'a' }, {}),
    ]
    for (const call of calls) {
      const failure = await failureOf(call())
      expect(failure).toBeInstanceOf(GetOrCreateError)
      expect(failure.message).toContain(called)
    }
  })

  test.each([
    ['an entity class', Account, 'Account is no repository: give withGetOrCreate(dataSource.getRepository('],
    ['an object', {}, 'an empty object is no repository'],
    ['nothing', undefined, 'undefined is no repository'],
  ])('is not %s', (_what, given, says) => {
    const extend = () => withGetOrCreate(given as never)
    expect(extend).toThrow(GetOrCreateError)
    expect(extend).toThrow(says)
  })
})
