import { type Dialect, standardAnswers } from './dialect.js'

/** Oracle through `oracledb`, whose errors carry `errorNum`: https://docs.oracle.com/en/error-help/db/ */
export const oracle: Dialect = {
  ...standardAnswers,
  recognises: (error) => typeof error.errorNum === 'number',
  codeOf: (error) => error.errorNum as number,
  failures: {
    uniqueViolation: { 'ORA-00001': 1 },
    deadlock: { 'ORA-00060': 60 },
    serializationFailure: { 'ORA-08177': 8177 },
    lockTimeout: { 'ORA-00054': 54, 'ORA-30006': 30006 },
    connectionLost: { 'ORA-00028': 28, 'ORA-03113': 3113, 'ORA-03114': 3114 },
  },
  // ORA-00001: unique constraint (SCHEMA.NAME) violated
  describeUniqueViolation: (error) => {
    const constraint = /\((?:[^().]+\.)?([^().]+)\)/.exec(error.message)?.[1]
    return constraint === undefined ? {} : { constraint }
  },
  savepoint: (name) => ({ set: `SAVEPOINT ${name}`, rollback: `ROLLBACK TO SAVEPOINT ${name}` }),
}
