import type { Dialect } from './dialect.js'
import { postgres } from './postgres.js'

const { comparesWithList, rowsFromLists, ...withoutLists } = postgres

/**
 * CockroachDB speaks PostgreSQL's protocol and uses its codes; it runs at SERIALIZABLE, so 40001 is part of daily life:
 * https://www.cockroachlabs.com/docs/stable/transaction-retry-error-reference
 */
export const cockroachdb: Dialect = withoutLists
