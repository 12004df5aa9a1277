import type { DeepPartial, EntityManager, EntityTarget, FindOneOptions, FindOptionsWhere, ObjectLiteral } from 'typeorm'
import { type GetOrCreateOptions, type GetOrCreateRepository, withGetOrCreate } from '../src/index.js'
import type { OpenDatabase } from './databases.js'
import { openRival, type Rival } from './rival.js'
import { surroundings, type Within } from './surroundings.js'

/** A row of some kind of entity, described as a caller of `getOrCreate` would. */
export interface Example<E extends ObjectLiteral> {
  readonly criteria: FindOptionsWhere<E>
  readonly defaults?: DeepPartial<E>
  readonly options?: GetOrCreateOptions<E>
}

/** A row that can be had and read, whatever its entity. */
interface Row {
  getOrCreate(manager: EntityManager, before?: () => Promise<unknown>): Promise<[ObjectLiteral, boolean]>
  read(manager: EntityManager): Promise<ObjectLiteral>
}

export interface Kind {
  readonly name: string
  /** A row that is not stored yet; what it refers to is. */
  newRow(manager: EntityManager): Promise<Row>
}

let rows = 0

export function kind<E extends ObjectLiteral>(
  name: string,
  target: EntityTarget<E>,
  example: (n: number, manager: EntityManager) => Example<NoInfer<E>> | Promise<Example<NoInfer<E>>>,
): Kind {
  return {
    name,
    async newRow(manager) {
      rows += 1
      const { criteria, defaults = {} as DeepPartial<E>, options } = await example(rows, manager)
      const repository = (current: EntityManager): GetOrCreateRepository<E> =>
        withGetOrCreate(current.getRepository(target))
      return {
        async getOrCreate(current, before = async () => undefined) {
          const lazily = async () => {
            await before()
            return defaults
          }
          return repository(current).getOrCreate(criteria as never, lazily as never, options as never)
        },
        read: (current) => repository(current).findOneOrFail({ where: criteria, ...findOptions(options) }),
      }
    },
  }
}

function findOptions<E>({ relations, loadEagerRelations }: GetOrCreateOptions<E> = {}): FindOneOptions<E> {
  return { ...(relations && { relations }), ...(loadEagerRelations !== undefined && { loadEagerRelations }) }
}

/** The row as it is created, as TypeORM reads it, and as it is found again. */
async function createdReadFound(db: OpenDatabase, within: Within, { newRow }: Kind) {
  const row = await newRow(db.dataSource.manager)
  return within(db.dataSource, async (manager) => {
    const [created, isNew] = await row.getOrCreate(manager)
    const read = await row.read(manager)
    const [found, isNewAgain] = await row.getOrCreate(manager)
    return { created, isNew, read, found, isNewAgain }
  })
}

/** The row that a rival stores after we looked and before we insert, as we get it and as TypeORM reads it. */
async function lostAndRead(db: OpenDatabase, rival: Rival, within: Within, { newRow }: Kind) {
  const row = await newRow(db.dataSource.manager)
  const [lost, isNew] = await within(db.dataSource, (manager) =>
    row.getOrCreate(manager, () => rival.act((other) => row.getOrCreate(other))),
  )
  return { lost, isNew, read: await row.read(db.dataSource.manager) }
}

/** Tests that a row of every kind is the same, however it is had. The database is open when they run. */
export function testSameShape(kinds: readonly Kind[], openDb: () => OpenDatabase): void {
  describe.each(surroundings)('the created entity equals what a read returns, %s', (_where, within) => {
    const named = kinds.map((one): [string, Kind] => [one.name, one])
    let db: OpenDatabase
    let rival: Rival

    beforeAll(async () => {
      db = openDb()
      rival = await openRival(db)
    })

    test.each(named)('%s: created and found', async (_name, one) => {
      const { created, isNew, read, found, isNewAgain } = await createdReadFound(db, within, one)

      expect([isNew, isNewAgain]).toEqual([true, false])
      expect(created).toStrictEqual(read)
      expect(found).toStrictEqual(read)
    })

    test.each(named)('%s: lost to a rival', async (_name, one) => {
      const { lost, isNew, read } = await lostAndRead(db, rival, within, one)

      expect(isNew).toBe(false)
      expect(lost).toStrictEqual(read)
    })
  })
}
