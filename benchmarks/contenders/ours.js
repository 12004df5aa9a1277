import { getOrCreateMixin } from '../../dist/esm/index.js'
import { openDataSource, User } from './typeorm.js'

export async function open(target, mixinOptions) {
  const dataSource = await openDataSource(target)
  const users = dataSource.getRepository(User).extend(getOrCreateMixin(mixinOptions))
  return {
    getOrCreate: (email, name) => users.getOrCreate({ email }, { name }),
    getOrCreateMany: (emails, name) =>
      mixinOptions?.batch
        ? Promise.all(emails.map((email) => users.getOrCreate({ email }, { name })))
        : users.getOrCreateMany(
            emails.map((email) => ({ email })),
            { name },
          ),
    close: () => dataSource.destroy(),
  }
}
