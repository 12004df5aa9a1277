import type { DataSource, EntityManager } from 'typeorm'
import { getOrCreateMixin, isTransientFailure, isUniqueViolation, type Strategy } from '../../src/index.js'
import { database, type IsolationLevel, type OpenDatabase, openDatabase } from '../databases.js'
import { beforeStatements, gate, joinDuel, observe } from '../duel.js'
import { Country, entities, Post, Tag, User } from '../entities.js'
import { failureOf } from '../failures.js'
import { openRival, type Rival } from '../rival.js'

let db: OpenDatabase
let rival: Rival

beforeEach(async () => {
  db = await openDatabase(entities)
  rival = await openRival(db)
})
afterEach(() => db.close())

const usersOf = (dataSource: DataSource) => dataSource.getRepository(User).extend(getOrCreateMixin())
const countriesOf = (dataSource: DataSource) => dataSource.getRepository(Country).extend(getOrCreateMixin())
const postsOf = (dataSource: DataSource) => dataSource.getRepository(Post).extend(getOrCreateMixin())

const strategies: Strategy[] = ['find-first', 'create-first']

describe('exactly one creator', () => {
  /** As many DataSources as can open the database. */
  async function dataSources(): Promise<DataSource[]> {
    if (!database.isSharedByProcesses) return [db.dataSource]
    const more = await Promise.all([db.connect(), db.connect()])
    return [db.dataSource, ...more.map(({ dataSource }) => dataSource)]
  }

  test.each(strategies)(
    'of sixty callers on several DataSources one creates, and all get its row (%s)',
    async (strategy) => {
      const crowd = (await dataSources()).map(usersOf)
      const calls = Array.from({ length: 60 }, (_, caller) =>
        crowd[caller % crowd.length]?.getOrCreate({ email: 'one@x' }, { name: `caller ${caller}` }, { strategy }),
      )
      const results = (await Promise.all(calls)) as [User, boolean][]
      const creators = results.filter(([, created]) => created)
      expect(creators).toHaveLength(1)
      expect(await db.dataSource.manager.find(User)).toEqual([creators[0]?.[0]])
      for (const [user] of results) expect(user).toEqual(creators[0]?.[0])
    },
  )

  test('of sixty callers over ten keys ten create', async () => {
    const crowd = (await dataSources()).map(countriesOf)
    const calls = Array.from({ length: 60 }, (_, caller) =>
      crowd[caller % crowd.length]?.getOrCreate({ code: `K${caller % 10}` }, { name: `caller ${caller}` }),
    )
    const results = (await Promise.all(calls)) as [Country, boolean][]
    expect(results.filter(([, created]) => created)).toHaveLength(10)
    expect(await db.dataSource.manager.count(Country)).toBe(10)
  })

  test('of many callers whose rows come with cascades one creates, and the others store nothing beside it', async () => {
    const posts = postsOf(db.dataSource)
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, caller) =>
        posts.getOrCreate({ slug: 'one' }, { tags: [{ label: `tag of ${caller}` }] }, { relations: { tags: true } }),
      ),
    )
    expect(results.filter(([, created]) => created)).toHaveLength(1)
    expect(await db.dataSource.manager.count(Tag)).toBe(1)
    const [winner] = results[0] as [Post, boolean]
    for (const [post] of results) expect(post).toEqual(winner)
  })
})

describe('the loser never writes', () => {
  const winner = { code: 'XX', name: 'the winner' }

  test.each(strategies)(
    'a lost race leaves the winner as it is, with the primary key in the criteria (%s)',
    async (strategy) => {
      await rival.act((manager) => manager.insert(Country, winner))
      const loser = countriesOf(db.dataSource).getOrCreate({ code: 'XX' }, { name: 'the loser' }, { strategy })
      expect(await loser).toEqual([winner, false])
      expect(await db.dataSource.manager.find(Country)).toEqual([winner])
    },
  )

  test('a winner who comes between look and insert keeps its values', async () => {
    const loser = countriesOf(db.dataSource).getOrCreate({ code: 'XX' }, async () => {
      await rival.act((manager) => manager.insert(Country, winner))
      return { name: 'the loser' }
    })
    expect(await loser).toEqual([winner, false])
    expect(await db.dataSource.manager.find(Country)).toEqual([winner])
  })

  test('a winner keeps its values also where the row would have come with cascades and a chosen id', async () => {
    const loser = postsOf(db.dataSource).getOrCreate({ id: 41 }, async () => {
      await rival.act((manager) =>
        manager
          .createQueryBuilder()
          .insert()
          // Without the list of columns, TypeORM leaves a chosen id out on some databases.
          .into(Post, ['id', 'slug', 'title'])
          .values({ id: 41, slug: 'same', title: 'the winner' })
          .execute(),
      )
      return { slug: 'same', title: 'the loser', tags: [{ label: 'of the loser' }], team: { name: 'of the loser' } }
    })
    const [post, created] = await loser
    expect([post.title, created]).toEqual(['the winner', false])
    const stored = await db.dataSource.manager.find(Post, { relations: { tags: true, team: true } })
    expect(stored).toEqual([expect.objectContaining({ id: 41, title: 'the winner', tags: [], team: null })])
    expect(await db.dataSource.manager.count(Tag)).toBe(0)
  })

  test('a lost race sends no UPDATE and no DELETE', async () => {
    const sent = await db.statements.of(() =>
      countriesOf(db.dataSource).getOrCreate({ code: 'XX' }, async () => {
        await rival.act((manager) => manager.insert(Country, winner))
        return { name: 'the loser' }
      }),
    )
    expect(sent.filter((sql) => /^(UPDATE|DELETE|REPLACE)\b|DO UPDATE|DUPLICATE KEY UPDATE/i.test(sql))).toEqual([])
  })
})

describe('the winner is found', () => {
  /** The rival's row is there for every INSERT and gone for every read after it, `times` times over. */
  function appearAndVanish(times: number): void {
    let isThere = false
    let isBusy = false
    let left = times
    // On a database with one connection the rival's own statements come along here too.
    const act = async (work: (manager: EntityManager) => Promise<unknown>) => {
      isBusy = true
      await rival.act(work)
      isThere = !isThere
      isBusy = false
    }
    beforeStatements(db.dataSource, async (sql) => {
      if (isBusy) return
      if (/^INSERT INTO .user\b/.test(sql) && !isThere && left-- > 0) {
        await act((manager) => manager.insert(User, { email: 'v@x', name: 'vanishing' }))
      } else if (/^SELECT .* FROM .user\b/.test(sql) && isThere) {
        await act((manager) => manager.delete(User, { email: 'v@x' }))
      }
    })
  }

  test('or the row is created, when the winner vanished before it could be read', async () => {
    const users = usersOf(db.dataSource)
    appearAndVanish(1)
    const [user, created] = await users.getOrCreate({ email: 'v@x' }, { name: 'stays' })
    expect([user.name, created]).toEqual(['stays', true])
    expect(await users.find()).toEqual([user])
  })

  test('or the original error comes through, when a winner vanishes in each of the rounds', async () => {
    const users = usersOf(db.dataSource)
    appearAndVanish(100)
    const call = users.getOrCreate({ email: 'v@x' }, { name: 'never' }, { attempts: 2 })
    expect(isUniqueViolation(await failureOf(call))).toBe(true)
    const inserts = db.statements.failed.filter((sql) => /^INSERT/.test(sql))
    expect(inserts).toHaveLength(2)
    expect(await users.count()).toBe(0)
  })

  test('defaults are made once, however many rounds it takes', async () => {
    const users = usersOf(db.dataSource)
    appearAndVanish(2)
    const defaults = jest.fn(() => ({ name: 'stays' }))
    await users.getOrCreate({ email: 'v@x' }, defaults, { attempts: 5 })
    expect(defaults).toHaveBeenCalledTimes(1)
  })

  test.each([{}, { relations: { team: true } }])(
    'although the query cache is always on and remembers that there was no row (%j)',
    async (options) => {
      const cached = await openDatabase(entities, { cache: { alwaysEnabled: true } })
      const other = await openRival(cached)
      const users = usersOf(cached.dataSource)
      const beaten = async () => {
        await other.act((manager) => manager.insert(User, { email: 'c@x', name: 'the winner' }))
        return { name: 'the loser' }
      }
      const [user, created] = await users.getOrCreate({ email: 'c@x' }, beaten, options)
      expect([user.name, created]).toEqual(['the winner', false])
      await other.act((manager) => manager.delete(User, { email: 'c@x' }))
      expect((await users.getOrCreate({ email: 'c@x' }, { name: 'again' }, options))[1]).toBe(true)
      await cached.close()
    },
  )

  const allLevels = database.isolationLevels.length > 0 ? database.isolationLevels : [undefined]
  const transactionAt = <T>(level: IsolationLevel | undefined, work: (manager: EntityManager) => Promise<T>) =>
    level ? db.dataSource.transaction(level, work) : db.dataSource.transaction(work)

  test.each(allLevels)('by the first statement of a transaction, create-first, at every level (%s)', async (level) => {
    await rival.act((other) => other.insert(User, { email: 'f@x', name: 'the winner' }))
    const [user, created] = await transactionAt(level, (manager) =>
      manager
        .withRepository(usersOf(db.dataSource))
        .getOrCreate({ email: 'f@x' }, { name: 'the loser' }, { strategy: 'create-first' }),
    )
    expect([user.name, created]).toEqual(['the winner', false])
  })

  const levels = allLevels.filter((level) => !level || !database.lostRaceAborts[level])
  test.each(levels)('in a transaction whose snapshot is older than the winner (%s)', async (level) => {
    const [user, created] = await transactionAt(level, (manager) =>
      manager.withRepository(usersOf(db.dataSource)).getOrCreate({ email: 's@x' }, async () => {
        await rival.act((other) => other.insert(User, { email: 's@x', name: 'the winner' }))
        return { name: 'the loser' }
      }),
    )
    expect([user.name, created]).toEqual(['the winner', false])
  })
})

if (database.locks) {
  describe('deadlocks', () => {
    test.each(strategies)(
      'twenty callers outside a transaction, waiting for a winner who rolls back, end with one creator (%s)',
      async (strategy) => {
        const observer = await observe(db)
        const winner = await joinDuel(db)
        const losers = usersOf((await db.connect({ poolSize: 20 })).dataSource)
        const undo = winner.dataSource.createQueryRunner()
        await undo.startTransaction()
        await undo.manager.insert(User, { email: 'd@x', name: 'rolled back' })
        const calls = Array.from({ length: 20 }, (_, caller) =>
          losers.getOrCreate({ email: 'd@x' }, { name: `caller ${caller}` }, { strategy }),
        )
        await observer.untilWaiting(20)
        await undo.rollbackTransaction()
        await undo.release()
        const results = await Promise.all(calls)
        expect(results.filter(([, created]) => created)).toHaveLength(1)
        expect(await losers.find()).toEqual([results[0]?.[0]])
      },
    )

    test('two transactions that create the same two rows in opposite order: one commits both, one is told', async () => {
      const users = usersOf((await db.connect({ poolSize: 2 })).dataSource)
      const firstRows = gate()
      let arrived = 0
      const createBoth = (name: string, emails: [string, string]) =>
        users.manager.transaction(async (manager) => {
          const bound = manager.withRepository(users)
          await bound.getOrCreate({ email: emails[0] }, { name }, { strategy: 'create-first' })
          if (++arrived === 2) firstRows.open()
          await firstRows.opened
          await bound.getOrCreate({ email: emails[1] }, { name }, { strategy: 'create-first' })
        })
      const outcomes = await Promise.allSettled([createBoth('one', ['a@x', 'b@x']), createBoth('two', ['b@x', 'a@x'])])
      const failures = outcomes.filter((outcome) => outcome.status === 'rejected')
      expect(failures).toHaveLength(1)
      expect(isTransientFailure(failures[0]?.reason)).toBe(true)
      const survivor = outcomes[0].status === 'fulfilled' ? 'one' : 'two'
      expect((await users.find()).map(({ name }) => name)).toEqual([survivor, survivor])
    })
  })
}
