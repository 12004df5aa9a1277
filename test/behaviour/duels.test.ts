import type { DataSource, EntityManager } from 'typeorm'
import { type GetOrCreateRepository, getOrCreateMixin, type Strategy } from '../../src/index.js'
import { database, type IsolationLevel, type OpenDatabase, openDatabase } from '../databases.js'
import { type Duellist, gate, joinDuel, type Observer, observe, stopBefore } from '../duel.js'
import { entities, Team, User } from '../entities.js'
import { DuelTable, serverName, writeTable, writtenTable } from '../isolation-page.js'

/** What the other one does, once you have looked and before you insert. */
const duels = {
  'commits before you insert': { endsBy: 'commit', isWaitedFor: false, vanishes: false },
  'commits while you wait for it': { endsBy: 'commit', isWaitedFor: true, vanishes: false },
  'rolls back while you wait for it': { endsBy: 'rollback', isWaitedFor: true, vanishes: false },
  'commits, and deletes the row before you read it': { endsBy: 'commit', isWaitedFor: false, vanishes: true },
} as const
type Duel = (typeof duels)[keyof typeof duels]

interface Terms {
  readonly email: string
  readonly strategy: Strategy
  readonly isInTransaction: boolean
  readonly level: IsolationLevel | undefined
}

interface Side {
  readonly dataSource: DataSource
  readonly users: GetOrCreateRepository<User>
}

/** `created`, `found`, or the code of the database's error. */
interface Outcome {
  readonly word: string
  readonly user?: User
}

/** The other side of a duel. Each step returns when it is done or waits for a lock of yours. */
interface Other {
  insert(): Promise<void>
  end(): Promise<void>
  vanish(): Promise<void>
  /** How it ended, and how many rows it left behind. */
  result(): Promise<{ word: string; rows: number }>
}

async function outcomeOf(call: Promise<[User, boolean]>): Promise<Outcome> {
  try {
    const [user, created] = await call
    return { word: created ? 'created' : 'found', user }
  } catch (error) {
    const { errno, code } = (error as { driverError?: { errno?: number; code?: string } }).driverError ?? {}
    if (!errno && !code) throw error
    return { word: `error ${errno ?? code}` }
  }
}

function transaction<T>({ dataSource }: Side, { level }: Terms, work: (manager: EntityManager) => Promise<T>) {
  // Most transactions have read something before: on some databases that fixes what they can see.
  const afterARead = async (manager: EntityManager) => {
    await manager.find(Team)
    return work(manager)
  }
  return level ? dataSource.transaction(level, afterARead) : dataSource.transaction(afterARead)
}

function yourCall(you: Side, terms: Terms): Promise<[User, boolean]> {
  const call = (users: GetOrCreateRepository<User>) =>
    users.getOrCreate({ email: terms.email }, { name: 'you' }, { strategy: terms.strategy })
  if (!terms.isInTransaction) return call(you.users)
  return transaction(you, terms, (manager) => call(manager.withRepository(you.users)))
}

function onAnotherConnection(observer: Observer, other: Duellist, terms: Terms, { endsBy }: Duel): Other {
  const hasInserted = gate()
  const mayEnd = gate()
  const rollback = new Error('The other one rolls back.')
  let removal: Promise<{ affected?: number | null }> = Promise.resolve({ affected: 0 })
  const run = async () => {
    let outcome: Outcome = { word: 'nothing' }
    try {
      outcome = await outcomeOf(
        transaction(other, terms, async (manager) => {
          const result = await manager
            .withRepository(other.users)
            .getOrCreate({ email: terms.email }, { name: 'the other' }, { strategy: terms.strategy })
          outcome = { word: result[1] ? 'created' : 'found' }
          hasInserted.open()
          await mayEnd.opened
          if (endsBy === 'rollback') throw rollback
          return result
        }),
      )
    } catch (error) {
      if (error !== rollback) throw error
    }
    return { word: outcome.word, rows: outcome.word === 'created' && endsBy === 'commit' ? 1 : 0 }
  }
  let running: ReturnType<typeof run>
  return {
    async insert() {
      running = run()
      await observer.untilSettledOrWaiting(Promise.race([hasInserted.opened, running]), other)
    },
    async end() {
      mayEnd.open()
      await observer.untilSettledOrWaiting(running, other)
    },
    async vanish() {
      removal = running.then(() => other.users.delete({ email: terms.email, name: 'the other' }))
      await observer.untilSettledOrWaiting(removal, other)
    },
    async result() {
      const { word, rows } = await running
      return { word, rows: rows - ((await removal).affected ?? 0) }
    },
  }
}

/** Where there is one connection, what others write on it comes between two statements of yours. */
function onYourConnection({ dataSource }: Side, { email }: Terms): Other {
  let rows = 0
  return {
    async insert() {
      await dataSource.manager.insert(User, { email, name: 'the other' })
      rows++
    },
    async end() {},
    async vanish() {
      await dataSource.manager.delete(User, { email })
      rows--
    },
    result: async () => ({ word: 'created', rows }),
  }
}

async function fight(duel: Duel, you: Side, other: Other, terms: Terms, untilYouWait: UntilYouWait): Promise<string> {
  const yourInsert = stopBefore(you.dataSource, /^INSERT INTO .user\b/)
  const running = outcomeOf(yourCall(you, terms))
  await Promise.race([yourInsert.reached, running])
  await other.insert()
  if (!duel.isWaitedFor) await other.end()
  const yourRead = duel.vanishes ? stopBefore(you.dataSource, /^SELECT .* FROM .user\b/) : undefined
  yourInsert.pass()
  if (duel.isWaitedFor) {
    if ((await untilYouWait(running)) === 'settled') expect((await running).word).toMatch(/^error/)
    await other.end()
  }
  if (yourRead) {
    await Promise.race([yourRead.reached, running])
    await other.vanish()
    yourRead.pass()
  }
  const yours = await running
  const theirs = await other.result()
  await expectHonesty(you, terms, yours, theirs.rows)
  return theirs.word === 'created' ? yours.word : `${yours.word}; the other: ${theirs.word}`
}
type UntilYouWait = (running: Promise<unknown>) => Promise<'settled' | 'waiting'>

/** Whatever the level: `created` stands for a row of yours, `found` for one of the other's, an error for no row. */
async function expectHonesty({ users }: Side, { email }: Terms, { word, user }: Outcome, rowsOfTheOther: number) {
  const stored = await users.findBy({ email })
  expect(stored).toHaveLength(rowsOfTheOther + (word === 'created' ? 1 : 0))
  if (user) expect(user).toMatchObject({ email, name: word === 'created' ? 'you' : 'the other' })
}

const labels = ['the other', 'you are', 'strategy']
const levels = database.isolationLevels.length > 0 ? database.isolationLevels : [undefined]
const settings = database.locks?.settings ?? [{ title: '', sql: 'SELECT 1' }]
const possibleDuels = Object.entries(duels).filter(([, { isWaitedFor }]) => database.locks || !isWaitedFor)

const cells = possibleDuels.flatMap(([name, duel]) =>
  [false, true].flatMap((isInTransaction) =>
    (['find-first', 'create-first'] as const).flatMap((strategy) =>
      levels.map((level) => ({
        row: [name, isInTransaction ? 'in a transaction' : 'outside', strategy],
        column: level ?? 'its only level',
        duel,
        terms: { strategy, isInTransaction, level },
      })),
    ),
  ),
)

let db: OpenDatabase
let you: Side
let other: Duellist
let observer: Observer
let round = 0

beforeAll(async () => {
  db = await openDatabase(entities)
  if (!database.locks) {
    you = { dataSource: db.dataSource, users: db.dataSource.getRepository(User).extend(getOrCreateMixin()) }
    return
  }
  ;[you, other, observer] = await Promise.all([joinDuel(db), joinDuel(db), observe(db)])
})
afterAll(() => db.close())

async function setUp(sql: string, level: IsolationLevel | undefined): Promise<void> {
  if (!database.locks || !level) return
  for (const { dataSource } of [you, other]) {
    await dataSource.query(sql)
    await dataSource.query(database.locks.sessionLevel(level))
  }
}

describe.each(settings)(`a race on ${serverName()}$title`, ({ title, sql }) => {
  const heading = `${serverName()}${title}`
  const written = writtenTable(heading, labels.length)
  const observed = new DuelTable()

  test.each(cells)('$row.0, you are $row.1, $row.2, $column', async ({ row, column, duel, terms: { ...terms } }) => {
    await setUp(sql, terms.level)
    const all: Terms = { ...terms, email: `duel-${++round}@x` }
    const opponent = database.locks ? onAnotherConnection(observer, other, all, duel) : onYourConnection(you, all)
    const outcome = await fight(duel, you, opponent, all, (running) =>
      observer.untilSettledOrWaiting(running, you as Duellist),
    )
    observed.put(row, column, outcome)
    if (!process.env.UPDATE_DOCS && written) expect(outcome).toBe(written.get(row, column))
  })

  afterAll(() => {
    if (process.env.UPDATE_DOCS) writeTable(heading, observed.toMarkdown(labels))
  })
})

test.each(['PostgreSQL', 'MariaDB', 'MariaDB with innodb_snapshot_isolation', 'SQLite'])(
  'docs/isolation.md says how a race ends on %s',
  (heading) => {
    expect(writtenTable(heading, labels.length)?.rows.size).toBeGreaterThan(0)
  },
)
