import type { DataSource, EntityManager, EntityTarget, FindOptionsWhere, ObjectLiteral } from 'typeorm'
import { type GetOrCreateRepository, withGetOrCreate } from '../src/index.js'
import { database } from './databases.js'

export function repositoryOf<E extends ObjectLiteral>(
  manager: EntityManager,
  entity: EntityTarget<E>,
): GetOrCreateRepository<E> {
  return withGetOrCreate(manager.getRepository(entity), { uniqueness: 'ignore' })
}

export const numbered = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

/** The first word of each statement; those that open and close a transaction are left out. */
export function kindsOf(sent: readonly string[]): string[] {
  const kinds = sent.map((sql) => sql.trimStart().split(/\s/, 1)[0] as string)
  return kinds.filter((kind) => !TRANSACTION.includes(kind))
}

const TRANSACTION = ['BEGIN', 'START', 'COMMIT']

/** What a chunk takes that is inserted without a race: where the INSERT returns nothing, one SELECT reads the rows. */
export const insertedChunk = database.insertReturnsRow ? ['INSERT'] : ['INSERT', 'SELECT']

/** Stores a row for every other of the criteria, last ones first, so that neither order nor ids follow the list. */
export async function storeEveryOther<E extends ObjectLiteral>(
  repository: GetOrCreateRepository<E>,
  list: readonly FindOptionsWhere<E>[],
  defaults: (criteria: FindOptionsWhere<E>) => object,
): Promise<void> {
  for (const criteria of list.filter((_, index) => index % 2 === 0).reverse()) {
    await repository.getOrCreate(criteria, defaults(criteria) as never)
  }
}

/** A list in an order of one's own: every caller visits all of it, nobody in the order of another. */
export function inOrderOf<T>(caller: number, list: readonly T[]): T[] {
  const [start, step] = [caller * 7, [1, 3, 7, 9, 11, 13, 17, 19][caller % 8] as number]
  return list.map((_, index) => list[(start + index * step) % list.length] as T)
}

export const createdIn = (results: readonly (readonly [unknown, boolean])[]) =>
  results.filter(([, created]) => created).length

/**
 * Deletes all rows, of links and referring entities first; that is faster than a database for every test. Rows of trees
 * refer to each other and stay.
 */
export async function emptyTables({ entityMetadatas, manager }: DataSource): Promise<void> {
  const tables = entityMetadatas.filter(({ tableType, treeType }) => tableType !== 'view' && !treeType)
  for (const { target, tableName } of tables.reverse()) {
    await manager
      .createQueryBuilder()
      .delete()
      .from(target ?? tableName)
      .execute()
  }
}
