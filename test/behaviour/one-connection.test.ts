import {
  type DataSourceOptions,
  type EntitySubscriberInterface,
  EventSubscriber,
  type InsertEvent,
  type Repository,
} from 'typeorm'
import { type GetOrCreateRepository, getOrCreateMixin, isTransientFailure } from '../../src/index.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { Country, entities, Post, Tag, Team, User } from '../entities.js'
import { failureOf } from '../failures.js'

/** Gets or creates other rows from inside the insert of a user. */
@EventSubscriber()
class Hooks implements EntitySubscriberInterface<User> {
  listenTo() {
    return User
  }

  async beforeInsert({ manager, entity }: InsertEvent<User>) {
    const [team] = await manager.getRepository(Team).extend(getOrCreateMixin()).getOrCreate({ name: 'of the hook' })
    entity.team = team
  }

  async afterInsert({ manager, entity }: InsertEvent<User>) {
    const posts = manager.getRepository(Post).extend(getOrCreateMixin())
    const countries = manager.getRepository(Country).extend(getOrCreateMixin())
    await Promise.all([
      posts.getOrCreate({ slug: entity.email }, { tags: [{ label: entity.email }] }),
      ...['AA', 'BB', 'CC'].map((code) => countries.getOrCreate({ code }, { name: 'of the hook' })),
    ])
  }
}

/** Calls that `Hasty` has started. */
const started: Promise<unknown>[] = []

/** Does not wait for what it starts, which takes a savepoint and fails. */
@EventSubscriber()
class Hasty implements EntitySubscriberInterface<User> {
  listenTo() {
    return User
  }

  afterInsert({ manager, entity }: InsertEvent<User>) {
    const posts = manager.getRepository(Post).extend(getOrCreateMixin())
    const call = posts.getOrCreate({ slug: entity.email }, { tags: [{ label: 'taken' }] })
    call.catch(() => undefined)
    started.push(call)
  }
}

let db: OpenDatabase
let users: GetOrCreateRepository<User>
let posts: GetOrCreateRepository<Post>

async function open(subscribers: (new () => EntitySubscriberInterface)[] = []) {
  db = await openDatabase(entities, { poolSize: 1, subscribers } as Partial<DataSourceOptions>)
  users = db.dataSource.getRepository(User).extend(getOrCreateMixin())
  posts = db.dataSource.getRepository(Post).extend(getOrCreateMixin())
}
afterEach(() => db.close())

const valuesOf = async <E extends object>(repository: Repository<E>, key: keyof E) =>
  (await repository.find()).map((row) => row[key]).sort()

const numbered = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index))

describe('calls at once on one connection', () => {
  beforeEach(() => open())

  test('where some open a transaction that fails, lose nobody else a row', async () => {
    await db.dataSource.manager.insert(Tag, { label: 'taken' })
    const calls = numbered(10, (index) => [
      users.getOrCreate({ email: `${index}@x` }, { name: 'plain' }),
      posts.getOrCreate({ slug: `good ${index}` }, { tags: [{ label: `tag ${index}` }] }),
      posts.getOrCreate({ slug: `bad ${index}` }, { team: { name: `bad ${index}` }, tags: [{ label: 'taken' }] }),
    ]).flat() as Promise<[User | Post, boolean]>[]
    const outcomes = await Promise.allSettled(calls)
    expect(outcomes.map(({ status }) => status)).toEqual(
      numbered(10, () => ['fulfilled', 'fulfilled', 'rejected']).flat(),
    )
    expect(await users.count()).toBe(10)
    expect(await valuesOf(posts, 'slug')).toEqual(numbered(10, (index) => `good ${index}`))
    expect(await db.dataSource.manager.count(Team)).toBe(0)
    expect(await db.dataSource.manager.count(Tag)).toBe(11)
  })

  test('for one key, where creating opens a transaction, end with one creator', async () => {
    const results = await Promise.all(
      numbered(20, (index) => posts.getOrCreate({ slug: 'one' }, { team: { name: `team of ${index}` } })),
    )
    expect(results.filter(([, created]) => created)).toHaveLength(1)
    expect(await posts.count()).toBe(1)
    expect(await db.dataSource.manager.count(Team)).toBe(1)
  })

  test('leave no transaction open, whatever failed', async () => {
    await db.dataSource.manager.insert(Tag, { label: 'taken' })
    await Promise.allSettled(
      numbered(10, (index) => posts.getOrCreate({ slug: `${index}` }, { tags: [{ label: 'taken' }] })),
    )
    await db.dataSource.transaction((manager) => manager.insert(Team, { name: 'after' }))
    const rollback = db.dataSource.transaction(async (manager) => {
      await manager.insert(Team, { name: 'undone' })
      throw new Error('rolled back')
    })
    await expect(rollback).rejects.toThrow('rolled back')
    expect(await valuesOf(db.dataSource.getRepository(Team), 'name')).toEqual(['after'])
  })

  test('are not held up by one that fails', async () => {
    const outcomes = await Promise.allSettled([
      users.getOrCreate({ email: 'a@x' }, { name: 'a' }),
      users.getOrCreate({ email: 'no name@x' }),
      users.getOrCreate({ email: 'b@x' }, { name: 'b' }),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await valuesOf(users, 'email')).toEqual(['a@x', 'b@x'])
  })
})

describe('hooks that call getOrCreate on the manager of their event', () => {
  beforeEach(() => open([Hooks]))

  const expectRowsOfTheHooks = async (emails: string[]) => {
    expect(await valuesOf(db.dataSource.getRepository(Team), 'name')).toEqual(['of the hook'])
    expect(await valuesOf(posts, 'slug')).toEqual(emails)
    expect(await valuesOf(db.dataSource.getRepository(Tag), 'label')).toEqual(emails)
    expect(await valuesOf(db.dataSource.getRepository(Country), 'code')).toEqual(['AA', 'BB', 'CC'])
  }

  test('do not deadlock on the one connection of their pool', async () => {
    const [user, created] = await users.getOrCreate({ email: 'a@x' }, { name: 'a' }, { relations: { team: true } })
    expect([user.team?.name, created]).toEqual(['of the hook', true])
    await expectRowsOfTheHooks(['a@x'])
  })

  test('do not deadlock inside a transaction', async () => {
    await db.dataSource.transaction((manager) =>
      manager.withRepository(users).getOrCreate({ email: 'a@x' }, { name: 'a' }),
    )
    await expectRowsOfTheHooks(['a@x'])
  })

  test('do not deadlock when many calls are made at once', async () => {
    const emails = numbered(10, (index) => `${index}@x`)
    const results = await Promise.all(emails.map((email) => users.getOrCreate({ email }, { name: 'a' })))
    expect(results.every(([, created]) => created)).toBe(true)
    await expectRowsOfTheHooks(emails)
  })

  test('do not deadlock when many calls are made at once in one transaction', async () => {
    const emails = numbered(10, (index) => `${index}@x`)
    await db.dataSource.transaction((manager) => {
      const bound = manager.withRepository(users)
      return Promise.all(emails.map((email) => bound.getOrCreate({ email }, { name: 'a' })))
    })
    await expectRowsOfTheHooks(emails)
  })

  test('do not deadlock when TypeORM itself inserts', async () => {
    await users.save(users.create({ email: 'a@x', name: 'a' }))
    await expectRowsOfTheHooks(['a@x'])
  })
})

test('what a hook starts and does not wait for is over before the next call writes', async () => {
  await open([Hasty])
  await db.dataSource.manager.insert(Tag, { label: 'taken' })
  const emails = numbered(5, (index) => `${index}@x`)

  await db.dataSource.transaction(async (manager) => {
    const bound = manager.withRepository(users)
    await Promise.all(emails.map((email) => bound.getOrCreate({ email }, { name: 'a' })))
    const outcomes = await Promise.allSettled(started)
    expect(outcomes.map(({ status }) => status)).toEqual(emails.map(() => 'rejected'))
  })

  expect(await valuesOf(users, 'email')).toEqual(emails)
  expect(await posts.count()).toBe(0)
})

// TypeORM takes a transaction for open as soon as it asks for it.
if (database.isSharedByProcesses && !database.hasConnections) {
  test('a transaction that could not begin, because somebody else writes, leaves no later call inside it', async () => {
    await open()
    const { dataSource: other } = await db.connect()
    const { dataSource } = await db.connect({ timeout: 20 } as Partial<DataSourceOptions>)
    const own = dataSource.getRepository(User).extend(getOrCreateMixin())
    await other.query('BEGIN IMMEDIATE')
    const failure = await failureOf(own.getOrCreateMany([{ email: 'a@x' }, { email: 'b@x' }], { name: 'n' }))
    await other.query('COMMIT')

    expect(isTransientFailure(failure)).toBe(true)
    expect(dataSource.createQueryRunner().isTransactionActive).toBe(false)
    const unnamed = own.create({ email: 'd@x' })
    await failureOf(own.save([own.create({ email: 'c@x', name: 'n' }), unnamed]))
    expect(await own.count()).toBe(0)
  })
}
