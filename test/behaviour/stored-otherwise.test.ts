import { Column, DeleteDateColumn, Entity, PrimaryColumn, PrimaryGeneratedColumn, type Repository } from 'typeorm'
import { GetOrCreateError, InvalidValuesError, withGetOrCreate } from '../../src/index.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { failureOf } from '../failures.js'

const isPostgres = database.failedStatementSpoilsTransaction
const isSqlite = !database.hasConnections
const anotherText = isPostgres ? 'gen_random_uuid()::text' : isSqlite ? '(hex(randomblob(16)))' : '(uuid())'

/** Its key comes from the database, which only some tell. */
@Entity()
class Ticket {
  @PrimaryColumn({ length: 40, default: () => anotherText })
  id!: string

  @Column({ unique: true, length: 40 })
  code!: string

  @Column({ default: 7 })
  seats!: number
}

@Entity()
class Note {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  text!: string

  @Column({ default: 0 })
  stars!: number

  @DeleteDateColumn()
  deletedAt!: Date | null
}

@Entity()
class Unsaved {
  /** Not yet. */
  @PrimaryGeneratedColumn()
  id = 0

  @Column({ unique: true, length: 40 })
  text!: string
}

let db: OpenDatabase

beforeEach(async () => {
  db = await openDatabase([Ticket, Note, Unsaved])
})
afterEach(() => db.close())

const repositoryOf = <E extends object>(entity: new () => E) => withGetOrCreate(db.dataSource.getRepository(entity))
const all = <E extends object>(repository: Repository<E>) => repository.find({ withDeleted: true })

describe('a key that the database makes by an expression', () => {
  test('is in the row that getOrCreate creates', async () => {
    const result = await repositoryOf(Ticket).getOrCreate({ code: 'a' })
    expect(result).toStrictEqual([await repositoryOf(Ticket).findOneByOrFail({ code: 'a' }), true])
    expect(result[0].id).toBeTruthy()
  })

  test('is in the row that updateOrCreate creates', async () => {
    const result = await repositoryOf(Ticket).updateOrCreate({ code: 'a' }, { seats: 1 })
    expect(result).toStrictEqual([await repositoryOf(Ticket).findOneByOrFail({ code: 'a' }), true])
  })

  test('is in the rows that getOrCreateMany creates', async () => {
    const results = await repositoryOf(Ticket).getOrCreateMany([{ code: 'a' }, { code: 'b' }])
    for (const [ticket, created] of results) {
      expect(created).toBe(true)
      expect(ticket).toStrictEqual(await repositoryOf(Ticket).findOneByOrFail({ code: ticket.code }))
    }
  })
})

test('rows that are created with a delete date are created once, alone and together', async () => {
  const values = { deletedAt: new Date('2020-01-01T00:00:00.000Z') }
  const [one, created] = await repositoryOf(Note).getOrCreate({ text: 'alone' }, values)
  const results = await repositoryOf(Note).getOrCreateMany([{ text: 'a' }, { text: 'b' }, { text: 'a' }], values)

  expect([created, ...results.map(([, isNew]) => isNew)]).toEqual([true, true, true, false])
  expect(await all(repositoryOf(Note))).toStrictEqual([one, results[0]?.[0], results[1]?.[0]])
})

test('zero as the initial value of a generated id is none', async () => {
  const results = await repositoryOf(Unsaved).getOrCreateMany([{ text: 'a' }, { text: 'b' }])
  results.push(await repositoryOf(Unsaved).getOrCreate({ text: 'c' }))
  expect(results.filter(([{ id }]) => id === 0)).toEqual([])
  expect(await repositoryOf(Unsaved).count()).toBe(3)
})

test('zero for a generated number is stored as it is, or refused', async () => {
  const isStored = isPostgres || isSqlite
  const calls = [
    () => repositoryOf(Note).getOrCreate({ id: 0 }, { text: 'a' }),
    () => repositoryOf(Note).getOrCreateMany([{ id: 0 }, { id: 20 }], ({ id }) => ({ text: `${id}` })),
  ]
  for (const call of calls) {
    if (isStored) await call()
    else expect(await failureOf(call())).toBeInstanceOf(InvalidValuesError)
  }
  expect((await all(repositoryOf(Note))).map(({ id }) => id)).toEqual(isStored ? [0, 20] : [])
})

if (isPostgres || isSqlite) {
  /** A trigger that leaves the rows of a statement out. */
  async function leaveOut(statement: 'INSERT' | 'UPDATE') {
    if (isSqlite) {
      await db.dataSource.query(`CREATE TRIGGER omit BEFORE ${statement} ON note BEGIN SELECT RAISE(IGNORE); END`)
      return
    }
    await db.dataSource.query(
      'CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
    )
    await db.dataSource.query(`CREATE TRIGGER omit BEFORE ${statement} ON note FOR EACH ROW EXECUTE FUNCTION nothing()`)
  }

  test('a row that a trigger leaves out of the INSERT is an error that says so', async () => {
    await leaveOut('INSERT')
    const calls = [
      repositoryOf(Note).getOrCreate({ text: 'a' }),
      repositoryOf(Note).getOrCreateMany([{ text: 'a' }, { text: 'b' }]),
    ]
    for (const failure of await Promise.all(calls.map(failureOf))) {
      expect(failure).toBeInstanceOf(GetOrCreateError)
      expect(failure).toMatchObject({ message: expect.stringMatching(/stored no Note .* trigger/) })
    }
  })

  test('a row that a trigger leaves out of the UPDATE comes back as it is', async () => {
    await repositoryOf(Note).getOrCreate({ text: 'a' })
    await leaveOut('UPDATE')
    const [note] = await repositoryOf(Note).updateOrCreate({ text: 'a' }, { stars: 5 })
    expect(note).toStrictEqual(await repositoryOf(Note).findOneByOrFail({ text: 'a' }))
    expect(note.stars).toBe(0)
  })
}
