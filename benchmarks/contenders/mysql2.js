import { createPool } from 'mysql2/promise'
import { getOrCreateMissing, isDuplicate, lookCreateLook } from './missing.js'

const FIND = 'SELECT * FROM users WHERE email = ?'
const CREATE = 'INSERT INTO users (email, name) VALUES (?, ?) RETURNING *'
const FIND_MANY = 'SELECT * FROM users WHERE email IN (?)'
const CREATE_MANY = 'INSERT IGNORE INTO users (email, name) VALUES ? RETURNING *'

/** The driver alone: what a careful hand writes where nothing else counts. */
export async function open({ url, connections }) {
  const pool = createPool({ uri: url, connectionLimit: connections })
  const rows = async (sql, values) => (await pool.query(sql, values))[0]

  async function create({ email, name }) {
    try {
      return (await rows(CREATE, [email, name]))[0]
    } catch (error) {
      if (!isDuplicate(error)) throw error
    }
  }

  return {
    getOrCreate: lookCreateLook({ find: async (email) => (await rows(FIND, [email]))[0], create }),
    getOrCreateMany: (emails, name) =>
      getOrCreateMissing(emails, {
        find: (wanted) => rows(FIND_MANY, [wanted]),
        insert: (missing) => rows(CREATE_MANY, [missing.map((email) => [email, name])]),
      }),
    close: () => pool.end(),
  }
}
