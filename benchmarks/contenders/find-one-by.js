import { openDataSource, User } from './typeorm.js'

export async function open(target) {
  const dataSource = await openDataSource(target)
  const users = dataSource.getRepository(User)
  return {
    getOrCreate: async (email) => [await users.findOneBy({ email }), false],
    close: () => dataSource.destroy(),
  }
}
