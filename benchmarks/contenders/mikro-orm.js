import { defineEntity, p } from '@mikro-orm/core'

const User = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    id: p.integer().primary(),
    email: p.string().unique(),
    name: p.string(),
    visits: p.integer().default(0),
    registered: p.datetime().defaultRaw('now()'),
  },
})

const options = { onConflictAction: 'ignore' }

export async function open({ type, url, connections }) {
  const { MikroORM } = await import(type === 'postgres' ? '@mikro-orm/postgresql' : '@mikro-orm/mariadb')
  const orm = await MikroORM.init({
    clientUrl: url,
    entities: [User],
    pool: { min: connections, max: connections, idleTimeoutMillis: 3_600_000 },
  })
  return {
    getOrCreate: async (email, name) => [await orm.em.fork().upsert(User, { email, name }, options)],
    getOrCreateMany: async (emails, name) => {
      const users = await orm.em.fork().upsertMany(
        User,
        emails.map((email) => ({ email, name })),
        options,
      )
      return users.map((user) => [user])
    },
    close: () => orm.close(),
  }
}
