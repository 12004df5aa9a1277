import createKnex from 'knex'
import { getOrCreateMissing, isDuplicate, lookCreateLook } from './missing.js'

export function connect({ type, url, connections }) {
  return createKnex({
    client: type === 'postgres' ? 'pg' : 'mysql2',
    connection: url,
    pool: { min: connections, max: connections },
  })
}

export async function open(target) {
  const knex = connect(target)
  const find = (email) => knex('users').where({ email }).first()

  async function createOnPostgres(user) {
    const [created] = await knex('users').insert(user).onConflict('email').ignore().returning('*')
    return created
  }

  async function createOnMariadb(user) {
    try {
      const [id] = await knex('users').insert(user)
      return await knex('users').where({ id }).first()
    } catch (error) {
      if (!isDuplicate(error)) throw error
    }
  }

  const create = target.type === 'postgres' ? createOnPostgres : createOnMariadb

  return {
    getOrCreate: lookCreateLook({ find, create }),
    getOrCreateMany: (emails, name) =>
      getOrCreateMissing(emails, {
        find: (wanted) => knex('users').whereIn('email', wanted),
        insert: async (missing) => {
          const insert = knex('users')
            .insert(missing.map((email) => ({ email, name })))
            .onConflict('email')
          if (target.type === 'postgres') return insert.ignore().returning('*')
          await insert.merge(['email'])
        },
      }),
    close: () => knex.destroy(),
  }
}
