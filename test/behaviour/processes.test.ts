import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { entities, User } from '../entities.js'
import { type HammerReport, hammer } from '../hammer.js'
import type { Order } from './process-worker.js'

const typeormLine = pathToFileURL(join(__dirname, '../typeorm-line.mjs')).href
const PROCESSES = 4
const CALLS = 500
const KEYS = 100
/** Without a divisor in common with the number of keys, so that each order visits all of them. */
const strides = [1, 3, 7, 99]

let db: OpenDatabase

beforeAll(async () => {
  db = await openDatabase(entities)
})
afterAll(() => db.close())

function start(stride: number): ChildProcess {
  const worker = fork(join(__dirname, 'process-worker.ts'), {
    execArgv: ['--import', '@swc-node/register/esm-register', '--import', typeormLine],
  })
  const { entities: _, ...options } = db.options as unknown as Record<string, unknown>
  worker.send({ options, calls: CALLS, keys: KEYS, stride } as unknown as Order)
  return worker
}

/** What the process says next; one that ends instead fails the test. */
async function answerOf<T>(worker: ChildProcess): Promise<T> {
  const silence = once(worker, 'exit').then(([code]) => {
    throw new Error(`The process ended with ${code} before it had answered.`)
  })
  const [answer] = await Promise.race([once(worker, 'message'), silence])
  return answer as T
}

async function inProcesses(): Promise<HammerReport[]> {
  const workers = strides.map(start)
  await Promise.all(workers.map((worker) => answerOf<'ready'>(worker)))
  for (const worker of workers) worker.send('go')
  return Promise.all(workers.map((worker) => answerOf<HammerReport>(worker)))
}

/** Where the database lives in the memory of one process, all callers do. */
const inThisProcess = () => Promise.all(strides.map((stride) => hammer(db.dataSource, CALLS, KEYS, stride)))

const where = database.isSharedByProcesses ? `${PROCESSES} processes` : 'one process'

test(`of 2000 calls for 100 keys in ${where} exactly 100 create, all get the same rows, and none fails`, async () => {
  const reports = await (database.isSharedByProcesses ? inProcesses() : inThisProcess())
  expect(reports.flatMap(({ errors }) => errors)).toEqual([])
  const created = reports.flatMap((report) => report.created)
  expect(created).toHaveLength(KEYS)
  expect(new Set(created).size).toBe(KEYS)
  const rows = await db.dataSource.manager.find(User)
  expect(rows).toHaveLength(KEYS)
  const idOf = new Map(rows.map(({ email, id }) => [email, id]))
  const answers = reports.flatMap(({ ids }) => ids)
  expect(answers).toHaveLength(PROCESSES * CALLS)
  expect(answers.filter(([key, id]) => idOf.get(key) !== id)).toEqual([])
})
