import type { DataSource, EntityManager } from 'typeorm'
import {
  type GetOrCreateManyOptions,
  isTransientFailure,
  isUniqueViolation,
  type ManyDefaults,
} from '../../src/index.js'
import { database, type IsolationLevel, type OpenDatabase, openDatabase } from '../databases.js'
import { type Duellist, joinDuel, type Observer, observe } from '../duel.js'
import { Country, entities, Post, Tag, Team, User } from '../entities.js'
import { failureOf } from '../failures.js'
import { inProcesses } from '../in-processes.js'
import { createdIn, inOrderOf, kindsOf, numbered, repositoryOf } from '../many.js'
import { getOrCreateAll, type ManyReport } from '../many-worker.js'
import { openRival, type Rival } from '../rival.js'
import { surroundings } from '../surroundings.js'

let db: OpenDatabase
let rival: Rival

beforeEach(async () => {
  db = await openDatabase(entities)
  rival = await openRival(db)
})
afterEach(() => db.close())

const usersOf = (manager: EntityManager = db.dataSource.manager) => repositoryOf(manager, User)
const tagsOf = (manager: EntityManager = db.dataSource.manager) => repositoryOf(manager, Tag)

const CALLERS = 8
const keys = numbered(200, (n) => ({ email: `u${n}@x` }))

/** Several DataSources, where one that waits for another does not keep the whole process from going on. */
async function dataSources(): Promise<DataSource[]> {
  if (!database.hasConnections) return [db.dataSource]
  const more = await Promise.all([db.connect(), db.connect()])
  return [db.dataSource, ...more.map(({ dataSource }) => dataSource)]
}

/** The repositories of eight callers, on as many DataSources as there are. */
async function callers() {
  const all = await dataSources()
  return numbered(CALLERS, (caller) => usersOf((all[caller % all.length] as DataSource).manager))
}

/** Each row is there once, and whoever was told its id was told the right one. */
async function expectRows(answers: readonly User[], count: number) {
  const rows = await usersOf().find()
  expect(rows).toHaveLength(count)
  const idOf = new Map(rows.map(({ email, id }) => [email, id]))
  expect(answers.filter(({ email, id }) => idOf.get(email) !== id)).toEqual([])
}

describe('many callers with the same keys', () => {
  test.each([undefined, 20])(
    'in eight orders create each row once, and nobody gets an error (chunks of %p)',
    async (chunkSize) => {
      const crowd = await callers()
      const results = await Promise.all(
        crowd.map((users, caller) =>
          users.getOrCreateMany(inOrderOf(caller, keys), { name: `caller ${caller}` }, chunkSize ? { chunkSize } : {}),
        ),
      )

      expect(createdIn(results.flat())).toBe(200)
      await expectRows(
        results.flat().map(([user]) => user),
        200,
      )
      for (const [caller, answers] of results.entries()) {
        expect(answers.map(([{ email }]) => email)).toEqual(inOrderOf(caller, keys).map(({ email }) => email))
        for (const [{ name }] of answers.filter(([, created]) => created)) expect(name).toBe(`caller ${caller}`)
      }
    },
  )

  test('create each row once also beside callers for single rows', async () => {
    const crowd = await callers()
    const many = crowd.map((users, caller) => users.getOrCreateMany(inOrderOf(caller, keys), { name: 'many' }))
    const single = crowd.flatMap((users, caller) =>
      inOrderOf(caller + 3, keys)
        .slice(0, 60)
        .map((criteria) => users.getOrCreate(criteria, { name: 'single' })),
    )
    const results = [...(await Promise.all(many)).flat(), ...(await Promise.all(single))]

    expect(createdIn(results)).toBe(200)
    await expectRows(
      results.map(([user]) => user),
      200,
    )
  })

  test('create each row once also where every caller has some keys of its own', async () => {
    const crowd = await callers()
    const results = await Promise.all(
      crowd.map((users, caller) =>
        users.getOrCreateMany(
          [...inOrderOf(caller, keys).slice(0, 100), ...numbered(20, (n) => ({ email: `u${n}-of-${caller}@x` }))],
          { name: 'x' },
        ),
      ),
    )

    expect(createdIn(results.flat())).toBe(await usersOf().count())
    await expectRows(
      results.flat().map(([user]) => user),
      await usersOf().count(),
    )
  })

  test('run AfterInsert once for each row that is stored', async () => {
    const inserted: string[] = []
    const all = await dataSources()
    for (const { subscribers } of all) {
      subscribers.push({
        listenTo: () => User,
        afterInsert: ({ entity }) => {
          inserted.push(entity.email)
        },
      })
    }
    await Promise.all(
      numbered(4, (caller) =>
        usersOf((all[caller % all.length] as DataSource).manager).getOrCreateMany(inOrderOf(caller, keys), {
          name: 'x',
        }),
      ),
    )

    expect(inserted.sort()).toEqual(keys.map(({ email }) => email).sort())
  })
})

describe('four processes', () => {
  const orders = numbered(4, (caller) => inOrderOf(caller, keys).map(({ email }) => email))

  /** Where the database lives in the memory of one process, all callers do. */
  const inThisProcess = () => Promise.all(orders.map((emails) => getOrCreateAll(db.dataSource, emails)))

  test('with the same keys in different orders create each row once, and none fails', async () => {
    const reports = await (database.isSharedByProcesses
      ? inProcesses<ManyReport>(
          db,
          'many-worker.ts',
          orders.map((emails) => ({ emails })),
        )
      : inThisProcess())

    expect(reports.flatMap(({ created }) => created).sort()).toEqual(keys.map(({ email }) => email).sort())
    const idOf = new Map((await usersOf().find()).map(({ email, id }) => [email, id]))
    const answers = reports.flatMap(({ ids }) => ids)
    expect(answers).toHaveLength(800)
    expect(answers.filter(([email, id]) => idOf.get(email) !== id)).toEqual([])
  })
})

/** Between our look and our INSERT a rival stores rows for some of the keys; asked for by the last row that misses. */
const beaten = (count: number, by: (manager: EntityManager) => Promise<unknown>) => {
  let left = count
  return async () => {
    left -= 1
    if (left === 0) await rival.act(by)
    return { name: 'the loser' }
  }
}

const list = keys.slice(0, 6)
const winners = () => [list[4], list[1]].map((criteria) => ({ email: criteria?.email as string, name: 'the winner' }))

// An INSERT that met a duplicate has locked gaps on InnoDB, until its transaction ends.
describe('a transaction of ours that met a row of somebody else', () => {
  const lose = () =>
    usersOf().getOrCreateMany(
      list,
      beaten(6, (other) => other.insert(User, winners())),
    )

  /** The statements of a call that loses, by their first words. */
  const sentBy = async (call: () => Promise<unknown>) =>
    (await db.statements.of(call)).map((sql) => /^\w+/.exec(sql)?.[0]).filter((word) => word !== 'SELECT')

  const insertsInTwoTransactions = ['INSERT', 'ROLLBACK', 'START', 'INSERT', 'COMMIT']

  test('ends there, and another one inserts what is still missing', async () => {
    const [, ...sent] = await sentBy(lose)
    // On one connection a ROLLBACK would take along what others write.
    if (!database.hasConnections) expect(sent).not.toContain('ROLLBACK')
    else
      expect(sent).toEqual(database.failedStatementSpoilsTransaction ? ['INSERT', 'COMMIT'] : insertsInTwoTransactions)
  })

  test('goes on where a hook may have written in it', async () => {
    db.dataSource.subscribers.push({ listenTo: () => User })
    expect(await sentBy(lose)).not.toContain('ROLLBACK')
    expect(await usersOf().count()).toBe(6)
  })

  const expectStored = async (results: readonly [object, boolean][], target: new () => object) => {
    const rows = await db.dataSource.manager.find(target)
    for (const [row] of results) expect(rows).toContainEqual(row)
  }

  test('goes on where a chunk of it is stored', async () => {
    const byRival = beaten(6, (other) => other.insert(User, { email: list[5]?.email as string, name: 'the winner' }))
    const results = await usersOf().getOrCreateMany(list, byRival, { chunkSize: 3 })
    expect(results.map(([, created]) => created)).toEqual([true, true, true, true, true, false])
    await expectStored(results, User)
  })

  test('goes on where a row is stored that went alone', async () => {
    const byRival = beaten(1, (other) => other.insert(Post, { slug: 'b' }))
    const posts = repositoryOf(db.dataSource.manager, Post)
    const results = await posts.getOrCreateMany(
      [{ slug: 'a' }, { slug: 'b' }],
      async ({ slug }) => (slug === 'a' ? { team: { name: 'cascaded' } } : (await byRival()) && {}),
      { chunkSize: 1 },
    )
    expect(results.map(([, created]) => created)).toEqual([true, false])
    await expectStored(results, Post)
  })

  test('goes on where it was opened by the caller', async () => {
    const sent = await sentBy(() =>
      db.dataSource.transaction((manager) => {
        const byRival = beaten(6, (other) => other.insert(User, winners()))
        return usersOf(manager).getOrCreateMany(list, byRival)
      }),
    )
    expect(sent).not.toContain('ROLLBACK')
    expect(await usersOf().count()).toBe(6)
  })

  test('goes on where the row in the way is none of those it looks for, and tells the original error', async () => {
    await usersOf().insert({ email: 'other@x', name: 'other', handle: 'h3' })
    const call = usersOf().getOrCreateMany(list, (_criteria, n) => ({ name: 'n', handle: `h${n}` }))
    expect(isUniqueViolation(await failureOf(call))).toBe(true)
    expect(await usersOf().count()).toBe(1)
  })
})

describe.each(surroundings)('%s', (_where, within) => {
  test('rows that someone else stored meanwhile are found, and stay as they are', async () => {
    const results = await within(db.dataSource, (manager) =>
      usersOf(manager).getOrCreateMany(
        list,
        beaten(6, (other) => other.insert(User, winners())),
      ),
    )

    expect(results.map(([, created]) => created)).toEqual([true, false, true, true, false, true])
    expect(results.map(([{ name }]) => name)).toEqual(
      results.map(([, created]) => (created ? 'the loser' : 'the winner')),
    )
    for (const [user] of results) expect(user).toEqual(await usersOf().findOneByOrFail({ email: user.email }))
  })

  test('all of the rows may be lost', async () => {
    const results = await within(db.dataSource, (manager) =>
      usersOf(manager).getOrCreateMany(
        list,
        beaten(6, (other) =>
          other.insert(
            User,
            [...list].reverse().map((user) => ({ ...user, name: 'the winner' })),
          ),
        ),
      ),
    )

    expect(results.map(([{ name }, created]) => [name, created])).toEqual(list.map(() => ['the winner', false]))
  })

  test('a lost row has the relations that were asked for', async () => {
    const [team] = await repositoryOf(db.dataSource.manager, Team).getOrCreate({ name: 'A' })
    const results = await within(db.dataSource, (manager) =>
      usersOf(manager).getOrCreateMany(
        list,
        beaten(6, (other) =>
          other.insert(
            User,
            winners().map((user) => ({ ...user, team })),
          ),
        ),
        { relations: { team: true } },
      ),
    )

    expect(results.map(([user]) => user.team)).toEqual([null, team, null, null, team, null])
  })

  test('a lost race writes nothing to the row of the winner, also by its primary key', async () => {
    const countries = list.map((_, n) => ({ code: `C${n}` }))
    const stored = { code: 'C3', name: 'the winner' }
    const results = await within(db.dataSource, (manager) =>
      repositoryOf(manager, Country).getOrCreateMany(
        countries,
        beaten(6, (other) => other.insert(Country, stored)),
      ),
    )

    expect(results[3]).toEqual([stored, false])
    expect(createdIn(results)).toBe(5)
  })

  test('BeforeInsert ran once for every row, AfterInsert for those that are ours', async () => {
    const events: string[] = []
    db.dataSource.subscribers.push({
      listenTo: () => User,
      beforeInsert: ({ entity }) => {
        if (entity.name === 'the loser') events.push(`before ${entity.email}`)
      },
      afterInsert: ({ entity }) => {
        if (entity.name === 'the loser') events.push(`after ${entity.email}`)
      },
    })
    await within(db.dataSource, (manager) =>
      usersOf(manager).getOrCreateMany(
        list,
        beaten(6, (other) => other.insert(User, winners())),
      ),
    )

    const lost = winners().map(({ email }) => email)
    const ours = list.filter(({ email }) => !lost.includes(email))
    expect(events.sort()).toEqual(
      [...list.map(({ email }) => `before ${email}`), ...ours.map(({ email }) => `after ${email}`)].sort(),
    )
  })

  test('someone else who takes another unique key meanwhile is the original error', async () => {
    const failure = await within(db.dataSource, (manager) => {
      const lost = beaten(6, (other) => other.insert(User, { email: 'other@x', name: 'other', handle: 'h3' }))
      const call = usersOf(manager).getOrCreateMany(list, async (_criteria, n) => ({
        ...(await lost()),
        handle: `h${n}`,
      }))
      return failureOf(call)
    })

    expect(isUniqueViolation(failure)).toBe(true)
  })

  test('calls at once for the same keys create each row once', async () => {
    const results = await within(db.dataSource, (manager) =>
      Promise.all(
        numbered(5, (caller) =>
          usersOf(manager).getOrCreateMany(inOrderOf(caller, keys), { name: `caller ${caller}` }),
        ),
      ),
    )

    expect(createdIn(results.flat())).toBe(200)
    await expectRows(
      results.flat().map(([user]) => user),
      200,
    )
  })

  test('calls at once neither lose nor undo anything when one of them fails', async () => {
    await usersOf().insert({ email: 'other@x', name: 'other', handle: 'taken' })
    const outcomes = await within(db.dataSource, (manager) =>
      Promise.allSettled([
        usersOf(manager).getOrCreateMany(keys, { name: 'good' }, { chunkSize: 30 }),
        usersOf(manager).getOrCreateMany([{ email: 'bad@x' }, { email: 'worse@x' }], { name: 'bad', handle: 'taken' }),
        tagsOf(manager).getOrCreateMany(numbered(50, (n) => ({ label: `tag ${n}` }))),
        tagsOf(manager).getOrCreate({ label: 'single' }),
      ]),
    )

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(await usersOf().countBy({ name: 'good' })).toBe(200)
    expect(await tagsOf().count()).toBe(51)
  })
})

test('outside a transaction, a lost race leaves nothing of ours open', async () => {
  await usersOf().getOrCreateMany(
    list,
    beaten(6, (other) => other.insert(User, winners())),
  )
  const sent = await db.statements.of(() => usersOf().getOrCreateMany(list))
  expect(kindsOf(sent)).toEqual(['SELECT'])
})

describe('in a transaction of the caller whose snapshot is older than the winners', () => {
  const levels = database.isolationLevels.length > 0 ? database.isolationLevels : [undefined]
  const aborts = (level: IsolationLevel | undefined) => (level && database.lostRaceAborts[level]) ?? []
  const transactionAt = <T>(level: IsolationLevel | undefined, work: (manager: EntityManager) => Promise<T>) =>
    level ? db.dataSource.transaction(level, work) : db.dataSource.transaction(work)

  /** The transaction reads before the rival writes. */
  const lateCall = (level: IsolationLevel | undefined) =>
    transactionAt(level, async (manager) => {
      await manager.find(Team)
      return usersOf(manager).getOrCreateMany(
        list,
        beaten(6, (other) => other.insert(User, winners())),
      )
    })

  test.each(levels.filter((level) => aborts(level).length === 0))('they are found (%s)', async (level) => {
    const results = await lateCall(level)

    expect(results.map(([, created]) => created)).toEqual([true, false, true, true, false, true])
  })

  // Where reads lock, the rival would wait for us, and we for the rival.
  const hiding = levels.filter((level) => !database.snapshotHidesWinner && aborts(level).length > 0)
  if (hiding.length > 0) {
    test.each(hiding)('the error says that the transaction has to run again (%s)', async (level) => {
      const failure = await failureOf(lateCall(level))

      expect(isTransientFailure(failure)).toBe(true)
      expect(aborts(level)).toContain((failure as { driverError?: { code?: string } }).driverError?.code)
      expect(await usersOf().countBy({ name: 'the loser' })).toBe(0)
    })
  }
})

if (database.locks) {
  describe('someone else who has not committed yet', () => {
    let observer: Observer
    let you: Duellist
    let other: Duellist

    beforeEach(async () => {
      ;[observer, you, other] = await Promise.all([observe(db), joinDuel(db), joinDuel(db)])
    })

    const yourCall = (defaults: ManyDefaults<User> = { name: 'yours' }, options: GetOrCreateManyOptions<User> = {}) =>
      usersOf(you.dataSource.manager).getOrCreateMany(list, defaults, options)

    /** The other one holds a row that you want, and does what it does while you wait for it. */
    async function whileYouWait(
      call: () => Promise<[User, boolean][]>,
      end: 'commit' | 'rollback',
      theirs: (manager: EntityManager) => Promise<unknown> = async () => undefined,
    ): Promise<[User, boolean][]> {
      const runner = other.dataSource.createQueryRunner()
      await runner.startTransaction()
      await runner.query(database.locks?.survivesDeadlocks as string)
      if (database.locks?.looksForDeadlocksLate) await you.dataSource.query(database.locks.looksForDeadlocksLate)
      await runner.manager.insert(User, { email: 'u4@x', name: 'the other' })
      const running = call()
      running.catch(() => undefined)
      await observer.untilSettledOrWaiting(running, you)
      await theirs(runner.manager)
      await (end === 'commit' ? runner.commitTransaction() : runner.rollbackTransaction())
      await runner.release()
      return running
    }

    /** You hold this row already: now each waits for the other. */
    const closeTheCircle = (manager: EntityManager) => manager.insert(User, { email: 'u1@x', name: 'the other' })

    test('is waited for, and its row is found when it commits', async () => {
      const results = await whileYouWait(yourCall, 'commit')

      expect(results.map(([, created]) => created)).toEqual(list.map(({ email }) => email !== 'u4@x'))
    })

    test('is waited for, and its row is created when it rolls back', async () => {
      expect(createdIn(await whileYouWait(yourCall, 'rollback'))).toBe(6)
    })

    test('and deadlocks with you costs another try, which asks for no defaults again', async () => {
      const defaults = jest.fn(() => ({ name: 'yours' }))
      const progress: number[] = []
      const options = { chunkSize: 2, onProgress: ({ done }: { done: number }) => progress.push(done) }
      const results = await whileYouWait(() => yourCall(defaults, options), 'commit', closeTheCircle)

      expect(results.map(([{ name }, created]) => [name, created])).toEqual(
        list.map(({ email }) => (['u1@x', 'u4@x'].includes(email) ? ['the other', false] : ['yours', true])),
      )
      expect(defaults).toHaveBeenCalledTimes(6)
      expect(await usersOf().count()).toBe(6)
      // What was reported before the deadlock is not reported again.
      expect(progress).toEqual([...new Set(progress)].sort((one, other) => one - other))
      expect(progress.at(-1)).toBe(6)
    })

    test('and deadlocks with you is an error when the only attempt is over, and nothing of yours is stored', async () => {
      const call = () => yourCall({ name: 'yours' }, { attempts: 1 })
      const failure = await failureOf(whileYouWait(call, 'commit', closeTheCircle))

      expect(isTransientFailure(failure)).toBe(true)
      expect(await usersOf().countBy({ name: 'yours' })).toBe(0)
    })

    test('and deadlocks with your transaction is an error for you to handle', async () => {
      const call = () =>
        you.dataSource.transaction((manager) => usersOf(manager).getOrCreateMany(list, { name: 'yours' }))
      const failure = await failureOf(whileYouWait(call, 'commit', closeTheCircle))

      expect(isTransientFailure(failure)).toBe(true)
      expect(await usersOf().countBy({ name: 'yours' })).toBe(0)
    })

    test.each(database.isolationLevels)('is found whatever the level of your session is (%s)', async (level) => {
      await you.dataSource.query(database.locks?.sessionLevel(level) as string)
      const results = await whileYouWait(yourCall, 'commit')

      expect(results.map(([, created]) => created)).toEqual(list.map(({ email }) => email !== 'u4@x'))
    })
  })
}
