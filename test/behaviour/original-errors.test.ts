import {
  Check,
  Column,
  Entity,
  type EntityManager,
  ManyToOne,
  PrimaryGeneratedColumn,
  QueryFailedError,
  type Repository,
  Unique,
} from 'typeorm'
import { GetOrCreateError, type GetOrCreateRepository, getOrCreateMixin, isUniqueViolation } from '../../src/index.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { failureOf } from '../failures.js'

@Entity()
class Owner {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ length: 100 })
  name!: string
}

/** A row that can be wrong in every way that databases check. */
@Entity()
@Check('positive_size', 'size > 0')
@Unique('second_key', ['label'])
class Parcel {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true })
  code!: string

  @Column({ type: 'varchar', length: 50, nullable: true })
  label!: string | null

  @Column()
  size!: number

  @Column({ length: 20 })
  content!: string

  @ManyToOne(() => Owner, { nullable: true })
  owner!: Owner | null
}

const wrongValues = {
  'a conflict on another unique key': { size: 1, content: 'c', label: 'taken' },
  'a missing value': { size: 1 },
  'a reference to a row that does not exist': { size: 1, content: 'c', owner: { id: 999 } },
  'a value that a check refuses': { size: -1, content: 'c' },
}
const cases = Object.entries(wrongValues)

let db: OpenDatabase
let parcels: GetOrCreateRepository<Parcel>

beforeAll(async () => {
  db = await openDatabase([Owner, Parcel])
  if (!database.createsChecks) {
    await db.dataSource.query('ALTER TABLE parcel ADD CONSTRAINT positive_size CHECK (size > 0)')
  }
  parcels = db.dataSource.getRepository(Parcel).extend(getOrCreateMixin())
  await parcels.insert({ code: 'first', label: 'taken', size: 1, content: 'c' })
})
afterAll(() => db.close())

/** What a plain insert of the same row fails with. */
const plainFailure = (repository: Repository<Parcel>, values: object) =>
  failureOf(repository.insert({ code: 'new', ...values })) as Promise<QueryFailedError>

const facts = (error: QueryFailedError) => {
  const { message, driverError } = error
  const { code, errno, constraint } = driverError as unknown as Record<string, unknown>
  return { message, code, errno, constraint, properties: Object.keys(error).sort() }
}

function expectSameKind(error: Error, plain: QueryFailedError): void {
  expect(error).toBeInstanceOf(QueryFailedError)
  expect(error).not.toBeInstanceOf(GetOrCreateError)
  expect(error.constructor).toBe(plain.constructor)
  expect(facts(error as QueryFailedError)).toEqual(facts(plain))
}

test.each(cases)('%s comes through as the error that a plain insert fails with', async (_, values) => {
  const error = await failureOf(parcels.getOrCreate({ code: 'new' }, values))
  expectSameKind(error, await plainFailure(parcels, values))
  expect((error as QueryFailedError).query).toMatch(/^INSERT/)
  expect(await parcels.count()).toBe(1)
})

test.each(cases)('%s comes through in the same way with create-first', async (_, values) => {
  const error = await failureOf(parcels.getOrCreate({ code: 'new' }, values, { strategy: 'create-first' }))
  expectSameKind(error, await plainFailure(parcels, values))
})

test.each(cases)('%s comes through in the same way inside a transaction', async (_, values) => {
  const inTransaction = (work: (repository: GetOrCreateRepository<Parcel>) => Promise<unknown>) =>
    failureOf(db.dataSource.transaction((manager: EntityManager) => work(manager.withRepository(parcels))))
  const error = await inTransaction((bound) => bound.getOrCreate({ code: 'new' }, values))
  expectSameKind(error, (await inTransaction((bound) => bound.insert({ code: 'new', ...values }))) as QueryFailedError)
})

test.each(cases)('%s comes through at once: it is not tried again', async (_, values) => {
  db.statements.failed.length = 0
  await failureOf(parcels.getOrCreate({ code: 'new' }, values, { attempts: 5 }))
  expect(db.statements.failed).toHaveLength(1)
})

test('a conflict on another key, when nothing yielded to it, is the very object that the logger saw', async () => {
  const seen: unknown[] = []
  const { logger } = db.dataSource
  const logQueryError = logger.logQueryError.bind(logger)
  logger.logQueryError = (error, ...rest) => {
    seen.push(error)
    logQueryError(error, ...rest)
  }
  const error = await failureOf(parcels.getOrCreate({ code: 'new' }, wrongValues['a conflict on another unique key']))
  logger.logQueryError = logQueryError
  expect(isUniqueViolation(error)).toBe(true)
  expect(seen).toContain((error as QueryFailedError).driverError)
})

const { stackTraceLimit } = Error
afterEach(() => {
  Error.stackTraceLimit = stackTraceLimit
})

test('its stack names the caller where that of a plain insert does, in and out of a transaction', async () => {
  const values = wrongValues['a missing value']
  async function importParcel(work: () => Promise<unknown>) {
    return await work()
  }
  const namesCaller = async (work: () => Promise<unknown>) =>
    (await failureOf(importParcel(work))).stack?.includes('importParcel')
  Error.stackTraceLimit = 10 // as in Node, where nobody has set it

  const plain = await namesCaller(() => parcels.insert({ code: 'new', ...values }))
  const outside = await namesCaller(() => parcels.getOrCreate({ code: 'new' }, values))
  const inside = await namesCaller(() =>
    db.dataSource.transaction((manager) => manager.withRepository(parcels).getOrCreate({ code: 'new' }, values)),
  )

  expect([outside, inside]).toEqual([plain, plain])
})

test('what defaults throw is passed on as it is, and nothing is stored', async () => {
  const thrown = { not: 'even an error' }
  const call = parcels.getOrCreate({ code: 'new' }, () => Promise.reject(thrown))
  await expect(call).rejects.toBe(thrown)
  expect(await parcels.count()).toBe(1)
})
