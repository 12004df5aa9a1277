import { eq, inArray, sql } from 'drizzle-orm'
import * as mysql from 'drizzle-orm/mysql-core'
import * as postgres from 'drizzle-orm/pg-core'
import { getOrCreateMissing, insertedOrDuplicate } from './missing.js'

export const open = (target) => (target.type === 'postgres' ? openPostgres(target) : openMariadb(target))

async function openPostgres({ url, connections }) {
  const { drizzle } = await import('drizzle-orm/node-postgres')
  const { default: pg } = await import('pg')
  const users = postgres.pgTable('users', {
    id: postgres.serial().primaryKey(),
    email: postgres.varchar({ length: 255 }).notNull().unique(),
    name: postgres.varchar({ length: 255 }).notNull(),
    visits: postgres.integer().notNull().default(0),
    registered: postgres.timestamp({ withTimezone: true }).notNull().defaultNow(),
  })
  const pool = new pg.Pool({ connectionString: url, max: connections, idleTimeoutMillis: 0 })
  const db = drizzle({ client: pool })
  const user = { email: sql.placeholder('email'), name: sql.placeholder('name') }
  const byEmail = db.select().from(users).where(eq(users.email, user.email)).limit(1).prepare('user_by_email')
  const newUser = db.insert(users).values(user).onConflictDoNothing().returning().prepare('new_user')

  async function getOrCreate(email, name) {
    const [found] = await byEmail.execute({ email })
    if (found) return [found, false]
    const [created] = await newUser.execute({ email, name })
    if (created) return [created, true]
    const [winner] = await byEmail.execute({ email })
    return [winner, false]
  }

  return {
    getOrCreate,
    getOrCreateMany: (emails, name) =>
      getOrCreateMissing(emails, {
        find: (wanted) => db.select().from(users).where(inArray(users.email, wanted)),
        insert: (missing) =>
          db
            .insert(users)
            .values(missing.map((email) => ({ email, name })))
            .onConflictDoNothing()
            .returning(),
      }),
    close: () => pool.end(),
  }
}

async function openMariadb({ url, connections }) {
  const { drizzle } = await import('drizzle-orm/mysql2')
  const { createPool } = await import('mysql2')
  const users = mysql.mysqlTable('users', {
    id: mysql.serial().primaryKey(),
    email: mysql.varchar({ length: 255 }).notNull().unique(),
    name: mysql.varchar({ length: 255 }).notNull(),
    visits: mysql.int().notNull().default(0),
    registered: mysql.datetime({ fsp: 3 }).notNull().default(sql`now(3)`),
  })
  const pool = createPool({ uri: url, connectionLimit: connections })
  const db = drizzle({ client: pool })
  const user = { email: sql.placeholder('email'), name: sql.placeholder('name') }
  const byEmail = db.select().from(users).where(eq(users.email, user.email)).limit(1).prepare()
  const newUser = db.insert(users).values(user).prepare()

  async function getOrCreate(email, name) {
    const [found] = await byEmail.execute({ email })
    if (found) return [found, false]
    const isCreated = await insertedOrDuplicate(newUser.execute({ email, name }))
    const [row] = await byEmail.execute({ email })
    return [row, isCreated]
  }

  return {
    getOrCreate,
    getOrCreateMany: (emails, name) =>
      getOrCreateMissing(emails, {
        find: (wanted) => db.select().from(users).where(inArray(users.email, wanted)),
        insert: async (missing) => {
          const rows = missing.map((email) => ({ email, name }))
          await db
            .insert(users)
            .values(rows)
            .onDuplicateKeyUpdate({ set: { id: sql`id` } })
        },
      }),
    close: () => pool.promise().end(),
  }
}
