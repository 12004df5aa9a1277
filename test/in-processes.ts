import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { OpenDatabase } from './databases.js'

const typeormLine = pathToFileURL(join(__dirname, 'typeorm-line.mjs')).href

/** What the process says next; one that ends instead fails the test. */
async function answerOf<T>(worker: ChildProcess): Promise<T> {
  const silence = once(worker, 'exit').then(([code]) => {
    throw new Error(`The process ended with ${code} before it had answered.`)
  })
  const [answer] = await Promise.race([once(worker, 'message'), silence])
  return answer as T
}

/** Starts a worker per order on the same database, lets all of them begin together, and returns what each reports. */
export async function inProcesses<Report>(db: OpenDatabase, file: string, orders: readonly object[]) {
  const { entities: _, ...options } = db.options as unknown as Record<string, unknown>
  const workers = orders.map((order) => {
    const worker = fork(join(__dirname, file), {
      execArgv: ['--import', '@swc-node/register/esm-register', '--import', typeormLine],
    })
    worker.send({ options, ...order })
    return worker
  })
  await Promise.all(workers.map((worker) => answerOf<'ready'>(worker)))
  for (const worker of workers) worker.send('go')
  return Promise.all(workers.map((worker) => answerOf<Report>(worker)))
}
