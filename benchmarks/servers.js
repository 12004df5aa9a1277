import { readFileSync } from 'node:fs'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import { SEEDED_ROWS, STORED_NAME } from './workloads.js'

/** Databases of this run, so that what is left of a killed one can be told. */
const PREFIX = `goc_bench_${process.pid}_`

const URLS = {
  postgres: process.env.POSTGRES_URL || 'postgres://postgres@127.0.0.1:5432/postgres',
  mariadb: process.env.MARIADB_URL || 'mysql://root@127.0.0.1:3306/mysql',
}

export const connectTo = { postgres: connectToPostgres, mariadb: connectToMariadb }

async function connectToPostgres() {
  const admin = new pg.Client(URLS.postgres)
  await admin.connect()

  return {
    ...databasesOf('postgres', {
      query: async (sql) => (await admin.query(sql)).rows,
      async fill(url, rows) {
        const client = new pg.Client(url)
        await client.connect()
        await client.query(`
          CREATE TABLE users (
            id serial PRIMARY KEY,
            email varchar(255) NOT NULL UNIQUE,
            name varchar(255) NOT NULL,
            visits int NOT NULL DEFAULT 0,
            registered timestamp NOT NULL DEFAULT now()
          ) WITH (autovacuum_enabled = false)`)
        await client.query(`
          INSERT INTO users (email, name)
          SELECT 'user-' || number || '@example.com', '${STORED_NAME}' FROM generate_series(1, ${rows}) AS number`)
        await client.query('VACUUM ANALYZE users')
        await client.end()
      },
      async count(url) {
        const client = new pg.Client(url)
        await client.connect()
        const { rows } = await client.query('SELECT count(*)::int AS rows FROM users')
        await client.end()
        return rows[0].rows
      },
      drop: (name) => `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`,
    }),
    version: (await admin.query('SHOW server_version')).rows[0].server_version.split(' ')[0],
    maxConnections: Number((await admin.query('SHOW max_connections')).rows[0].max_connections),
    /** The processes that serve this run's connections. */
    async pids() {
      const { rows } = await admin.query(
        `SELECT pid FROM pg_stat_activity WHERE starts_with(datname, '${PREFIX}') AND backend_type = 'client backend'`,
      )
      return rows.map(({ pid }) => pid).filter((pid) => isRunning(pid, 'postgres'))
    },
    close: () => admin.end(),
  }
}

async function connectToMariadb() {
  const admin = await createConnection(URLS.mariadb)
  const query = async (sql) => (await admin.query(sql))[0]
  const [{ version, maxConnections, pidFile }] = await query(
    'SELECT version() AS version, @@max_connections AS maxConnections, @@pid_file AS pidFile',
  )
  return {
    ...databasesOf('mariadb', {
      query,
      async fill(url, rows) {
        const users = `${new URL(url).pathname.slice(1)}.users`
        await query(`
          CREATE TABLE ${users} (
            id int AUTO_INCREMENT PRIMARY KEY,
            email varchar(255) NOT NULL UNIQUE,
            name varchar(255) NOT NULL,
            visits int NOT NULL DEFAULT 0,
            registered datetime(6) NOT NULL DEFAULT now(6)
          )`)
        await query(`
          INSERT INTO ${users} (id, email, name)
          SELECT seq, concat('user-', seq, '@example.com'), '${STORED_NAME}' FROM seq_1_to_${rows}`)
        await query(`ANALYZE TABLE ${users}`)
      },
      async count(url) {
        const [{ rows }] = await query(`SELECT count(*) AS \`rows\` FROM ${new URL(url).pathname.slice(1)}.users`)
        return rows
      },
      drop: (name) => `DROP DATABASE IF EXISTS ${name}`,
    }),
    version: version.split('-')[0],
    maxConnections,
    async pids() {
      const pid = Number(readIfThere(pidFile))
      return ['mariadbd', 'mysqld'].some((name) => isRunning(pid, name)) ? [pid] : []
    },
    close: () => admin.end(),
  }
}

function databasesOf(type, { query, fill, count, drop }) {
  const created = new Set()
  const urlOf = (name) => {
    const url = new URL(URLS[type])
    url.pathname = `/${name}`
    // `mysql` for both flavours: some of the contenders know no other scheme.
    return type === 'mariadb' ? url.href.replace(/^\w+/, 'mysql') : url.href
  }
  return {
    async createDatabase(suffix, rows = SEEDED_ROWS) {
      const name = PREFIX + suffix.replaceAll('-', '_')
      created.add(name)
      await query(`CREATE DATABASE ${name}`)
      await fill(urlOf(name), rows)
      return urlOf(name)
    },
    count,
    async dropDatabases() {
      for (const name of created) await query(drop(name))
      created.clear()
    },
  }
}

/** Only for a server on this machine, outside of containers, is the process with this id the server. */
function isRunning(pid, name) {
  return readIfThere(`/proc/${pid}/comm`)?.trim() === name
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
