import {
  Column,
  type DataSource,
  Entity,
  type EntityManager,
  type EntitySubscriberInterface,
  EventSubscriber,
  IsNull,
  Not,
  PrimaryGeneratedColumn,
} from 'typeorm'
import {
  type GetOrCreateInTransactionOptions,
  type GetOrCreateRepository,
  isTransientFailure,
  isUniqueViolation,
  withGetOrCreate,
} from '../../src/index.js'
import { database, type IsolationLevel, type OpenDatabase, openDatabase } from '../databases.js'
import { dieInDeadlock, prepareDeadlocks } from '../deadlock.js'
import { type Duellist, joinDuel, type Observer, observe, stopBefore } from '../duel.js'
import { entities, Post, Tag, Team, User } from '../entities.js'
import { failureOf } from '../failures.js'
import { openRival, type Rival } from '../rival.js'

/** What `work` leaves behind. */
@Entity()
class Message {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ length: 100 })
  text!: string
}

/** What happens between the beginning of the transaction and the insert, inside of it; a test sets it, for once. */
let beforeInsert: ((manager: EntityManager) => Promise<unknown>) | undefined

@EventSubscriber()
class Meanwhile implements EntitySubscriberInterface {
  async beforeInsert({ manager }: { manager: EntityManager }) {
    const once = beforeInsert
    beforeInsert = undefined
    await once?.(manager)
  }
}

type Work = NonNullable<GetOrCreateInTransactionOptions<User>['work']>

let db: OpenDatabase
let rival: Rival
let users: GetOrCreateRepository<User>
let posts: GetOrCreateRepository<Post>

const usersOf = (dataSource: DataSource) => withGetOrCreate(dataSource.getRepository(User))

beforeAll(async () => {
  db = await openDatabase([...entities, Message], { subscribers: [Meanwhile] })
  rival = await openRival(db)
  users = usersOf(db.dataSource)
  posts = withGetOrCreate(db.dataSource.getRepository(Post))
})
beforeEach(async () => {
  beforeInsert = undefined
  for (const entity of [Message, Post, Tag, User, Team])
    await db.dataSource.manager.createQueryBuilder().delete().from(entity).execute()
})
afterAll(() => db.close())

const numbered = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index))

const send = (manager: EntityManager, text: string) => manager.insert(Message, { text })

const sendWelcome: Work = async ([user, created], manager) => {
  if (created) await send(manager, `welcome ${user.email}`)
}

const messages = async () =>
  (await db.dataSource.manager.find(Message, { order: { id: 'ASC' } })).map(({ text }) => text)

async function expectNothingStored() {
  expect(await users.count()).toBe(0)
  expect(await messages()).toEqual([])
}

const control = /^(BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)/i
const controlOf = (sent: string[]) =>
  sent.filter((sql) => control.test(sql)).map((sql) => sql.split(/\s/, 1)[0] as string)

describe('what commits together', () => {
  test('the row and the work of its creation', async () => {
    const [user, created] = await users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work: sendWelcome })
    expect(created).toBe(true)
    expect(await users.findOneBy({ email: 'a@x' })).toEqual(user)
    expect(await messages()).toEqual(['welcome a@x'])
  })

  test('the work on a row that was found, which is told that it was', async () => {
    const { id } = await users.save({ email: 'a@x', name: 'A' })
    const [user, created] = await users.getOrCreateInTransaction(
      { email: 'a@x' },
      { name: 'B' },
      { work: ([found, isNew], manager) => send(manager, `${found.id} ${found.name} ${isNew}`) },
    )
    expect([user.id, user.name, created]).toEqual([id, 'A', false])
    expect(await messages()).toEqual([`${id} A false`])
  })

  test('the work sees the row that is not committed yet, and the others do not', async () => {
    let inside: User | null = null
    let outside = -1
    await users.getOrCreateInTransaction(
      { email: 'a@x' },
      { name: 'A' },
      {
        work: async (_result, manager) => {
          inside = await manager.findOneBy(User, { email: 'a@x' })
          if (database.hasConnections) outside = await rival.act((other) => other.countBy(User, { name: 'A' }))
        },
      },
    )
    expect(inside).toMatchObject({ email: 'a@x', name: 'A' })
    expect(outside).toBe(database.hasConnections ? 0 : -1)
  })

  test('cascades of the defaults', async () => {
    await posts.getOrCreateInTransaction(
      { slug: 'a' },
      { team: { name: 'T' }, tags: [{ label: 'x' }] },
      { work: (_result, manager) => send(manager, 'posted') },
    )
    expect(await posts.findOne({ where: { slug: 'a' }, relations: { team: true, tags: true } })).toMatchObject({
      team: { name: 'T' },
      tags: [{ label: 'x' }],
    })
    expect(await messages()).toEqual(['posted'])
  })

  test('relations are loaded for the work and for the caller', async () => {
    const team = await db.dataSource.manager.save(Team, { name: 'T' })
    let seen: Team | null | undefined
    const [user] = await users.getOrCreateInTransaction(
      { email: 'a@x' },
      { name: 'A', team },
      {
        relations: { team: true },
        work: ([{ team: loaded }]) => {
          seen = loaded
        },
      },
    )
    expect([seen?.name, user.team?.name]).toEqual(['T', 'T'])
  })

  test('the work may be a function that returns nothing and waits for nothing', async () => {
    const seen: boolean[] = []
    await users.getOrCreateInTransaction(
      { email: 'a@x' },
      { name: 'A' },
      { work: ([, created]) => void seen.push(created) },
    )
    expect(seen).toEqual([true])
  })
})

describe('what is sent', () => {
  test('a hit without work is one statement, and no transaction', async () => {
    await users.insert({ email: 'a@x', name: 'A' })
    const sent = await db.statements.of(() => users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'B' }))
    expect(sent).toHaveLength(1)
    expect(sent[0]).toMatch(/^SELECT/)
  })

  test.each(['a hit with work', 'a miss with work', 'a miss without'])('%s is one transaction', async (what) => {
    if (what.includes('hit')) await users.insert({ email: 'a@x', name: 'A' })
    const options = what.includes('without') ? {} : { work: sendWelcome }
    const sent = await db.statements.of(() => users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'B' }, options))
    expect(controlOf(sent)).toEqual([expect.stringMatching(/BEGIN|START/), 'COMMIT'])
    expect(sent[0]).toMatch(/^SELECT/)
    expect(sent.at(-1)).toBe('COMMIT')
  })
})

/** Every database has at least its default and SERIALIZABLE. */
const levels = [...new Set<IsolationLevel | undefined>([undefined, ...database.isolationLevels, 'SERIALIZABLE'])]

describe.each(levels)('at isolation level %s', (level) => {
  const isolationLevel = level as IsolationLevel

  test('of 40 callers one creates, all get its row, and the work of the creation is committed exactly once', async () => {
    const results = await Promise.all(
      numbered(40, (index) =>
        users.getOrCreateInTransaction(
          { email: 'one@x' },
          { name: `caller ${index}` },
          { isolationLevel, work: sendWelcome },
        ),
      ),
    )
    const created = results.filter(([, isNew]) => isNew)
    expect(created).toHaveLength(1)
    expect(new Set(results.map(([{ id }]) => id)).size).toBe(1)
    expect(results.map(([{ name }]) => name)).toEqual(numbered(40, () => created[0]?.[0].name))
    expect(await users.count()).toBe(1)
    expect(await messages()).toEqual(['welcome one@x'])
  })

  test('the work of each of 40 callers for four rows is committed exactly once', async () => {
    await Promise.all(
      numbered(40, (index) =>
        users.getOrCreateInTransaction({ email: `${index % 4}@x` }, () => ({ name: 'lazy' }), {
          isolationLevel,
          work: (_result, manager) => send(manager, `${index}`),
        }),
      ),
    )
    expect(await users.count()).toBe(4)
    expect((await messages()).map(Number).sort((a, b) => a - b)).toEqual(numbered(40, (index) => index))
  })
})

describe('defaults', () => {
  test('are made while no connection is held: a pool of one is enough', async () => {
    const { dataSource } = await reopened({ poolSize: 1 })
    const [user] = await usersOf(dataSource).getOrCreateInTransaction(
      { email: 'a@x' },
      async () => ({ name: `${await dataSource.getRepository(User).count()} users` }),
      { work: sendWelcome },
    )
    expect(user.name).toBe('0 users')
  })

  test('are not made on a hit', async () => {
    await users.insert({ email: 'a@x', name: 'A' })
    const defaults = jest.fn(() => ({ name: 'B' }))
    await users.getOrCreateInTransaction({ email: 'a@x' }, defaults, { work: sendWelcome })
    expect(defaults).not.toHaveBeenCalled()
  })

  test('that throw are passed on, before a transaction is opened', async () => {
    const thrown = new Error('no defaults today')
    const sent = await db.statements.of(async () => {
      const call = users.getOrCreateInTransaction({ email: 'a@x' }, () => Promise.reject(thrown), { work: sendWelcome })
      expect(await failureOf(call)).toBe(thrown)
    })
    expect(controlOf(sent)).toEqual([])
  })

  test('are made outside of any transaction when the row vanishes after the look', async () => {
    await users.insert({ email: 'a@x', name: 'gone' })
    const open = stopBefore(db.dataSource, /^(BEGIN|START)/)
    let transactionsBefore: string[] = []
    const start = db.statements.sent.length
    const call = users.getOrCreateInTransaction(
      { email: 'a@x' },
      () => {
        transactionsBefore = controlOf(db.statements.sent.slice(start))
        return { name: 'new' }
      },
      { work: sendWelcome },
    )
    await open.reached
    await rival.act((other) => other.delete(User, { email: 'a@x' }))
    open.pass()
    const [user, created] = await call
    expect([user.name, created]).toEqual(['new', true])
    expect(transactionsBefore).toEqual([expect.stringMatching(/BEGIN|START/), 'ROLLBACK'])
    expect(await messages()).toEqual(['welcome a@x'])
  })
})

/** The same database through a pool of other options. */
async function reopened(options: object) {
  if (database.hasConnections) return db.connect({ ...options, subscribers: [Meanwhile] })
  return db
}

describe('work that fails', () => {
  test('is rolled back with the creation, and its error is passed on', async () => {
    const thrown = new Error('no work today')
    const call = users.getOrCreateInTransaction(
      { email: 'a@x' },
      { name: 'A' },
      {
        work: async (_result, manager) => {
          await send(manager, 'never')
          throw thrown
        },
      },
    )
    expect(await failureOf(call)).toBe(thrown)
    await expectNothingStored()
  })

  test('at once, without a promise, is rolled back too', async () => {
    const thrown = new Error('no work today')
    const work = () => {
      throw thrown
    }
    expect(await failureOf(users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work }))).toBe(thrown)
    await expectNothingStored()
  })

  test('is rolled back with the recovery of a soft-deleted row', async () => {
    await posts.save({ slug: 'a', deletedAt: new Date() })
    const thrown = new Error('no work today')
    const work = () => Promise.reject(thrown)
    const call = posts.getOrCreateInTransaction({ slug: 'a' }, {}, { restoreDeleted: true, work })
    expect(await failureOf(call)).toBe(thrown)
    expect(await posts.countBy({ slug: 'a' })).toBe(0)
  })

  test('is not run again when its error is none of the database asking for it', async () => {
    const work = jest.fn((_result, manager: EntityManager) => manager.insert(User, { email: 'a@x', name: 'twice' }))
    const call = users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work })
    expect(isUniqueViolation(await failureOf(call))).toBe(true)
    expect(work).toHaveBeenCalledTimes(1)
    await expectNothingStored()
  })

  test('leaves the connection clean: the next call through a pool of one commits', async () => {
    const { dataSource } = await reopened({ poolSize: 1 })
    const pooled = usersOf(dataSource)
    const work = () => Promise.reject(new Error('no work today'))
    await failureOf(pooled.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work }))
    await pooled.getOrCreate({ email: 'b@x' }, { name: 'B' })
    expect(await rival.act((other) => other.find(User))).toMatchObject([{ email: 'b@x' }])
  })

  test('leaves the connection clean when it had opened nested transactions of which some failed', async () => {
    const { dataSource } = await reopened({ poolSize: 1 })
    const pooled = usersOf(dataSource)
    const work: Work = async (_result, manager) => {
      await manager.transaction((nested) => send(nested, 'kept'))
      await manager.transaction(async (nested) => {
        await send(nested, 'undone')
        throw new Error('no nested work today')
      })
    }
    await failureOf(pooled.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work }))
    await pooled.getOrCreate({ email: 'b@x' }, { name: 'B' })
    expect(await rival.act((other) => other.find(User))).toMatchObject([{ email: 'b@x' }])
    expect(await messages()).toEqual([])
  })

  test('leaves the connection clean when its nested transactions ran at once, which TypeORM miscounts', async () => {
    const { dataSource } = await reopened({ poolSize: 1 })
    const pooled = usersOf(dataSource)
    const work: Work = async (_result, manager) => {
      const nested = numbered(3, (index) =>
        manager.transaction(async (inner) => {
          await send(inner, `${index}`)
          if (index === 1) throw new Error('no nested work today')
        }),
      )
      await Promise.allSettled(nested)
      throw new Error('no work today')
    }
    await failureOf(pooled.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work }))
    expect(dataSource.createQueryRunner().isTransactionActive).toBe(false)
    await pooled.getOrCreateInTransaction({ email: 'b@x' }, { name: 'B' }, { work: sendWelcome })
    await dataSource.transaction((manager) => send(manager, 'after'))
    expect(await rival.act((other) => other.find(User))).toMatchObject([{ email: 'b@x' }])
    expect(await messages()).toEqual(['welcome b@x', 'after'])
  })
})

describe('work that swallows an error', () => {
  test('which the transaction survives, as all do in a nested one: everything else is stored', async () => {
    const work: Work = async (_result, manager) => {
      const nested = manager.transaction((inner) => inner.insert(User, { email: 'a@x', name: 'twice' }))
      expect(isUniqueViolation(await failureOf(nested))).toBe(true)
      await send(manager, 'after')
    }
    const [user, created] = await users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work })
    expect(created).toBe(true)
    expect(await users.find()).toEqual([user])
    expect(await messages()).toEqual(['after'])
  })

  const swallowed = 'fails where it spoiled the transaction, and is harmless elsewhere'
  test(`of a statement: it ${swallowed}`, async () => {
    let inWork: Error | undefined
    const work: Work = async (_result, manager) => {
      inWork = await failureOf(manager.insert(User, { email: 'a@x', name: 'twice' }))
    }
    const call = users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work })
    if (!database.failedStatementSpoilsTransaction) {
      const [user] = await call
      expect(await users.find()).toEqual([user])
      return
    }
    expect(await failureOf(call)).toBe(inWork)
    await expectNothingStored()
  })

  test(`of a statement on a row that was found: it ${swallowed}`, async () => {
    await users.insert({ email: 'a@x', name: 'A' })
    const work: Work = async (_result, manager) => {
      await send(manager, 'before')
      await failureOf(manager.insert(User, { email: 'a@x', name: 'twice' }))
    }
    const call = users.getOrCreateInTransaction({ email: 'a@x' }, {}, { work })
    if (database.failedStatementSpoilsTransaction) expect(isUniqueViolation(await failureOf(call))).toBe(true)
    else await call
    expect(await messages()).toEqual(database.failedStatementSpoilsTransaction ? [] : ['before'])
  })
})

describe('inside a transaction of the caller', () => {
  const inTransaction = <T>(work: (manager: EntityManager) => Promise<T>) => db.dataSource.transaction(work)

  test('it joins: no transaction, no savepoint, and the work is given that transaction', async () => {
    const sent = await db.statements.of(() =>
      inTransaction((manager) =>
        manager.withRepository(users).getOrCreateInTransaction(
          { email: 'a@x' },
          { name: 'A' },
          {
            work: async ([{ email }], inner) => {
              expect(inner.queryRunner).toBe(manager.queryRunner)
              await send(inner, email)
            },
          },
        ),
      ),
    )
    expect(controlOf(sent)).toEqual([expect.stringMatching(/BEGIN|START/), 'COMMIT'])
    expect(await users.count()).toBe(1)
    expect(await messages()).toEqual(['a@x'])
  })

  test('a hit and a miss are found and created as outside', async () => {
    const results = await inTransaction(async (manager) => {
      const bound = manager.withRepository(users)
      const call = () => bound.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work: sendWelcome })
      return [await call(), await call()]
    })
    expect(results.map(([, created]) => created)).toEqual([true, false])
    expect(await messages()).toEqual(['welcome a@x'])
  })

  test('what it stored goes with the rollback of the caller', async () => {
    const thrown = new Error('changed my mind')
    const call = inTransaction(async (manager) => {
      await manager
        .withRepository(users)
        .getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work: sendWelcome })
      throw thrown
    })
    expect(await failureOf(call)).toBe(thrown)
    await expectNothingStored()
  })

  test('an error of the work is passed on', async () => {
    const thrown = new Error('no work today')
    const call = inTransaction((manager) =>
      manager
        .withRepository(users)
        .getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work: () => Promise.reject(thrown) }),
    )
    expect(await failureOf(call)).toBe(thrown)
    await expectNothingStored()
  })
})

describe('re-entrancy', () => {
  test('the work may get, create and update more rows on its manager, in transactions too', async () => {
    const work: Work = async (_result, manager) => {
      const bound = manager.withRepository(users)
      await bound.getOrCreate({ email: 'b@x' }, { name: 'B' })
      await bound.getOrCreateInTransaction({ email: 'c@x' }, { name: 'C' }, { work: sendWelcome })
      await bound.updateOrCreate({ email: 'b@x' }, { hits: 9 })
    }
    await users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work })
    expect((await users.find({ order: { email: 'ASC' } })).map(({ name, hits }) => `${name} ${hits}`)).toEqual([
      'A 7',
      'B 9',
      'C 7',
    ])
    expect(await messages()).toEqual(['welcome c@x'])
  })

  test('what the work did on its manager, its inner calls included, goes with the rollback', async () => {
    const thrown = new Error('no work today')
    const work: Work = async (_result, manager) => {
      const bound = manager.withRepository(users)
      await bound.getOrCreateInTransaction({ email: 'c@x' }, { name: 'C' }, { work: sendWelcome })
      throw thrown
    }
    expect(await failureOf(users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work }))).toBe(thrown)
    await expectNothingStored()
  })

  test('an inner call on the data source itself, which fails, does not end the outer transaction', async () => {
    const work: Work = async (_result, manager) => {
      await send(manager, 'before')
      await failureOf(
        users.getOrCreateInTransaction(
          { email: 'inner@x' },
          { name: 'I' },
          { work: () => Promise.reject(new Error('inner')) },
        ),
      )
      await send(manager, 'after')
      throw new Error('outer')
    }
    const failure = await failureOf(users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work }))
    expect(failure.message).toBe('outer')
    await expectNothingStored()
  })

  test('an inner call on the data source itself, which fails, leaves the rest of the work to commit', async () => {
    const work: Work = async (_result, manager) => {
      await send(manager, 'before')
      await failureOf(
        users.updateOrCreate({ email: 'there@x' }, () => {
          throw new Error('inner')
        }),
      )
      await send(manager, 'after')
    }
    await users.insert({ email: 'there@x', name: 'T' })
    await users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work })
    expect(await users.countBy({ email: 'a@x' })).toBe(1)
    expect(await messages()).toEqual(['before', 'after'])
  })
})

test('many calls at once, every third of which fails, never mix: the others are stored, whole', async () => {
  const outcomes = await Promise.allSettled(
    numbered(30, (index) =>
      users.getOrCreateInTransaction(
        { email: `${index}@x` },
        { name: 'n' },
        {
          work: async (_result, manager) => {
            await send(manager, `${index}`)
            if (index % 3 === 0) throw new Error('no work today')
          },
        },
      ),
    ),
  )
  const good = numbered(30, (index) => index).filter((index) => index % 3)
  expect(outcomes.map(({ status }) => status)).toEqual(numbered(30, (n) => (n % 3 ? 'fulfilled' : 'rejected')))
  expect((await users.find()).map(({ email }) => Number.parseInt(email, 10)).sort((a, b) => a - b)).toEqual(good)
  expect((await messages()).map(Number).sort((a, b) => a - b)).toEqual(good)
})

test('calls without a transaction, made at once with calls that roll back, lose nothing', async () => {
  const fail = (index: number) =>
    users.getOrCreateInTransaction(
      { email: `bad ${index}@x` },
      { name: 'n' },
      { work: () => Promise.reject(new Error('no work today')) },
    )
  await Promise.allSettled(
    numbered(20, (index) => [users.getOrCreate({ email: `good ${index}@x` }, { name: 'n' }), fail(index)]).flat(),
  )
  expect(await users.count()).toBe(20)
})

describe('soft deletion', () => {
  const keep: { slug: string; deletedAt: Date } = { slug: 'a', deletedAt: new Date('2020-01-01T00:00:00.000Z') }
  const work = (_result: unknown, manager: EntityManager) => send(manager, 'worked')
  const withAndWithout = [{}, { work }]

  test('a soft-deleted match is not found, and the key that it holds is told as the database tells it', async () => {
    await posts.save(keep)
    expect(isUniqueViolation(await failureOf(posts.getOrCreateInTransaction({ slug: 'a' }, {}, { work })))).toBe(true)
    expect(await messages()).toEqual([])
  })

  test.each(withAndWithout)('withDeleted finds it, with options %p', async (options) => {
    await posts.save(keep)
    const [post, created] = await posts.getOrCreateInTransaction({ slug: 'a' }, {}, { withDeleted: true, ...options })
    expect(created).toBe(false)
    expect(post.deletedAt).toBeInstanceOf(Date)
  })

  test.each(withAndWithout)('restoreDeleted recovers it, with options %p', async (options) => {
    await posts.save(keep)
    const [post, created] = await posts.getOrCreateInTransaction(
      { slug: 'a' },
      {},
      { restoreDeleted: true, ...options },
    )
    expect([created, post.deletedAt]).toEqual([false, null])
    expect(await posts.findOneBy({ slug: 'a' })).toEqual(post)
    expect(await messages()).toEqual('work' in options ? ['worked'] : [])
  })
})

describe('criteria that no unique key covers', () => {
  test('are looked for again inside the transaction', async () => {
    const names = withGetOrCreate(db.dataSource.getRepository(User), { uniqueness: 'ignore' })
    const call = () =>
      names.getOrCreateInTransaction({ name: 'N', handle: IsNull() }, { email: 'a@x' }, { work: sendWelcome })
    const results = [await call(), await call()]
    expect(results.map(([, created]) => created)).toEqual([true, false])
    expect(await messages()).toEqual(['welcome a@x'])
  })

  test('which only look up are never inserted twice', async () => {
    const labels = withGetOrCreate(db.dataSource.getRepository(Tag), { uniqueness: 'ignore' })
    const call = () =>
      labels.getOrCreateInTransaction({ label: Not('x') }, { label: 'y' }, { strategy: 'create-first' })
    expect([(await call())[1], (await call())[1]]).toEqual([true, false])
  })
})

if (database.hasConnections) {
  describe('a replica that still has a row which the primary lost', () => {
    let replica: OpenDatabase
    beforeAll(async () => {
      replica = await openDatabase([...entities, Message])
    })
    afterAll(() => replica.close())

    const urlOf = ({ options }: OpenDatabase) => (options as unknown as { url: string }).url

    test('does not stand in the way of creating it', async () => {
      const replication = { master: { url: urlOf(db) }, slaves: [{ url: urlOf(replica) }] }
      const { dataSource } = await db.connect({ url: undefined, replication } as object)
      await replica.dataSource.manager.insert(User, { email: 'a@x', name: 'stale' })
      const call = usersOf(dataSource).getOrCreateInTransaction(
        { email: 'a@x' },
        { name: 'new' },
        { work: sendWelcome },
      )
      // Its pool reaches into the replica, which could not be removed while it is open.
      const [user, created] = await call.finally(() => dataSource.destroy())
      expect([user.name, created]).toEqual(['new', true])
      expect(await messages()).toEqual(['welcome a@x'])
    })
  })
}

if (database.locks) {
  const { settings } = database.locks

  describe('a transaction that the database gives up', () => {
    let you: Duellist
    let other: Duellist
    let observer: Observer

    beforeAll(async () => {
      ;[you, other, observer] = await Promise.all([joinDuel(db), joinDuel(db), observe(db)])
    })
    beforeEach(() => prepareDeadlocks(db.dataSource))

    const die = (manager: EntityManager) => dieInDeadlock(manager, other.dataSource, observer)

    test('is run again as a whole: the work runs twice, its effects and its defaults once', async () => {
      let runs = 0
      const defaults = jest.fn(async () => ({ name: 'A' }))
      const managers = new Set<unknown>()
      const [user, created] = await you.users.getOrCreateInTransaction({ email: 'a@x' }, defaults, {
        work: async (result, manager) => {
          managers.add(manager.queryRunner)
          await sendWelcome(result, manager)
          if (++runs === 1) await die(manager)
        },
      })
      expect([runs, managers.size, created]).toEqual([2, 2, true])
      expect(defaults).toHaveBeenCalledTimes(1)
      expect(await users.find()).toEqual([user])
      expect(await messages()).toEqual(['welcome a@x'])
    })

    test('is run again with the cascades of its defaults, which are stored once', async () => {
      let runs = 0
      const bound = withGetOrCreate(you.dataSource.getRepository(Post))
      const defaults = { team: Object.assign(new Team(), { name: 'T' }), tags: [{ label: 'x' }] }
      const [post] = await bound.getOrCreateInTransaction({ slug: 'a' }, defaults, {
        relations: { team: true, tags: true },
        work: async (_result, manager) => {
          if (++runs === 1) await die(manager)
        },
      })
      expect(runs).toBe(2)
      expect(await posts.findOne({ where: { slug: 'a' }, relations: { team: true, tags: true } })).toEqual(post)
      expect(await db.dataSource.manager.countBy(Team, { name: 'T' })).toBe(1)
      expect(defaults.team).toEqual({ name: 'T' })
    })

    test('is run at most `attempts` times, and then fails with the last error of the driver as it is', async () => {
      const errors: Error[] = []
      const work: Work = async (_result, manager) => {
        errors.push(await failureOf(die(manager)))
        throw errors.at(-1)
      }
      const call = you.users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work, attempts: 2 })
      expect(await failureOf(call)).toBe(errors[1])
      expect(errors.map(isTransientFailure)).toEqual([true, true])
      await expectNothingStored()
    })

    test('is not run again inside a transaction of the caller, who owns it', async () => {
      const work = jest.fn((_result, manager: EntityManager) => die(manager))
      const call = you.dataSource.transaction((manager) =>
        manager.withRepository(you.users).getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work }),
      )
      expect(isTransientFailure(await failureOf(call))).toBe(true)
      expect(work).toHaveBeenCalledTimes(1)
      await expectNothingStored()
    })

    test('fails when the work kept that to itself: it is not run again, and nothing is stored', async () => {
      let runs = 0
      let inWork: Error | undefined
      const work: Work = async (_result, manager) => {
        runs++
        await send(manager, 'before')
        inWork = await failureOf(die(manager))
      }
      const call = you.users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work })
      expect(await failureOf(call)).toBe(inWork)
      expect(runs).toBe(1)
      await expectNothingStored()
    })

    test('fails when the work kept that to itself and went on, and nothing is stored', async () => {
      const work: Work = async (_result, manager) => {
        await failureOf(die(manager))
        await send(manager, 'after').catch(() => undefined)
      }
      const call = you.users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work })
      expect(isTransientFailure(await failureOf(call))).toBe(true)
      await expectNothingStored()
    })

    test('leaves the connection clean, also when it ended inside a nested transaction of the work', async () => {
      const work: Work = (_result, manager) => manager.transaction(die)
      const call = you.users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work, attempts: 1 })
      expect(isTransientFailure(await failureOf(call))).toBe(true)
      await you.users.getOrCreate({ email: 'b@x' }, { name: 'B' })
      await you.dataSource.transaction((manager) => send(manager, 'after'))
      expect(await users.find()).toMatchObject([{ email: 'b@x' }])
      expect(await messages()).toEqual(['after'])
    })

    test('is ended by a ROLLBACK, also when it ended inside a nested transaction of the work', async () => {
      const { dataSource, statements } = await db.connect({ poolSize: 1 })
      const work: Work = (_result, manager) => manager.transaction(die)
      const options = { work, attempts: 1 }
      await failureOf(usersOf(dataSource).getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, options))
      expect(controlOf(statements.sent).at(-1)).toBe('ROLLBACK')
      expect(statements.sent.at(-1)).toBe('ROLLBACK')
    })

    test('is run again when it ended inside a nested transaction of the work', async () => {
      let runs = 0
      const work: Work = async (result, manager) => {
        await sendWelcome(result, manager)
        if (++runs === 1) await manager.transaction(die)
      }
      const [, created] = await you.users.getOrCreateInTransaction({ email: 'a@x' }, { name: 'A' }, { work })
      expect([runs, created]).toEqual([2, true])
      expect(await users.count()).toBe(1)
      expect(await messages()).toEqual(['welcome a@x'])
    })
  })

  describe.each(settings)('a winner that the snapshot hides$title', ({ sql }) => {
    /** Between the first read of the transaction, which at some levels fixes what it sees, and its insert. */
    const meanwhile = async (act: (other: EntityManager) => Promise<unknown>) => {
      const { dataSource } = await reopened({ poolSize: 1 })
      await dataSource.query(sql)
      beforeInsert = async (manager) => {
        await manager.count(Team)
        await rival.act(act)
      }
      return dataSource
    }

    describe.each(levels)('at isolation level %s', (level) => {
      const isolationLevel = level as IsolationLevel

      test('is found, at most by the next transaction, and the work commits once', async () => {
        const dataSource = await meanwhile((other) => other.insert(User, { email: 'a@x', name: 'the winner' }))
        const defaults = jest.fn(() => ({ name: 'the loser' }))
        const work: Work = ([{ name }, created], manager) => send(manager, `${name} ${created}`)
        const options = { isolationLevel, work }
        const [user, created] = await usersOf(dataSource).getOrCreateInTransaction({ email: 'a@x' }, defaults, options)
        expect([user.name, created]).toEqual(['the winner', false])
        expect(await messages()).toEqual(['the winner false'])
        expect(defaults).toHaveBeenCalledTimes(1)
      })

      test('is found where the creation cascades, and none of its cascades are stored', async () => {
        const dataSource = await meanwhile((other) => other.insert(Post, { slug: 'a', title: 'the winner' }))
        const defaults = { title: 'the loser', team: { name: 'T' }, tags: [{ label: 'x' }] }
        const work = ([{ title }, created]: [Post, boolean], manager: EntityManager) =>
          send(manager, `${title} ${created}`)
        const bound = withGetOrCreate(dataSource.getRepository(Post))
        await bound.getOrCreateInTransaction({ slug: 'a' }, defaults, { isolationLevel, work })
        expect(await messages()).toEqual(['the winner false'])
        expect(await db.dataSource.manager.count(Team)).toBe(0)
        expect(await db.dataSource.manager.count(Tag)).toBe(0)
      })
    })

    test('is found by the only attempt, or fails it with the error of the driver that asks for another', async () => {
      const dataSource = await meanwhile((other) => other.insert(User, { email: 'a@x', name: 'the winner' }))
      const [outcome] = await Promise.allSettled([
        usersOf(dataSource).getOrCreateInTransaction(
          { email: 'a@x' },
          { name: 'the loser' },
          { isolationLevel: 'REPEATABLE READ', attempts: 1, work: sendWelcome },
        ),
      ])
      if (outcome.status === 'rejected') expect(isTransientFailure(outcome.reason)).toBe(true)
      else expect(outcome.value[0].name).toBe('the winner')
      expect(await users.count()).toBe(1)
      expect(await messages()).toEqual([])
    })
  })
}
