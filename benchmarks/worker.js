/** One contender, driven by messages from its parent: `open`, `slice`, `state`, `profile`, `close`. */
import { Session } from 'node:inspector/promises'
import { contenders } from './contenders/index.js'
import { Workloads } from './workloads.js'

const contender = contenders[process.argv[2]]
const { open } = await import(`./contenders/${contender.file}`)
/** One of each table: most contenders have one. */
const tables = new Map()
const inspector = new Session()

const answers = {
  async open({ table, rows, target }) {
    const methods = await open(target, contender.options)
    tables.set(table, { methods, workloads: new Workloads(contender, methods, rows) })
  },

  /** The lead-in does the same and does not count: it fills the caches that others have emptied. */
  async slice({ leadIn, milliseconds, ...work }) {
    if (leadIn) await run(work, leadIn)
    const cpu = process.cpuUsage()
    const start = performance.now()
    const units = await run(work, milliseconds)
    const seconds = (performance.now() - start) / 1000
    const { user, system } = process.cpuUsage(cpu)
    return { rate: units / seconds, cpu: (user + system) / units }
  },

  async state({ table }) {
    const { newRows, wrong } = tables.get(table).workloads
    return { newRows, wrong }
  },

  async profile({ isOn }) {
    if (!isOn) {
      const { profile } = await inspector.post('Profiler.stop')
      inspector.disconnect()
      return profile
    }
    inspector.connect()
    await inspector.post('Profiler.enable')
    await inspector.post('Profiler.setSamplingInterval', { interval: 200 })
    await inspector.post('Profiler.start')
  },

  async close() {
    for (const { methods } of tables.values()) await methods.close()
  },
}

async function run({ table, workload, callers, size, limit = Number.POSITIVE_INFINITY }, milliseconds) {
  const { workloads } = tables.get(table)
  const end = performance.now() + milliseconds
  let units = 0
  async function caller() {
    do {
      const done = await workloads[workload](size)
      units += done
    } while (performance.now() < end && units < limit)
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return units
}

process.on('message', async ({ question, ...parameters }) => {
  try {
    process.send({ answer: await answers[question](parameters) })
  } catch (error) {
    process.send({ error: error.message || String(error) })
  }
  if (question === 'close') process.disconnect()
})
// Also when the parent is gone: open connections would keep this process alive.
process.on('disconnect', () => process.exit())
process.send({ answer: 'ready' })
