import type { DataSource, EntityManager } from 'typeorm'

export type Within = <T>(dataSource: DataSource, work: (manager: EntityManager) => Promise<T>) => Promise<T>

/** Where a caller may stand: what is promised in the one place is promised in the other. */
export const surroundings: [where: string, within: Within][] = [
  ['outside a transaction', (dataSource, work) => work(dataSource.manager)],
  ['inside a transaction of the caller', (dataSource, work) => dataSource.transaction(work)],
]
