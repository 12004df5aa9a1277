import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/**
 * Where processes run. With one caller, client and server take turns: the scheduler sometimes keeps them together and
 * sometimes apart, and the same call takes 30 or 110 µs. So they share one CPU then, and have one each where many callers
 * keep both busy.
 */
export class Affinity {
  #before = new Map()
  #now = new Map()
  /** Why processes stay where the scheduler puts them. */
  impossible = undefined

  constructor() {
    if (process.platform !== 'linux') this.impossible = `not on ${process.platform}`
    else if (availableParallelism() < 2) this.impossible = 'there is one CPU only'
    else this.#cpus = cpusOf(process.pid)
    process.on('exit', () => this.restore())
  }

  #cpus = []

  together(clients, servers) {
    const [cpu] = this.#cpus.slice(-1)
    this.#pin([...clients, ...servers], [cpu])
  }

  apart(clients, servers) {
    const [cpu] = this.#cpus.slice(-1)
    this.#pin(clients, [cpu])
    this.#pin(servers, this.#cpus.slice(0, -1))
  }

  #pin(pids, cpus) {
    for (const pid of pids) {
      if (this.impossible) return
      try {
        if (this.#now.get(pid) === String(cpus)) continue
        if (!this.#before.has(pid)) this.#before.set(pid, cpusOf(pid))
        this.#now.set(pid, String(cpus))
        taskset('-acp', cpus.join(','), String(pid))
      } catch (error) {
        if (isRunning(pid)) this.impossible = `taskset: ${String(error.stderr || error.message).trim()}`
      }
    }
  }

  restore() {
    for (const [pid, cpus] of this.#before) {
      try {
        taskset('-acp', cpus.join(','), String(pid))
      } catch {
        // It has ended.
      }
    }
    this.#before.clear()
    this.#now.clear()
  }
}

function cpusOf(pid) {
  const list = taskset('-cp', String(pid)).split(':').at(-1).trim()
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

const taskset = (...parameters) => execFileSync('taskset', parameters, { encoding: 'utf8', stdio: 'pipe' })

function isRunning(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}
