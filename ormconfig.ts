import 'reflect-metadata'
import { DataSource, type DataSourceOptions } from 'typeorm'

/**
 * The database that the examples, the benchmarks and the TypeORM CLI (`-d ormconfig.ts`) use.
 *
 * - `DATABASE_TYPE` is a `type` of TypeORM's DataSourceOptions, such as `postgres` or `mariadb`
 * - `DATABASE_URL` says where it is: a URL for a server, a file for SQLite. It gives the type where that is not set
 *
 * Without them: SQLite in memory, embedded, nothing to install.
 */
export const options = optionsOf(process.env.DATABASE_TYPE, process.env.DATABASE_URL)

export default new DataSource(options)

function optionsOf(type: string | undefined, url: string | undefined): DataSourceOptions {
  return { type: type || typeOf(url), ...locationOf(type, url) } as DataSourceOptions
}

function typeOf(url: string | undefined): string {
  if (!url) return 'sqljs'
  const [scheme = ''] = url.split('://', 1)
  if (scheme === url) throw new Error(`DATABASE_URL is '${url}': for a file, say in DATABASE_TYPE what will open it.`)
  return scheme === 'postgresql' ? 'postgres' : scheme
}

function locationOf(type: string | undefined, url: string | undefined): object {
  if (type === 'better-sqlite3' || type === 'sqlite') return { database: url || ':memory:' }
  if (!url) return {}
  return type === 'sqljs' ? { location: url, autoSave: true } : { url }
}
