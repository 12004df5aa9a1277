import { In } from 'typeorm'
import { openDataSource, User } from './typeorm.js'

export async function open(target) {
  const dataSource = await openDataSource(target)
  const users = dataSource.getRepository(User)

  async function getOrCreate(email, name) {
    await users.upsert({ email, name }, ['email'])
    return [await users.findOneBy({ email })]
  }

  async function getOrCreateMany(emails, name) {
    await users.upsert(
      emails.map((email) => ({ email, name })),
      ['email'],
    )
    const rows = await users.findBy({ email: In(emails) })
    const byEmail = new Map(rows.map((row) => [row.email, row]))
    return emails.map((email) => [byEmail.get(email)])
  }

  return { getOrCreate, getOrCreateMany, close: () => dataSource.destroy() }
}
