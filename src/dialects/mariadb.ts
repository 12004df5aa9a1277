import type { Dialect } from './dialect.js'
import { mysql } from './mysql.js'

/**
 * MariaDB through `mysql2`: https://mariadb.com/docs/server/reference/error-codes/mariadb-error-code-reference
 *
 * 1020 reports, with `innodb_snapshot_isolation` (on by default from 11.6.2), that a row has changed since the
 * transaction's snapshot; the transaction is gone with it.
 */
export const mariadb: Dialect = {
  ...mysql,
  failures: { ...mysql.failures, serializationFailure: { ER_CHECKREAD: 1020 } },
  sharedLockClause: () => undefined,
}
