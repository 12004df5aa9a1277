import { DataSource, type DataSourceOptions } from 'typeorm'
import type { Country as Source } from 'world-countries'
import { Country, Currency, Language, Region } from './entities.js'
import { importCountry, type Repositories } from './import.js'
import { Observer } from './observer.js'
import { type Rows, storedRows } from './rows.js'

/** What one import did. */
export interface Outcome {
  readonly calls: number
  readonly created: number
  readonly found: number
  /** Rows that a call tried to insert when another call had just done so. */
  readonly lostRaces: number
  /** One for each country that could not be imported. */
  readonly errors: readonly Error[]
  readonly rows: Rows
  readonly duplicates: number
  readonly statements: number
  readonly milliseconds: number
}

/** Imports everything into tables that exist for this run only, with several callers at once. */
export async function runImport(
  options: DataSourceOptions,
  openRepositories: (dataSource: DataSource) => Repositories,
  sources: readonly Source[],
  callers: number,
  onProgress: (done: number) => void,
): Promise<Outcome> {
  const observer = new Observer()
  const dataSource = await openTables(options, observer)
  try {
    const repositories = observer.watch(openRepositories(dataSource))
    const errors: Error[] = []
    const start = performance.now()
    let done = 0
    await takeTurns(callers, sources, async (source) => {
      await importCountry(repositories, source).catch((error: Error) => errors.push(error))
      onProgress(++done)
    })
    const milliseconds = performance.now() - start
    const { calls, created, insertAttempts, statements } = observer
    const lostRaces = insertAttempts - created
    const found = calls - created - errors.length
    return { calls, created, found, lostRaces, errors, statements, milliseconds, ...(await storedRows(dataSource)) }
  } finally {
    await dropTables(dataSource)
    await dataSource.destroy()
  }
}

/** Each caller takes the next item when it is done with one. */
async function takeTurns<T>(callers: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  const caller = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

async function openTables(options: DataSourceOptions, observer: Observer): Promise<DataSource> {
  const dataSource = await new DataSource({
    ...options,
    entities: [Region, Currency, Language, Country],
    entityPrefix: 'demo_countries_',
    logging: true,
    logger: observer,
  }).initialize()
  await dropTables(dataSource)
  await dataSource.synchronize()
  dataSource.subscribers.push(observer)
  observer.statements = 0
  return dataSource
}

async function dropTables(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner()
  try {
    // Tables of links are last in the list, and refer to the others.
    for (const { tablePath } of [...dataSource.entityMetadatas].reverse()) await runner.dropTable(tablePath, true)
  } finally {
    await runner.release()
  }
}
