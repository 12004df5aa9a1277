import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

const PACKAGES = [
  'typeorm',
  'pg',
  'mysql2',
  'sequelize',
  '@mikro-orm/core',
  '@prisma/client',
  'drizzle-orm',
  'kysely',
  'knex',
  'objection',
]

export function machine() {
  const [{ model }] = cpus()
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} CPUs (${model.trim()}), ${gigabytes} GB, ${type()} ${release().split('-', 1)[0]}, Node ${process.versions.node}`
}

/** Name and version of each package, as it was loaded. */
export function versions() {
  const { resolve } = createRequire(import.meta.url)
  return PACKAGES.map((name) => {
    const folder = resolve.paths(name).find((path) => readIfThere(join(path, name, 'package.json')))
    return `${name} ${JSON.parse(readIfThere(join(folder, name, 'package.json'))).version}`
  })
}

/** The share of the CPUs' time that somebody else uses, before anything is started. */
export async function foreignLoad() {
  const before = cpuTimes()
  await setTimeout(1_000)
  const after = cpuTimes()
  return 1 - (after.idle - before.idle) / (after.total - before.total)
}

function cpuTimes() {
  const times = cpus().map((cpu) => cpu.times)
  const total = times.reduce((sum, time) => sum + Object.values(time).reduce((one, other) => one + other), 0)
  return { idle: times.reduce((sum, { idle }) => sum + idle, 0), total }
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
