import 'reflect-metadata'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { entities } from './entities.js'
import { countVisits } from './incrementing.js'
import { updateEntities } from './update-entities.js'

interface Order {
  readonly options: DataSourceOptions
  readonly path: string
  readonly times: number
}

/** Connects, says `ready`, and works when told to, so that all processes start together. */
process.once('message', async ({ options, path, times }: Order) => {
  const all = { ...options, entities: [...entities, ...updateEntities] } as DataSourceOptions
  const dataSource = await new DataSource(all).initialize()
  process.once('message', async () => {
    const errors = await countVisits(dataSource, path, times)
    await dataSource.destroy()
    process.send?.(errors, () => process.disconnect())
  })
  process.send?.('ready')
})
