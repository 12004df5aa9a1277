import type { DatabaseType, DataSource } from '../typeorm.js'
import { auroraMysql, auroraPostgres } from './aurora.js'
import { cockroachdb } from './cockroachdb.js'
import type { Dialect, DriverError } from './dialect.js'
import { mariadb } from './mariadb.js'
import { mssql } from './mssql.js'
import { mysql } from './mysql.js'
import { oracle } from './oracle.js'
import { postgres } from './postgres.js'
import { sap } from './sap.js'
import { spanner } from './spanner.js'
import { sqlite, sqliteWithReturning } from './sqlite.js'

/** Every SQL `type` of TypeORM; `sqlite` is one of TypeORM 0.3 alone. A type that is missing here does not compile. */
const dialects: Record<Exclude<DatabaseType, 'mongodb'> | 'sqlite', Dialect> = {
  'aurora-mysql': auroraMysql,
  'aurora-postgres': auroraPostgres,
  'better-sqlite3': sqliteWithReturning,
  capacitor: sqlite,
  cockroachdb,
  cordova: sqlite,
  expo: sqlite,
  mariadb,
  mssql,
  mysql,
  nativescript: sqlite,
  oracle,
  postgres,
  'react-native': sqlite,
  sap,
  spanner,
  sqlite,
  sqljs: sqliteWithReturning,
}

/** The dialect of a data source; `undefined` where it is not SQL. */
export function dialectOf(dataSource: DataSource): Dialect | undefined {
  return (dialects as Partial<Record<string, Dialect>>)[dataSource.options.type]
}

/**
 * The dialect whose driver made an error, by the error's shape alone: no data source is at hand where errors are caught.
 * MariaDB stands for all of `mysql2`, whose errors do not say which server answered; its table is the larger one.
 */
export function dialectOfError(error: DriverError): Dialect | undefined {
  return [postgres, mariadb, sqlite, mssql, oracle, sap, spanner, auroraMysql, auroraPostgres].find((dialect) =>
    dialect.recognises(error),
  )
}
