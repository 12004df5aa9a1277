import type { DataSource, DataSourceOptions, ReplicationMode } from 'typeorm'
import { type GetOrCreateRepository, getOrCreateMixin } from '../../src/index.js'
import { database, type OpenDatabase, openDatabase, type Statements } from '../databases.js'
import { joinDuel, observe } from '../duel.js'
import { entities, Post, Team, User } from '../entities.js'
import { failureOf } from '../failures.js'
import { openRival } from '../rival.js'

const usersOf = (dataSource: DataSource) => dataSource.getRepository(User).extend(getOrCreateMixin())

const numbered = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index))

describe('a pool of one', () => {
  let db: OpenDatabase
  let users: GetOrCreateRepository<User>

  beforeEach(async () => {
    db = await openDatabase(entities, { poolSize: 1 })
    users = usersOf(db.dataSource)
  })
  afterEach(() => db.close())

  test('is enough for twenty calls at once, for one key and for many', async () => {
    const results = await Promise.all([
      ...numbered(20, () => users.getOrCreate({ email: 'one@x' }, { name: 'n' })),
      ...numbered(20, (index) => users.getOrCreate({ email: `${index}@x` }, async () => ({ name: 'n' }))),
    ])
    expect(results.filter(([, created]) => created)).toHaveLength(21)
    expect(await users.count()).toBe(21)
  })

  test('is kept from the look to the insert, so that who waits for it finds the row', async () => {
    const call = () => users.getOrCreate({ email: 'one@x' }, { name: 'n' })
    const sent = await db.statements.of(() => Promise.all(numbered(20, call)))
    expect(sent.filter((sql) => sql.startsWith('INSERT'))).toHaveLength(1)
  })

  test('is enough for twenty calls at once inside one transaction', async () => {
    const results = await db.dataSource.transaction((manager) => {
      const bound = manager.withRepository(users)
      return Promise.all(numbered(20, (index) => bound.getOrCreate({ email: `${index % 10}@x` }, { name: 'n' })))
    })
    expect(results.filter(([, created]) => created)).toHaveLength(10)
  })

  test('is enough for twenty calls at once that store cascades', async () => {
    const posts = db.dataSource.getRepository(Post).extend(getOrCreateMixin())
    const slugs = numbered(20, (index) => `${index % 10}`)
    const results = await Promise.all(slugs.map((slug) => posts.getOrCreate({ slug }, { tags: [{ label: slug }] })))
    expect(results.filter(([, created]) => created)).toHaveLength(10)
  })

  test('is free while defaults are made, also in a lost race', async () => {
    const rival = await openRival(db)
    const [user, created] = await users.getOrCreate({ email: 'a@x' }, async () => {
      await rival.act((manager) => manager.insert(User, { email: 'a@x', name: 'the winner' }))
      const name = `${await users.count()} rows`
      await db.dataSource.transaction((manager) => manager.insert(Team, { name }))
      return { name }
    })
    expect([user.name, created]).toEqual(['the winner', false])
    expect(await db.dataSource.manager.find(Team)).toEqual([expect.objectContaining({ name: '1 rows' })])
  })

  test('is free while defaults of another call are made that is itself made in defaults', async () => {
    const [user] = await users.getOrCreate({ email: 'outer@x' }, async () => {
      const [inner] = await users.getOrCreate({ email: 'inner@x' }, async () => ({ name: `${await users.count()}` }))
      return { name: `after ${inner.email}` }
    })
    expect(user.name).toBe('after inner@x')
  })

  test('is given back by calls that fail', async () => {
    await users.insert({ email: 'first@x', name: 'first', handle: 'taken' })
    const fail = () => failureOf(users.getOrCreate({ email: 'b@x' }, { name: 'second', handle: 'taken' }))
    const thrown = new Error('no defaults today')
    const throwing = () => {
      throw thrown
    }
    await Promise.all(numbered(10, fail))
    await failureOf(users.getOrCreate({ email: 'b@x' }, {}))
    expect(await failureOf(users.getOrCreate({ email: 'b@x' }, throwing))).toBe(thrown)
    expect((await users.getOrCreate({ email: 'b@x' }, { name: 'b' }))[1]).toBe(true)
  })
})

if (database.hasConnections) {
  describe('a replica that is behind', () => {
    let primary: OpenDatabase
    let replica: OpenDatabase
    let replicated: { dataSource: DataSource; statements: Statements }

    const urlOf = ({ options }: OpenDatabase) => (options as unknown as { url: string }).url
    const names = async ({ dataSource }: OpenDatabase) => (await dataSource.manager.find(User)).map(({ name }) => name)

    function connect(defaultMode?: ReplicationMode) {
      const replication = { master: { url: urlOf(primary) }, slaves: [{ url: urlOf(replica) }], defaultMode }
      return primary.connect({ url: undefined, replication } as unknown as Partial<DataSourceOptions>)
    }

    beforeEach(async () => {
      ;[primary, replica] = await Promise.all([openDatabase(entities), openDatabase(entities)])
      replicated = await connect()
    })
    afterEach(() => Promise.all([primary.close(), replica.close()]))

    test('hides the winner from the first read, and the winner is found on the primary', async () => {
      await primary.dataSource.manager.insert(User, { email: 'a@x', name: 'the winner' })
      const call = usersOf(replicated.dataSource).getOrCreate({ email: 'a@x' }, { name: 'the loser' })
      const [user, created] = await call
      expect([user.name, created]).toEqual(['the winner', false])
      expect(await names(primary)).toEqual(['the winner'])
    })

    test('does not keep a created entity from being complete', async () => {
      const [user, created] = await usersOf(replicated.dataSource).getOrCreate({ email: 'a@x' }, { name: 'a' })
      expect(created).toBe(true)
      expect(user).toEqual(await primary.dataSource.manager.findOneBy(User, { email: 'a@x' }))
      expect(await names(replica)).toEqual([])
    })

    test('takes the first read, as in TypeORM, and by readFrom: replica', async () => {
      await replica.dataSource.manager.insert(User, { email: 'a@x', name: 'on the replica' })
      const users = usersOf(replicated.dataSource)
      expect((await users.getOrCreate({ email: 'a@x' }))[0].name).toBe('on the replica')
      const chosen = await users.getOrCreate({ email: 'a@x' }, {}, { readFrom: 'replica' })
      expect(chosen[0].name).toBe('on the replica')
      expect(await names(primary)).toEqual([])
    })

    test('is not asked by readFrom: primary', async () => {
      await primary.dataSource.manager.insert(User, { email: 'a@x', name: 'on the primary' })
      const users = usersOf(replicated.dataSource)
      const sent = await replicated.statements.of(() =>
        users.getOrCreate({ email: 'a@x' }, {}, { readFrom: 'primary' }),
      )
      expect(sent).toHaveLength(1)
    })

    test('is not asked where the data source reads from the primary, unless readFrom says so', async () => {
      await primary.dataSource.manager.insert(User, { email: 'a@x', name: 'on the primary' })
      await replica.dataSource.manager.insert(User, { email: 'a@x', name: 'on the replica' })
      const users = usersOf((await connect('master')).dataSource)
      expect((await users.getOrCreate({ email: 'a@x' }))[0].name).toBe('on the primary')
      const chosen = await users.getOrCreate({ email: 'a@x' }, {}, { readFrom: 'replica' })
      expect(chosen[0].name).toBe('on the replica')
    })

    test('is not asked inside a transaction', async () => {
      await replica.dataSource.manager.insert(User, { email: 'a@x', name: 'on the replica' })
      const users = usersOf(replicated.dataSource)
      const [user, created] = await replicated.dataSource.transaction((manager) =>
        manager.withRepository(users).getOrCreate({ email: 'a@x' }, { name: 'a' }, { readFrom: 'replica' }),
      )
      expect([user.name, created]).toEqual(['a', true])
    })
  })
}

if (database.locks) {
  describe('a connection that is killed while a call waits', () => {
    test.each(['outside a transaction', 'in a transaction'])(
      'fails the call with the error of the driver, and calls work again when the driver has noticed (%s)',
      async (where) => {
        const db = await openDatabase(entities)
        const [observer, victim, holder] = await Promise.all([observe(db), joinDuel(db), joinDuel(db)])
        const transaction = holder.dataSource.createQueryRunner()
        await transaction.startTransaction()
        await transaction.manager.insert(User, { email: 'k@x', name: 'uncommitted' })
        const create = (users: typeof victim.users) => users.getOrCreate({ email: 'k@x' }, { name: 'victim' })
        const failure = failureOf(
          where === 'in a transaction'
            ? victim.dataSource.transaction((manager) => create(manager.withRepository(victim.users)))
            : create(victim.users),
        )
        await observer.untilWaiting(1)
        await observer.kill(victim)
        const error = await failure
        expect(error).toMatchObject({ name: 'QueryFailedError', driverError: expect.any(Error) })
        expect((error as unknown as { query: string }).query).toMatch(/^INSERT/)
        await transaction.rollbackTransaction()
        await transaction.release()
        // The server's goodbye can arrive before the end of its connection: by the next statement the driver has noticed.
        await Promise.allSettled([victim.dataSource.query('SELECT 1')])
        const again = await Promise.all(numbered(5, () => create(victim.users)))
        expect(again.filter(([, created]) => created)).toHaveLength(1)
        expect(await victim.users.count()).toBe(1)
        await db.close()
      },
    )
  })
}
