import { mkdirSync, writeFileSync } from 'node:fs'
import { contenders } from './contenders/index.js'
import { ContenderProcess } from './processes.js'
import { hottest } from './profile.js'
import { SEEDED_ROWS } from './workloads.js'

/** Contenders that wait in processes of their own for their turn, and have one in each round. */
export class Field {
  #children = new Map()
  #failures = new Map()
  #tables = []
  #settled = new Set()

  constructor(type, plan, server, affinity, progress, names) {
    Object.assign(this, { type, plan, server, affinity, names })
    this.progress = (text) => progress(`${type}, ${text}`)
  }

  async enter() {
    this.progress(`starting ${this.names.length} contenders`)
    for (const name of this.names) this.#children.set(name, new ContenderProcess(name))
    for (const [name, child] of this.#children) await this.#attempt(name, () => child.ready())
  }

  /** A table for each contender; where a number of rows is given, one for all of them, which only read it then. */
  async open(table, sharedRows) {
    const shared = sharedRows && (await this.server.createDatabase(table, sharedRows))
    const rows = sharedRows ?? SEEDED_ROWS
    for (const [name, child] of this.#children) {
      await this.#attempt(name, async () => {
        const url = shared ?? (await this.server.createDatabase(name))
        const connections = shared ? 1 : this.plan.connections
        await child.ask('open', { table, rows, target: { type: this.type, url, connections } })
        this.#tables.push({ name, child, table, url, rows })
      })
    }
  }

  async run(table, workload, settings) {
    const byVariant = await this.runAll(workload, settings, [{ name: 'only', table }])
    return byVariant.only
  }

  /** What was done by variant and contender, a slice for each round: all variants of all contenders have their turn in each. */
  async runAll(workload, settings, variants) {
    const taking = this.names.filter(
      (name) => (settings.contenders ?? this.names).includes(name) && isIn(name, workload),
    )
    const turns = taking.flatMap((name) =>
      variants.map((variant) => ({ name, variant, settings: { ...settings, ...variant } })),
    )
    const slices = Object.fromEntries(
      variants.map((variant) => [variant.name, Object.fromEntries(taking.map((name) => [name, []]))]),
    )
    await this.#place(taking, settings)
    if (!this.plan.isCheck) await this.#warmUp(turns)
    const { leadIn, milliseconds } = this.plan
    const rounds = Math.min(this.plan.rounds, settings.rounds ?? Number.POSITIVE_INFINITY)
    for (let round = 0; round < rounds; round++) {
      this.progress(`${settings.title}: round ${round + 1} of ${rounds}`)
      await this.#place(taking, settings)
      for (const { name, variant, settings } of shuffled(turns, round)) {
        slices[variant.name][name].push(
          await this.#slice(name, settings, { leadIn: settings.isLong ? 0 : leadIn, milliseconds }),
        )
      }
    }
    if (this.plan.isProfile) await this.#profile(turns, workload)
    return slices
  }

  /**
   * A contender's first time takes long: all that every call does is compiled in it. By then the first of them have waited
   * long, so that everyone has a short one too.
   */
  async #warmUp(turns) {
    const { settle, warmUp } = this.plan
    const newcomers = turns.filter(({ name }, index) => {
      return !this.#settled.has(name) && turns.findIndex((turn) => turn.name === name) === index
    })
    for (const { name, settings } of newcomers) {
      this.progress(`${settings.title}: compiling ${name}`)
      await this.#slice(name, settings, settle)
      this.#settled.add(name)
    }
    for (const { name, settings } of turns.filter(({ settings }) => !settings.isWarm)) {
      this.progress(`${settings.title}: warming up ${name}`)
      await this.#slice(name, settings, { milliseconds: warmUp })
    }
  }

  async #slice(name, { table, method, callers, size }, duration) {
    const question = { table, workload: method, callers, size, ...duration }
    return this.#attempt(name, () => this.#children.get(name).ask('slice', question))
  }

  async #place(names, { callers, isApart }) {
    if (this.plan.isCheck) return
    const clients = names.filter((name) => !this.#failures.has(name)).map((name) => this.#children.get(name).pid)
    const servers = await this.server.pids()
    if (servers.length === 0) this.affinity.impossible ??= 'the server runs on another machine or in a container'
    if (callers === 1 && !isApart) this.affinity.together(clients, servers)
    else this.affinity.apart(clients, servers)
  }

  async #profile(turns, workload) {
    const folder = new URL('profiles/', import.meta.url)
    mkdirSync(folder, { recursive: true })
    // On one CPU, the server would work while the client is in its `write`, and be counted there.
    await this.#place([...new Set(turns.map(({ name }) => name))], { callers: 1, isApart: true })
    for (const { name, settings } of turns.filter((turn) => this.plan.contenders.includes(turn.name))) {
      this.progress(`${settings.title}: profiling ${name}`)
      const child = this.#children.get(name)
      await child.ask('profile', { isOn: true })
      await this.#slice(name, settings, { milliseconds: 4_000 })
      const profile = await child.ask('profile', { isOn: false })
      const file = new URL(`${this.type}-${name}-${workload}.cpuprofile`, folder)
      writeFileSync(file, JSON.stringify(profile))
      console.log(`\n${file.pathname}\n${hottest(profile)}`)
    }
  }

  /** What is wrong with each contender's answers, or with what it left in the tables. */
  async judge() {
    for (const { name, child, table, url, rows } of this.#tables) {
      await this.#attempt(name, async () => {
        const { wrong, newRows } = await child.ask('state', { table })
        if (wrong.count > 0) throw new Error(`${wrong.count} wrong answers, the first: ${wrong.first}`)
        const counted = await this.server.count(url)
        if (counted !== rows + newRows) throw new Error(`${counted} rows in the table, ${rows + newRows} expected`)
      })
    }
    return Object.fromEntries(this.#failures)
  }

  /** A contender that fails is out; the others go on. */
  async #attempt(name, work) {
    if (this.#failures.has(name)) return undefined
    try {
      return await work()
    } catch (error) {
      this.#failures.set(name, error.message)
    }
  }

  async leave() {
    await Promise.allSettled([...this.#children.values()].map((child) => child.close()))
    await this.server.dropDatabases()
  }
}

const isIn = (name, workload) => contenders[name].workloads?.includes(workload) ?? true

/** Another order in each round, the same in each run, so that nobody always comes after the same neighbour. */
function shuffled(turns, round) {
  const rank = (index) => Math.sin((round + 1) * 1e4 + index * 7.77) * 1e4
  const order = turns.map((turn, index) => ({ turn, rank: rank(index) - Math.floor(rank(index)) }))
  return order.sort((one, other) => one.rank - other.rank).map(({ turn }) => turn)
}
