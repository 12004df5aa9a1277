import { Kysely, MysqlDialect, PostgresDialect, sql } from 'kysely'
import { getOrCreateMissing, insertedOrDuplicate, lookCreateLook } from './missing.js'

export const open = (target) => (target.type === 'postgres' ? openPostgres(target) : openMariadb(target))

async function openPostgres({ url, connections }) {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: url, max: connections, idleTimeoutMillis: 0 })
  const db = new Kysely({ dialect: new PostgresDialect({ pool }) })
  const { find, findMany } = queriesOf(db)
  const insert = (values) =>
    db
      .insertInto('users')
      .values(values)
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()

  return {
    getOrCreate: lookCreateLook({ find, create: (user) => insert(user).executeTakeFirst() }),
    getOrCreateMany: (emails, name) =>
      getOrCreateMissing(emails, {
        find: findMany,
        insert: (missing) => insert(missing.map((email) => ({ email, name }))).execute(),
      }),
    close: () => db.destroy(),
  }
}

async function openMariadb({ url, connections }) {
  const { createPool } = await import('mysql2')
  const pool = createPool({ uri: url, connectionLimit: connections })
  const db = new Kysely({ dialect: new MysqlDialect({ pool }) })
  const { find, findMany } = queriesOf(db)
  const insert = (values) => db.insertInto('users').values(values)

  async function getOrCreate(email, name) {
    const found = await find(email)
    if (found) return [found, false]
    const isCreated = await insertedOrDuplicate(insert({ email, name }).execute())
    return [await find(email), isCreated]
  }

  return {
    getOrCreate,
    getOrCreateMany: (emails, name) =>
      getOrCreateMissing(emails, {
        find: findMany,
        insert: async (missing) => {
          const users = missing.map((email) => ({ email, name }))
          await insert(users).onDuplicateKeyUpdate({ id: sql`id` }).execute()
        },
      }),
    close: () => db.destroy(),
  }
}

function queriesOf(db) {
  const users = db.selectFrom('users').selectAll()
  return {
    find: (email) => users.where('email', '=', email).executeTakeFirst(),
    findMany: (emails) => users.where('email', 'in', emails).execute(),
  }
}
