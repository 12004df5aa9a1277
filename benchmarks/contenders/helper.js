import { QueryFailedError } from 'typeorm'
import { openDataSource, User } from './typeorm.js'

const UNIQUE_VIOLATIONS = ['23505', 'ER_DUP_ENTRY']

/** The helper that people write by hand. */
export async function open(target) {
  const dataSource = await openDataSource(target)
  const users = dataSource.getRepository(User)

  async function getOrCreate(email, name) {
    const found = await users.findOneBy({ email })
    if (found) return [found, false]
    try {
      return [await users.save(users.create({ email, name })), true]
    } catch (error) {
      if (!(error instanceof QueryFailedError && UNIQUE_VIOLATIONS.includes(error.driverError.code))) throw error
      return [await users.findOneBy({ email }), false]
    }
  }

  return { getOrCreate, close: () => dataSource.destroy() }
}
