/**
 * A transactional outbox: whoever creates a user also writes down, in the same transaction, that a welcome has to be sent.
 * However many sign up with the same address at once, there is one user and one message, or neither.
 *
 *     npm run example:outbox
 *     DATABASE_TYPE=postgres DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres npm run example:outbox
 */
import assert from 'node:assert/strict'
import { Column, type DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
import { withGetOrCreate } from '../src/index.js'
import { withTables } from './tables.js'

@Entity()
class User {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 100 })
  email!: string
}

/** What a worker of its own reads, sends and deletes. */
@Entity()
class OutboxMessage {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ length: 40 })
  type!: string

  @Column()
  userId!: number
}

async function signUp(dataSource: DataSource, email: string): Promise<User> {
  const users = withGetOrCreate(dataSource.getRepository(User))
  const [user] = await users.getOrCreateInTransaction({ email }, undefined, {
    // It may run again in a new transaction. What it writes is committed once, together with the user.
    work: async ([user, created], manager) => {
      if (!created) return
      if (email.endsWith('.invalid')) throw new Error(`${email} cannot be reached`)
      await manager.insert(OutboxMessage, { type: 'welcome', userId: user.id })
    },
  })
  return user
}

await withTables([User, OutboxMessage], async (dataSource) => {
  const emails = Array.from({ length: 40 }, (_, n) => `user${n % 10}@example.com`)
  const users = await Promise.all(emails.map((email) => signUp(dataSource, email)))
  await assert.rejects(signUp(dataSource, 'nobody@example.invalid'), /cannot be reached/)

  const messages = await dataSource.manager.find(OutboxMessage)
  console.log(`${users.length} sign-ups, ${new Set(users.map(({ id }) => id)).size} users, ${messages.length} messages`)

  assert.equal(await dataSource.manager.count(User), 10)
  const welcomed = messages.map(({ userId }) => userId).sort((one, other) => one - other)
  assert.deepEqual(
    welcomed,
    [...new Set(users.map(({ id }) => id))].sort((one, other) => one - other),
  )
})
