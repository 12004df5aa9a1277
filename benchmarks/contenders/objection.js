import { Model } from 'objection'
import { connect } from './knex.js'
import { getOrCreateMissing, isDuplicate, lookCreateLook } from './missing.js'

class User extends Model {
  static tableName = 'users'
}

export async function open(target) {
  const knex = connect(target)
  const UserOf = User.bindKnex(knex)
  const find = (email) => UserOf.query().findOne({ email })

  async function createOnPostgres(user) {
    const created = await UserOf.query().insert(user).onConflict('email').ignore().returning('*')
    return created?.id === undefined ? undefined : created
  }

  async function createOnMariadb(user) {
    try {
      return await UserOf.query().insertAndFetch(user)
    } catch (error) {
      if (!isDuplicate(error.nativeError ?? error)) throw error
    }
  }

  const create = target.type === 'postgres' ? createOnPostgres : createOnMariadb

  return {
    getOrCreate: lookCreateLook({ find, create }),
    getOrCreateMany: (emails, name) =>
      getOrCreateMissing(emails, {
        find: (wanted) => UserOf.query().whereIn('email', wanted),
        insert: async (missing) => {
          // Objection inserts lists on PostgreSQL alone.
          const insert = knex('users')
            .insert(missing.map((email) => ({ email, name })))
            .onConflict('email')
          if (target.type === 'postgres')
            return (await insert.ignore().returning('*')).map((row) => User.fromDatabaseJson(row))
          await insert.merge(['email'])
        },
      }),
    close: () => knex.destroy(),
  }
}
