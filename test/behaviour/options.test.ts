import { type DataSource, type DataSourceOptions, QueryFailedError } from 'typeorm'
import {
  type GetOrCreateMixinOptions,
  type GetOrCreateRepository,
  getOrCreateMixin,
  InvalidOptionsError,
  isUniqueViolation,
  NotUniqueCriteriaError,
  withGetOrCreate,
} from '../../src/index.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { beforeStatements } from '../duel.js'
import { entities, Post, Team, User } from '../entities.js'
import { failureOf } from '../failures.js'
import { Coach, keyEntities } from '../key-entities.js'
import { openRival } from '../rival.js'

let db: OpenDatabase

beforeAll(async () => {
  db = await openDatabase([...entities, ...keyEntities])
})
afterEach(async () => {
  for (const entity of [Coach, Post, User, Team])
    await db.dataSource.createQueryBuilder().delete().from(entity).execute()
})
afterAll(() => db.close())

function repositoryOf<E extends object>(entity: new () => E, options?: GetOrCreateMixinOptions) {
  const repository: unknown = db.dataSource.getRepository(entity).extend(getOrCreateMixin(options))
  return repository as GetOrCreateRepository<E>
}

describe('relations', () => {
  test('give found and created entities the same shape', async () => {
    const team = await repositoryOf(Team).save({ name: 'red' })
    const call = () =>
      repositoryOf(User).getOrCreate({ email: 'a@x' }, { name: 'A', team }, { relations: { team: { members: true } } })
    const [created, isCreated] = await call()
    const [found, isCreatedAgain] = await call()
    expect([isCreated, isCreatedAgain]).toEqual([true, false])
    expect(created).toEqual(found)
    expect(created.team).toBeInstanceOf(Team)
    expect(created.team?.members).toHaveLength(1)
  })

  test('are null and empty where there is nothing', async () => {
    const [user] = await repositoryOf(User).getOrCreate({ email: 'a@x' }, { name: 'A' }, { relations: { team: true } })
    expect(user.team).toBeNull()
    const [team] = await repositoryOf(Team).getOrCreate({ name: 'red' }, {}, { relations: { members: true } })
    expect(team.members).toEqual([])
  })

  test('are absent when they are not asked for, also when they were given', async () => {
    const team = await repositoryOf(Team).save({ name: 'red' })
    const call = () => repositoryOf(User).getOrCreate({ email: 'a@x' }, { name: 'A', team })
    expect((await call())[0]).not.toHaveProperty('team')
    expect((await call())[0]).not.toHaveProperty('team')
  })

  test('set to false or left undefined are not loaded', async () => {
    const users = repositoryOf(User)
    await users.insert({ email: 'a@x', name: 'A' })
    const [user] = await users.getOrCreate({ email: 'a@x' }, {}, { relations: { team: false } })
    expect(user).not.toHaveProperty('team')
    expect(await users.getOrCreate({ email: 'a@x' }, {}, { relations: undefined } as object)).toEqual([user, false])
  })
})

describe('loadEagerRelations', () => {
  test('is true unless told otherwise, on both branches', async () => {
    const team = await repositoryOf(Team).save({ name: 'red' })
    const call = () => repositoryOf(Coach).getOrCreate({ name: 'c' }, { team: { id: team.id } })
    for (const [coach] of [await call(), await call()]) expect(coach.team).toEqual({ id: team.id, name: 'red' })
  })

  test('false leaves eager relations out, on both branches', async () => {
    const call = () => repositoryOf(Coach).getOrCreate({ name: 'c' }, {}, { loadEagerRelations: false })
    for (const [coach] of [await call(), await call()]) expect(coach).not.toHaveProperty('team')
  })
})

describe('soft-deleted rows', () => {
  let posts: GetOrCreateRepository<Post>
  let id: number

  beforeEach(async () => {
    posts = repositoryOf(Post)
    id = (await posts.save({ slug: 'gone', title: 'Gone' })).id
    await posts.softDelete({ slug: 'gone' })
  })

  const deletedAt = async () => (await posts.findOneOrFail({ where: { slug: 'gone' }, withDeleted: true })).deletedAt

  test('do not count as found: where their key is still taken, that is the error of the driver', async () => {
    const failure = await failureOf(posts.getOrCreate({ slug: 'gone' }))
    expect(isUniqueViolation(failure)).toBe(true)
    expect(failure).toBeInstanceOf(QueryFailedError)
    expect(await deletedAt()).toBeInstanceOf(Date)
  })

  test('count as found withDeleted, and stay deleted', async () => {
    const [post, created] = await posts.getOrCreate({ slug: 'gone' }, {}, { withDeleted: true })
    expect([post.id, created]).toEqual([id, false])
    expect(post.deletedAt).toBeInstanceOf(Date)
    expect(await deletedAt()).toBeInstanceOf(Date)
  })

  test('are recovered by restoreDeleted, in the same call, with created = false', async () => {
    const [post, created] = await posts.getOrCreate({ slug: 'gone' }, { title: 'New' }, { restoreDeleted: true })
    expect(post).toMatchObject({ id, title: 'Gone', deletedAt: null })
    expect(created).toBe(false)
    expect(await posts.findOneBy({ slug: 'gone' })).toEqual(post)
  })

  test('are recovered with their relations, where these are asked for', async () => {
    const options = { restoreDeleted: true, relations: { tags: true, team: true } }
    const [post] = await posts.getOrCreate({ slug: 'gone' }, {}, options)
    expect(post).toMatchObject({ id, tags: [], team: null })
  })

  test('are recovered when an insert met them first', async () => {
    const options = { restoreDeleted: true, strategy: 'create-first' } as const
    const [post, created] = await posts.getOrCreate({ slug: 'gone' }, {}, options)
    expect([post.id, post.deletedAt, created]).toEqual([id, null, false])
  })

  test('are recovered inside a transaction, and deleted again by its rollback', async () => {
    const rollback = new Error('roll back')
    const failure = await failureOf(
      db.dataSource.transaction(async (manager) => {
        const [post] = await manager.withRepository(posts).getOrCreate({ slug: 'gone' }, {}, { restoreDeleted: true })
        expect(post.deletedAt).toBeNull()
        throw rollback
      }),
    )
    expect(failure).toBe(rollback)
    expect(await deletedAt()).toBeInstanceOf(Date)
  })

  test('restoreDeleted changes nothing about a row that is there', async () => {
    const there = await posts.save({ slug: 'there' })
    db.statements.sent.length = 0
    const [post, created] = await posts.getOrCreate({ slug: 'there' }, {}, { restoreDeleted: true })
    expect([post.id, created]).toEqual([there.id, false])
    expect(db.statements.sent).toHaveLength(1)
  })

  test('restoreDeleted creates a row that never was', async () => {
    const [post, created] = await posts.getOrCreate({ slug: 'never' }, {}, { restoreDeleted: true })
    expect([post.deletedAt, created]).toEqual([null, true])
  })

  test('are refused to a restoreDeleted where the entity has no date of deletion', async () => {
    const failure = await failureOf(repositoryOf(User).getOrCreate({ email: 'a@x' }, {}, { restoreDeleted: true }))
    expect(failure).toBeInstanceOf(InvalidOptionsError)
  })
})

describe('readFrom', () => {
  test.each(['replica', 'primary', undefined] as const)(
    '%s makes no difference without a replica',
    async (readFrom) => {
      const call = () => repositoryOf(User).getOrCreate({ email: 'a@x' }, { name: 'A' }, { readFrom } as object)
      const [user, created] = await call()
      expect(created).toBe(true)
      expect(await call()).toEqual([user, false])
    },
  )

  if (database.hasConnections) {
    /** A replica for good behind: a database of its own, which holds one row that the primary does not have. */
    async function withReplica(work: (dataSource: DataSource) => Promise<void>) {
      const replica = await openDatabase(entities)
      try {
        await replica.dataSource.getRepository(User).insert({ email: 'replica@x', name: 'Replica' })
        const [master, slave] = [db.options, replica.options] as { url: string }[]
        const replication = { master: { url: master?.url }, slaves: [{ url: slave?.url }] }
        const { dataSource } = await db.connect({ replication } as unknown as Partial<DataSourceOptions>)
        await work(dataSource)
        await dataSource.destroy()
      } finally {
        await replica.close()
      }
    }

    const call = (dataSource: DataSource, readFrom?: 'replica' | 'primary') =>
      withGetOrCreate(dataSource.getRepository(User)).getOrCreate(
        { email: 'replica@x' },
        { name: 'Primary' },
        readFrom && { readFrom },
      )

    test('is the replica unless told otherwise, as in TypeORM', () =>
      withReplica(async (dataSource) => {
        expect(await call(dataSource)).toEqual([expect.objectContaining({ name: 'Replica' }), false])
        expect(await call(dataSource, 'replica')).toEqual([expect.objectContaining({ name: 'Replica' }), false])
      }))

    test('the primary finds what is there and creates what is not', () =>
      withReplica(async (dataSource) => {
        expect(await call(dataSource, 'primary')).toEqual([expect.objectContaining({ name: 'Primary' }), true])
        expect(await call(dataSource, 'primary')).toEqual([expect.objectContaining({ name: 'Primary' }), false])
      }))
  }
})

describe('attempts', () => {
  let haunted: OpenDatabase

  beforeEach(async () => {
    haunted = await openDatabase([User, Team])
  })
  afterEach(() => haunted.close())

  /** A BeforeInsert runs once per round. */
  function countRounds(): { readonly count: number } {
    const rounds = { count: 0 }
    haunted.dataSource.subscribers.push({
      beforeInsert: ({ entity }) => {
        if (entity.name === 'Mine') rounds.count++
      },
    })
    return rounds
  }

  /** In the first rounds, someone stores the row before each INSERT of ours and takes it away before we can read it. */
  async function haunt(times: number) {
    const { act } = await openRival(haunted)
    const rounds = countRounds()
    let isActing = false
    beforeStatements(haunted.dataSource, async (sql) => {
      if (isActing || rounds.count > times) return
      isActing = true
      if (sql.startsWith('INSERT')) await act((manager) => manager.insert(User, { email: 'ghost@x', name: 'Ghost' }))
      if (sql.startsWith('SELECT')) await act((manager) => manager.delete(User, { email: 'ghost@x' }))
      isActing = false
    })
    return rounds
  }

  const users = () => withGetOrCreate(haunted.dataSource.getRepository(User))
  const create = (attempts?: number) =>
    users().getOrCreate({ email: 'ghost@x' }, { name: 'Mine' }, attempts === undefined ? {} : { attempts })

  test('a winner that vanishes before it can be read makes another round, which creates the row', async () => {
    const rounds = await haunt(1)
    const [user, created] = await create()
    expect([user.name, created]).toEqual(['Mine', true])
    expect(rounds.count).toBe(2)
  })

  test.each([
    [3, undefined],
    [1, 1],
    [2, 2],
    [5, 5],
  ])('%d rounds for attempts: %p, then the error of the driver', async (count, attempts) => {
    const rounds = await haunt(Number.POSITIVE_INFINITY)
    const failure = await failureOf(create(attempts))
    expect(failure).toBeInstanceOf(QueryFailedError)
    expect(isUniqueViolation(failure)).toBe(true)
    expect(rounds.count).toBe(count)
  })

  test('are not spent on what is no race', async () => {
    const rounds = countRounds()
    await users().insert({ email: 'a@x', handle: 'taken', name: 'A' })
    await failureOf(users().getOrCreate({ email: 'b@x' }, { handle: 'taken', name: 'Mine' }))
    expect(rounds.count).toBe(1)
  })
})

describe('options of the mixin', () => {
  test('hold for every call', async () => {
    const users = repositoryOf(User, { uniqueness: 'require' })
    expect(await failureOf(users.getOrCreate({ name: 'x' }))).toBeInstanceOf(NotUniqueCriteriaError)
    expect(await failureOf(users.getOrBuild({ name: 'x' }))).toBeInstanceOf(NotUniqueCriteriaError)
  })

  test('give way to those of a call', async () => {
    const users = repositoryOf(User, { uniqueness: 'require', strategy: 'create-first', attempts: 1 })
    const options = { uniqueness: 'ignore', strategy: 'find-first' } as const
    const sent = await db.statements.of(() => users.getOrCreate({ name: 'x' }, { email: 'a@x' }, options))
    expect(sent[0]).toMatch(/^SELECT/)
  })

  test('hold where a call leaves them undefined', async () => {
    const users = repositoryOf(User, { uniqueness: 'require' })
    const call = users.getOrCreate({ name: 'x' }, {}, { uniqueness: undefined } as object)
    expect(await failureOf(call)).toBeInstanceOf(NotUniqueCriteriaError)
  })

  test('are copied: what happens to the object afterwards changes nothing', async () => {
    const options: { uniqueness: 'require' | 'ignore' } = { uniqueness: 'require' }
    const users = repositoryOf(User, options)
    options.uniqueness = 'ignore'
    expect(await failureOf(users.getOrCreate({ name: 'x' }))).toBeInstanceOf(NotUniqueCriteriaError)
  })

  test('set the strategy', async () => {
    const users = repositoryOf(User, { strategy: 'create-first' })
    const sent = await db.statements.of(() => users.getOrCreate({ email: 'a@x' }, { name: 'A' }))
    expect(sent[0]).toMatch(/^INSERT/)
  })

  test('are those of the repository that was extended last', async () => {
    const strict = withGetOrCreate(db.dataSource.getRepository(User), { uniqueness: 'require' })
    const relaxed = withGetOrCreate(strict, { uniqueness: 'ignore' })
    expect(await failureOf(strict.getOrCreate({ name: 'x' }))).toBeInstanceOf(NotUniqueCriteriaError)
    expect((await relaxed.getOrCreate({ name: 'x' }, { email: 'a@x' }))[1]).toBe(true)
  })
})

describe('getting a repository', () => {
  const greeter = {
    greet: (name: string) => `Hello, ${name}`,
  }

  test('extending keeps what was there, in both orders', async () => {
    const before = db.dataSource.getRepository(User).extend(greeter).extend(getOrCreateMixin())
    const after = db.dataSource.getRepository(User).extend(getOrCreateMixin()).extend(greeter)
    const [user] = await before.getOrCreate({ email: 'a@x' }, { name: 'A' })
    expect(await after.getOrCreate({ email: 'a@x' })).toEqual([user, false])
    expect([before.greet('Ann'), after.greet('Bob')]).toEqual(['Hello, Ann', 'Hello, Bob'])
  })

  test('withGetOrCreate keeps what was there', async () => {
    const users = withGetOrCreate(db.dataSource.getRepository(User).extend(greeter))
    expect((await users.getOrCreate({ email: 'a@x' }, { name: 'A' }))[1]).toBe(true)
    expect(users.greet('Ann')).toBe('Hello, Ann')
  })

  test('one mixin serves every entity', async () => {
    const mixin = getOrCreateMixin()
    const [team] = await db.dataSource.getRepository(Team).extend(mixin).getOrCreate({ name: 'red' })
    const [user] = await db.dataSource
      .getRepository(User)
      .extend(mixin)
      .getOrCreate({ email: 'a@x' }, { name: 'A', team })
    expect(team).toBeInstanceOf(Team)
    expect(user).toBeInstanceOf(User)
  })

  test('manager.withRepository binds it to a transaction: what it created goes with a rollback', async () => {
    const users = repositoryOf(User)
    const rollback = new Error('roll back')
    const failure = await failureOf(
      db.dataSource.transaction(async (manager) => {
        expect((await manager.withRepository(users).getOrCreate({ email: 'a@x' }, { name: 'A' }))[1]).toBe(true)
        throw rollback
      }),
    )
    expect(failure).toBe(rollback)
    expect(await users.count()).toBe(0)
  })

  test('nothing of TypeORM is patched', () => {
    repositoryOf(User)
    expect(db.dataSource.getRepository(User)).not.toHaveProperty('getOrCreate')
  })
})
