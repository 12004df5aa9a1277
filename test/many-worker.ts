import 'reflect-metadata'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { withGetOrCreate } from '../src/index.js'
import { entities, User } from './entities.js'

interface Order {
  readonly options: DataSourceOptions
  readonly emails: readonly string[]
}

export interface ManyReport {
  readonly ids: readonly (readonly [email: string, id: number])[]
  readonly created: readonly string[]
}

/** Gets or creates all of the users in the order that the list has. */
export async function getOrCreateAll(dataSource: DataSource, emails: readonly string[]): Promise<ManyReport> {
  const users = withGetOrCreate(dataSource.getRepository(User))
  const results = await users.getOrCreateMany(
    emails.map((email) => ({ email })),
    { name: `process ${process.pid}` },
    { chunkSize: 50 },
  )
  return {
    ids: results.map(([{ email, id }]) => [email, id]),
    created: results.filter(([, created]) => created).map(([{ email }]) => email),
  }
}

/** Connects, says `ready`, and works when told to, so that all processes start together. */
process.once('message', async ({ options, emails }: Order) => {
  const dataSource = await new DataSource({ ...options, entities } as DataSourceOptions).initialize()
  process.once('message', async () => {
    const report = await getOrCreateAll(dataSource, emails)
    await dataSource.destroy()
    process.send?.(report, () => process.disconnect())
  })
  process.send?.('ready')
})
