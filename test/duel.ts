import type { DataSource, QueryRunner } from 'typeorm'
import { type GetOrCreateRepository, getOrCreateMixin } from '../src/index.js'
import { database, type OpenDatabase } from './databases.js'
import { User } from './entities.js'

/** A promise that is kept from outside. */
export interface Gate {
  readonly opened: Promise<void>
  open(): void
}

export function gate(): Gate {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

type Hook = (sql: string) => unknown
const hooks = new WeakMap<DataSource, Hook[]>()

/** Runs `hook` before each statement of a DataSource is sent, and waits for it. */
export function beforeStatements(dataSource: DataSource, hook: Hook): void {
  const registered = hooks.get(dataSource)
  if (registered) {
    registered.push(hook)
    return
  }
  const all = [hook]
  hooks.set(dataSource, all)
  const watched = new WeakSet<QueryRunner>()
  const createQueryRunner = dataSource.createQueryRunner.bind(dataSource)
  dataSource.createQueryRunner = (mode) => {
    const runner = createQueryRunner(mode)
    // A database with one connection hands out the same runner again and again.
    if (!watched.has(runner)) letHooksGoFirst(runner, all)
    watched.add(runner)
    return runner
  }
}

function letHooksGoFirst(runner: QueryRunner, all: readonly Hook[]): void {
  const query = runner.query.bind(runner) as QueryRunner['query']
  runner.query = (async (...statement: Parameters<QueryRunner['query']>) => {
    for (const hook of all) await hook(statement[0])
    return query(...statement)
  }) as QueryRunner['query']
}

/** A named point in what one side sends: it arrives there, once, and goes no further until it may. */
export interface Stop {
  readonly reached: Promise<void>
  pass(): void
}

export function stopBefore(dataSource: DataSource, statement: RegExp): Stop {
  const arrival = gate()
  const departure = gate()
  let isOver = false
  beforeStatements(dataSource, async (sql) => {
    if (isOver || !statement.test(sql)) return
    isOver = true
    arrival.open()
    await departure.opened
  })
  return { reached: arrival.opened, pass: departure.open }
}

/** One side: a pool of one, so that its session is known. */
export interface Duellist {
  readonly dataSource: DataSource
  readonly users: GetOrCreateRepository<User>
  readonly session: string
}

export async function joinDuel(db: OpenDatabase, poolSize = 1): Promise<Duellist> {
  const { dataSource } = await db.connect({ poolSize })
  const [row] = await dataSource.query(database.locks?.ownSession as string)
  return { dataSource, users: dataSource.getRepository(User).extend(getOrCreateMixin()), session: String(row.id) }
}

/** Sees from a connection of its own who waits for a lock. */
export interface Observer {
  /** Returns when so many sessions wait. */
  untilWaiting(count: number): Promise<void>
  /** Returns when the work is done, or cannot go on because its session waits: which of the two it was. */
  untilSettledOrWaiting(work: Promise<unknown>, { session }: Duellist): Promise<'settled' | 'waiting'>
  kill({ session }: Duellist): Promise<void>
}

export async function observe(db: OpenDatabase): Promise<Observer> {
  const { dataSource } = await db.connect({ poolSize: 1 })
  const { locks } = database
  if (!locks) throw new Error('Nobody waits for anybody on this database: see its capabilities.')
  const waiting = () => locks.waitingSessions((sql) => dataSource.query(sql))
  return {
    async untilWaiting(count) {
      while ((await waiting()).length < count);
    },
    async untilSettledOrWaiting(work, { session }) {
      let isSettled = false
      const settled = () => {
        isSettled = true
      }
      work.then(settled, settled)
      while (!isSettled) if ((await waiting()).includes(session)) return 'waiting'
      return 'settled'
    },
    async kill({ session }) {
      await dataSource.query(locks.kill(session))
    },
  }
}
