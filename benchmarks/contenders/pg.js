import pg from 'pg'
import { getOrCreateMissing, lookCreateLook } from './missing.js'

const FIND = { name: 'find', text: 'SELECT * FROM users WHERE email = $1' }
const CREATE = {
  name: 'create',
  text: 'INSERT INTO users (email, name) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING *',
}
const FIND_MANY = { name: 'find-many', text: 'SELECT * FROM users WHERE email = ANY ($1)' }
const CREATE_MANY = {
  name: 'create-many',
  text: 'INSERT INTO users (email, name) SELECT unnest($1::text[]), $2 ON CONFLICT DO NOTHING RETURNING *',
}

/** The driver alone: what a careful hand writes where nothing else counts. */
export async function open({ url, connections }) {
  const pool = new pg.Pool({ connectionString: url, max: connections, idleTimeoutMillis: 0 })
  const rows = async (statement, values) => (await pool.query({ ...statement, values })).rows

  return {
    getOrCreate: lookCreateLook({
      find: async (email) => (await rows(FIND, [email]))[0],
      create: async ({ email, name }) => (await rows(CREATE, [email, name]))[0],
    }),
    getOrCreateMany: (emails, name) =>
      getOrCreateMissing(emails, {
        find: (wanted) => rows(FIND_MANY, [wanted]),
        insert: (missing) => rows(CREATE_MANY, [missing, name]),
      }),
    close: () => pool.end(),
  }
}
