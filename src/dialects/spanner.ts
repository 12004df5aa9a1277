import { type Dialect, standardAnswers } from './dialect.js'

/** Cloud Spanner, whose errors are gRPC statuses: https://cloud.google.com/spanner/docs/reference/rest/v1/Code */
export const spanner: Dialect = {
  ...standardAnswers,
  recognises: (error) => typeof error.code === 'number' && 'details' in error && 'metadata' in error,
  codeOf: (error) => error.code as number,
  failures: {
    uniqueViolation: { ALREADY_EXISTS: 6 },
    deadlock: {},
    serializationFailure: { ABORTED: 10 },
    lockTimeout: { DEADLINE_EXCEEDED: 4 },
    connectionLost: { UNAVAILABLE: 14 },
  },
  isolationLevels: ['REPEATABLE READ', 'SERIALIZABLE'],
  locksRows: false,
  maxParameters: 950, // https://cloud.google.com/spanner/quotas
}
