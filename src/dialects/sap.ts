import { type Dialect, standardAnswers } from './dialect.js'

/**
 * SAP HANA through `@sap/hana-client`, whose errors carry a number as `code` beside an `sqlState`:
 * https://help.sap.com/docs/SAP_HANA_PLATFORM/4fe29514fd584807ac9f2a04f6754767/20a78d3275191014b41bae7c4a46d835.html
 */
export const sap: Dialect = {
  ...standardAnswers,
  recognises: (error) => typeof error.code === 'number' && ('sqlState' in error || 'level' in error),
  codeOf: (error) => error.code as number,
  failures: {
    uniqueViolation: { ERR_SQL_UNIQUE_VIOLATED: 301 },
    deadlock: { ERR_TX_ROLLBACK_DEADLOCK: 133 },
    serializationFailure: { ERR_TX_SERIALIZATION: 138 },
    lockTimeout: { ERR_TX_ROLLBACK_LOCK_TIMEOUT: 131, ERR_TX_LOCK_ACQUISITION_FAIL: 146 },
    connectionLost: { ERR_SESSION_TERMINATED: -10807 },
  },
}
