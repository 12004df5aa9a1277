import 'reflect-metadata'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { entities } from '../entities.js'
import { hammer } from '../hammer.js'

export interface Order {
  readonly options: DataSourceOptions
  readonly calls: number
  readonly keys: number
  readonly stride: number
}

/** Connects, says `ready`, and works when told to, so that all processes start together. */
process.once('message', async ({ options, calls, keys, stride }: Order) => {
  const dataSource = await new DataSource({ ...options, entities } as DataSourceOptions).initialize()
  process.once('message', async () => {
    const report = await hammer(dataSource, calls, keys, stride)
    await dataSource.destroy()
    process.send?.(report, () => process.disconnect())
  })
  process.send?.('ready')
})
