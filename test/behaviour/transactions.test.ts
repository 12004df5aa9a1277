import type { EntityManager } from 'typeorm'
import { type GetOrCreateRepository, getOrCreateMixin, isUniqueViolation } from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { entities, Post, Tag, Team, User } from '../entities.js'
import { failureOf } from '../failures.js'
import { openRival, type Rival } from '../rival.js'

let db: OpenDatabase
let rival: Rival
let users: GetOrCreateRepository<User>
let posts: GetOrCreateRepository<Post>

beforeEach(async () => {
  db = await openDatabase(entities)
  rival = await openRival(db)
  users = db.dataSource.getRepository(User).extend(getOrCreateMixin())
  posts = db.dataSource.getRepository(Post).extend(getOrCreateMixin())
})
afterEach(() => db.close())

const inTransaction = <T>(work: (manager: EntityManager) => Promise<T>) => db.dataSource.transaction(work)

/** Loses the race for an e-mail address inside the given transaction. */
const loseRace = (manager: EntityManager, email: string) =>
  manager.withRepository(users).getOrCreate({ email }, async () => {
    await rival.act((other) => other.insert(User, { email, name: 'the winner' }))
    return { name: 'the loser' }
  })

/** Fails, because somebody else has the handle. */
const collideOnHandle = (manager: EntityManager, email: string) =>
  manager.withRepository(users).getOrCreate({ email }, { name: 'second', handle: 'taken' })

const takeHandle = () => users.insert({ email: 'first@x', name: 'first', handle: 'taken' })

/** Other code that writes on the same manager, one statement after the other. */
async function writeTeams(manager: EntityManager, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await manager.insert(Team, { name: `neighbour ${index}` })
}

const namesOfTeams = async () =>
  (await db.dataSource.manager.find(Team, { order: { id: 'ASC' } })).map(({ name }) => name)

describe('your transaction survives', () => {
  test('a lost race: what was written before and after it is stored', async () => {
    const [user, created] = await inTransaction(async (manager) => {
      await manager.insert(Team, { name: 'before' })
      const result = await loseRace(manager, 'a@x')
      await manager.insert(Team, { name: 'after' })
      return result
    })
    expect([user.name, created]).toEqual(['the winner', false])
    expect(await namesOfTeams()).toEqual(['before', 'after'])
  })

  test('a conflict on another unique key: what was written before and after it is stored', async () => {
    await takeHandle()
    await inTransaction(async (manager) => {
      await manager.insert(Team, { name: 'before' })
      expect(isUniqueViolation(await failureOf(collideOnHandle(manager, 'b@x')))).toBe(true)
      await manager.insert(Team, { name: 'after' })
    })
    expect(await namesOfTeams()).toEqual(['before', 'after'])
    expect(await users.countBy({ email: 'b@x' })).toBe(0)
  })

  test('a hundred conflicts on another unique key', async () => {
    await takeHandle()
    await inTransaction(async (manager) => {
      for (let index = 0; index < 100; index++) await failureOf(collideOnHandle(manager, 'b@x'))
      await manager.insert(Team, { name: 'after' })
    })
    expect(await namesOfTeams()).toEqual(['after'])
  })

  test('a lost race and a conflict inside a nested transaction', async () => {
    await takeHandle()
    await inTransaction(async (manager) => {
      await manager.transaction(async (nested) => {
        await loseRace(nested, 'a@x')
        await failureOf(collideOnHandle(nested, 'b@x'))
        await nested.insert(Team, { name: 'nested' })
      })
      await manager.insert(Team, { name: 'outer' })
    })
    expect(await namesOfTeams()).toEqual(['nested', 'outer'])
  })

  test('a missing value, when a nested transaction protects it', async () => {
    await inTransaction(async (manager) => {
      await manager.insert(Team, { name: 'before' })
      const nested = manager.transaction((inner) => inner.withRepository(users).getOrCreate({ email: 'a@x' }))
      await failureOf(nested)
      await manager.insert(Team, { name: 'after' })
    })
    expect(await namesOfTeams()).toEqual(['before', 'after'])
    expect(await users.count()).toBe(0)
  })

  test('a failed creation with cascades, of which nothing stays', async () => {
    await db.dataSource.manager.insert(Tag, { label: 'taken' })
    await inTransaction(async (manager) => {
      await manager.insert(Team, { name: 'before' })
      const call = manager
        .withRepository(posts)
        .getOrCreate({ slug: 'a' }, { team: { name: 'cascaded' }, tags: [{ label: 'taken' }] })
      expect(isUniqueViolation(await failureOf(call))).toBe(true)
      await manager.insert(Team, { name: 'after' })
    })
    expect(await namesOfTeams()).toEqual(['before', 'after'])
    expect(await posts.count()).toBe(0)
  })
})

describe('nobody is undone', () => {
  const neighbours = Array.from({ length: 20 }, (_, index) => `neighbour ${index}`)

  test('a neighbour who writes on the same manager keeps its rows when a race is lost', async () => {
    const emails = ['a@x', 'b@x', 'c@x']
    const rows = emails.map((email) => ({ email, name: 'the winner' }))
    // All at once: on InnoDB a loser locks the gap before its key, where a winner of a lower key would have to wait.
    let winners: Promise<unknown> | undefined
    const defaults = async () => {
      winners ??= rival.act((other) => other.insert(User, rows))
      await winners
      return { name: 'the loser' }
    }
    const [, ...results] = await inTransaction((manager) => {
      const calls = emails.map((email) => manager.withRepository(users).getOrCreate({ email }, defaults))
      return Promise.all([writeTeams(manager, neighbours.length), ...calls])
    })
    expect(results.map(([user, created]) => [user.name, created])).toEqual(emails.map(() => ['the winner', false]))
    expect(await namesOfTeams()).toEqual(neighbours)
  })

  test('a neighbour who writes on the same manager keeps its rows when another unique key conflicts', async () => {
    await takeHandle()
    await inTransaction(async (manager) => {
      const emails = ['b@x', 'c@x', 'd@x', 'e@x']
      const collisions = emails.map((email) => failureOf(collideOnHandle(manager, email)))
      await Promise.all([writeTeams(manager, neighbours.length), ...collisions])
      for (const failure of await Promise.all(collisions)) expect(isUniqueViolation(failure)).toBe(true)
    })
    expect(await namesOfTeams()).toEqual(neighbours)
  })

  test('a neighbour who saves, in the way TypeORM does, keeps its rows when another unique key conflicts', async () => {
    await takeHandle()
    await inTransaction(async (manager) => {
      const save = manager.save(neighbours.map((name) => manager.create(Team, { name })))
      await Promise.all([save, ...['b@x', 'c@x'].map((email) => failureOf(collideOnHandle(manager, email)))])
    })
    expect((await namesOfTeams()).sort()).toEqual([...neighbours].sort())
  })

  test('many calls at once in one transaction, one of which fails: all others are stored', async () => {
    await takeHandle()
    const outcomes = await inTransaction((manager) => {
      const bound = manager.withRepository(users)
      const calls = Array.from({ length: 20 }, (_, index) => bound.getOrCreate({ email: `${index}@x` }, { name: 'n' }))
      return Promise.allSettled([...calls.slice(0, 10), collideOnHandle(manager, 'b@x'), ...calls.slice(10)])
    })
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array(10).fill('fulfilled'),
      'rejected',
      ...Array(10).fill('fulfilled'),
    ])
    expect(await users.countBy({ name: 'n' })).toBe(20)
  })

  test('many calls at once in one transaction, some with cascades that fail: all others are stored', async () => {
    await db.dataSource.manager.insert(Tag, { label: 'taken' })
    await inTransaction((manager) => {
      const bound = manager.withRepository(posts)
      return Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          bound.getOrCreate({ slug: `${index}` }, { tags: [{ label: index % 2 ? 'taken' : `tag ${index}` }] }),
        ),
      )
    })
    const stored = await posts.find({ relations: { tags: true }, order: { id: 'ASC' } })
    const even = Array.from({ length: 10 }, (_, index) => index * 2)
    expect(stored.map(({ slug, tags }) => [slug, tags.map(({ label }) => label)])).toEqual(
      even.map((index) => [`${index}`, [`tag ${index}`]]),
    )
  })

  test('many calls at once for one key in one transaction: one creates, all get its row', async () => {
    const results = await inTransaction((manager) => {
      const bound = manager.withRepository(users)
      return Promise.all(
        Array.from({ length: 20 }, (_, index) => bound.getOrCreate({ email: 'one@x' }, { name: `caller ${index}` })),
      )
    })
    expect(results.filter(([, created]) => created)).toHaveLength(1)
    expect(new Set(results.map(([user]) => user.id)).size).toBe(1)
    expect(await users.count()).toBe(1)
  })
})

describe('savepoints', () => {
  const savepointSql = (sent: string[]) => sent.filter((sql) => /SAVEPOINT/i.test(sql))

  test('none is set for a hit, a miss or a lost race', async () => {
    const sent = await db.statements.of(() =>
      inTransaction(async (manager) => {
        await manager.withRepository(users).getOrCreate({ email: 'a@x' }, { name: 'a' })
        await manager.withRepository(users).getOrCreate({ email: 'a@x' }, { name: 'a' })
        await loseRace(manager, 'b@x')
      }),
    )
    expect(savepointSql(sent)).toEqual([])
  })

  test('one that a conflict needed is released, so that none piles up until the commit', async () => {
    await takeHandle()
    const sent = await db.statements.of(() =>
      inTransaction(async (manager) => {
        for (let index = 0; index < 5; index++) await failureOf(collideOnHandle(manager, 'b@x'))
      }),
    )
    const set = savepointSql(sent).filter((sql) => /^SAVEPOINT/i.test(sql))
    const released = savepointSql(sent).filter((sql) => /^RELEASE/i.test(sql))
    expect(released).toHaveLength(set.length)
  })

  test('outside a transaction neither a transaction nor a savepoint is opened', async () => {
    await takeHandle()
    const sent = await db.statements.of(async () => {
      await users.getOrCreate({ email: 'a@x' }, { name: 'a' })
      await failureOf(collideOnHandle(db.dataSource.manager, 'b@x'))
    })
    expect(sent.filter((sql) => /SAVEPOINT|TRANSACTION|^BEGIN|^COMMIT|^ROLLBACK/i.test(sql))).toEqual([])
  })
})

test('what was created in your transaction goes with its rollback', async () => {
  const rollback = new Error('changed my mind')
  const call = inTransaction(async (manager) => {
    const [, created] = await manager.withRepository(users).getOrCreate({ email: 'a@x' }, { name: 'a' })
    expect(created).toBe(true)
    throw rollback
  })
  expect(await failureOf(call)).toBe(rollback)
  expect(await users.count()).toBe(0)
  expect((await users.getOrCreate({ email: 'a@x' }, { name: 'a' }))[1]).toBe(true)
})
