import { BASELINE, contenders, FLOOR } from './contenders/index.js'
import { Field } from './field.js'
import { workloads } from './plan.js'

/**
 * All workloads on one database. Gives what was done in each workload, by contender and round, and what was wrong with
 * anyone's answers.
 */
export async function measureDatabase(type, plan, server, affinity, progress) {
  const measured = { results: {}, rows: undefined, keys: undefined, wrong: {} }
  const fieldOf = (names) => new Field(type, plan, server, affinity, progress, names)
  const main = Object.keys(workloads).filter((workload) => plan.workloads.includes(workload))
  const names = contendersOn(type, plan)
  insistOnConnections(names.length * plan.connections, server.maxConnections)
  if (main.length > 0 || plan.workloads.includes('keys')) {
    await inField(fieldOf(names), measured, async (field) => {
      await field.open('users')
      for (const workload of main) {
        const settings = { ...workloads[workload], size: plan.sizes.bulk }
        measured.results[workload] = await field.run('users', workload, settings)
      }
      if (plan.workloads.includes('keys')) measured.keys = await measureKeys(field, type, plan.sizes.keys)
    })
  }
  if (plan.workloads.includes('rows')) {
    const readers = names.filter((name) => isIn(name, 'rows') && READERS.includes(contenders[name].file))
    await inField(fieldOf(readers), measured, async (field) => {
      measured.rows = await measureRows(field, plan.sizes.rows)
    })
  }
  return measured
}

function insistOnConnections(wanted, possible) {
  if (wanted < possible) return
  throw new Error(`${wanted} connections are wanted, the server takes ${possible}: see --connections and --contenders.`)
}

async function inField(field, measured, work) {
  try {
    await field.enter()
    await work(field)
    Object.assign(measured.wrong, await field.judge())
  } finally {
    await field.leave()
  }
}

/** Contenders whose hits write nothing, so that they can share a table of a million rows. */
const READERS = ['ours.js', 'find-one-by.js', 'pg.js', 'mysql2.js']

/** By number of rows: one caller that hits. */
async function measureRows(field, sizes) {
  const settings = { ...workloads['hit-1'], title: 'hit, 1 caller, as the table grows' }
  for (const rows of sizes) await field.open(tableOf(rows), rows)
  return field.runAll(
    'rows',
    settings,
    sizes.map((rows) => ({ name: rows, table: tableOf(rows) })),
  )
}

const tableOf = (rows) => `rows_${rows}`

/** Fewer than elsewhere: a list of ten thousand is a long turn. */
const KEYS_ROUNDS = 3

/** By number of keys: one caller that gets or creates them, half of them new. */
function measureKeys(field, type, sizes) {
  const settings = {
    ...workloads.bulk,
    title: 'many keys, as they become more',
    rounds: KEYS_ROUNDS,
    isWarm: true,
    contenders: ['ours', 'helper', FLOOR[type]],
  }
  return field.runAll(
    'keys',
    settings,
    sizes.map((size) => ({ name: size, table: 'users', size })),
  )
}

export function contendersOn(type, plan) {
  const wanted = new Set([...plan.contenders, ...Object.values(BASELINE), FLOOR[type]])
  return Object.keys(contenders).filter((name) => wanted.has(name) && isOn(type, name))
}

const isOn = (type, name) => contenders[name].databases?.includes(type) ?? true

const isIn = (name, workload) => contenders[name].workloads?.includes(workload) ?? true
