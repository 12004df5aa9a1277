import { DataSource, type EntityTarget, type ObjectLiteral } from 'typeorm'
import { options } from '../ormconfig.js'

/** Runs an example on tables that exist for its length only, in the database that `ormconfig.ts` chooses. */
export async function withTables(
  entities: EntityTarget<ObjectLiteral>[],
  example: (dataSource: DataSource) => Promise<void>,
): Promise<void> {
  const dataSource = new DataSource({ ...options, entities: entities as never, entityPrefix: 'example_' })
  await dataSource.initialize()
  try {
    await dropTables(dataSource)
    await dataSource.synchronize()
    await example(dataSource)
  } finally {
    await dropTables(dataSource)
    await dataSource.destroy()
  }
}

async function dropTables(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner()
  try {
    for (const { tablePath } of dataSource.entityMetadatas) await runner.dropTable(tablePath, true)
  } finally {
    await runner.release()
  }
}
