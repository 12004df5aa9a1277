import type { EntityManager } from 'typeorm'
import { type GetOrCreateRepository, InvalidOptionsError, withGetOrCreate } from '../../src/index.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { entities, Team, User } from '../entities.js'
import { failureOf } from '../failures.js'
import { openRival, type Rival } from '../rival.js'

/** A library that opens a transaction around a method, without handing a manager to the code inside. */
export interface Carrier {
  /** Runs `work` inside a method that the library's decorator makes transactional. */
  inTransactionalMethod<T>(work: () => Promise<T>): Promise<T>
  /** Our repository as code anywhere in the application reaches it. */
  users(): GetOrCreateRepository<User>
  manager(): EntityManager
  close(): Promise<void>
}

type Users = GetOrCreateRepository<User>
type Call = (users: Users, email: string) => Promise<unknown>

const calls: [name: string, call: Call][] = [
  ['getOrCreate', (users, email) => users.getOrCreate({ email }, { name: 'new' })],
  ['getOrCreateInTransaction', (users, email) => users.getOrCreateInTransaction({ email }, { name: 'new' })],
  ['updateOrCreate', (users, email) => users.updateOrCreate({ email }, { name: 'new' })],
  ['getOrCreateMany', (users, email) => users.getOrCreateMany([{ email }], { name: 'new' })],
]

/** What every such library must do for us, and we for it. */
export function testThatItCarriesOurCalls(open: (db: OpenDatabase, users: Users) => Promise<Carrier>): void {
  let db: OpenDatabase
  let rival: Rival
  let carrier: Carrier

  beforeAll(async () => {
    db = await openDatabase(entities)
    rival = await openRival(db)
    carrier = await open(db, withGetOrCreate(db.dataSource.getRepository(User)))
  })
  afterAll(async () => {
    await carrier?.close()
    await db.close()
  })

  const isStored = (email: string) => db.dataSource.getRepository(User).existsBy({ email })
  const insertTeam = (name: string) => carrier.manager().insert(Team, { name })

  describe.each(calls)('%s', (name, call) => {
    test('is committed with the method, in its one transaction', async () => {
      const email = `${name}-commits@x`
      const sent = await db.statements.of(() => carrier.inTransactionalMethod(() => call(carrier.users(), email)))
      expect(sent.filter((sql) => /^(START|BEGIN|SAVEPOINT)/.test(sql))).toHaveLength(1)
      expect(await isStored(email)).toBe(true)
    })

    test('is undone when the method throws', async () => {
      const email = `${name}-rolls-back@x`
      const thrown = new Error('thrown after the call')
      const method = carrier.inTransactionalMethod(async () => {
        await call(carrier.users(), email)
        throw thrown
      })
      expect(await failureOf(method)).toBe(thrown)
      expect(await isStored(email)).toBe(false)
    })

    test('works as ever outside of such a method', async () => {
      const email = `${name}-outside@x`
      await call(carrier.users(), email)
      expect(await isStored(email)).toBe(true)
    })
  })

  test('a race that is lost inside the method leaves its transaction usable', async () => {
    const email = 'lost@x'
    const [user, created] = await carrier.inTransactionalMethod(async () => {
      await insertTeam('before')
      const result = await carrier.users().getOrCreate({ email }, async () => {
        await rival.act((other) => other.insert(User, { email, name: 'the winner' }))
        return { name: 'the loser' }
      })
      await insertTeam('after')
      return result
    })
    expect([user.name, created]).toEqual(['the winner', false])
    expect(await db.dataSource.getRepository(Team).countBy([{ name: 'before' }, { name: 'after' }])).toBe(2)
  })

  test('getOrCreateInTransaction joins the method: its work is undone with it, and its level is the method’s', async () => {
    const method = carrier.inTransactionalMethod(async () => {
      const work = (_: unknown, manager: EntityManager) => manager.insert(Team, { name: 'of the work' })
      await carrier.users().getOrCreateInTransaction({ email: 'joins@x' }, { name: 'new' }, { work })
      const isolationLevel = 'SERIALIZABLE'
      await carrier.users().getOrCreateInTransaction({ email: 'level@x' }, { name: 'new' }, { isolationLevel })
    })
    expect(await failureOf(method)).toBeInstanceOf(InvalidOptionsError)
    expect(await isStored('joins@x')).toBe(false)
    expect(await db.dataSource.getRepository(Team).existsBy({ name: 'of the work' })).toBe(false)
  })

  // TypeORM's own transactions overlap on a shared connection.
  if (database.hasConnections) {
    test('of twenty methods at once one creates the row', async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, () =>
          carrier.inTransactionalMethod(() => carrier.users().getOrCreate({ email: 'many@x' }, { name: 'new' })),
        ),
      )
      expect(results.filter(([, created]) => created)).toHaveLength(1)
      expect(new Set(results.map(([{ id }]) => id)).size).toBe(1)
    })
  }
}
