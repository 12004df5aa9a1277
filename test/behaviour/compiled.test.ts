import { Column, Entity, PrimaryGeneratedColumn, QueryBuilder, QueryRunnerAlreadyReleasedError } from 'typeorm'
import { getOrCreateMixin, InvalidOptionsError } from '../../src/index.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { entities, User } from '../entities.js'

let db: OpenDatabase

beforeAll(async () => {
  db = await openDatabase(entities)
})
afterAll(() => db.close())

describe.each([false, true])('look-ups with prepare: %s', (prepare) => {
  const users = () => db.dataSource.getRepository(User).extend(getOrCreateMixin({ prepare }))

  test('give what findOneBy gives, and log the text that is sent', async () => {
    const email = `prepare-${prepare}@x`
    await users().getOrCreate({ email }, { name: 'A' })
    const read = await users().findOneBy({ email })

    for (let repeat = 0; repeat < 3; repeat++) {
      let found: unknown
      const [statement, ...others] = await db.statements.of(async () => {
        found = (await users().getOrCreate({ email }))[0]
      })
      expect(found).toStrictEqual(read)
      expect(others).toEqual([])
      expect(statement).toMatch(/^SELECT .* WHERE /)
    }
  })

  test('give each criteria the row of their own, in and out of transactions', async () => {
    const emails = ['one', 'two', 'three'].map((name) => `${name}-${prepare}@x`)
    for (const email of emails) await users().getOrCreate({ email }, { name: email })

    const outside = await Promise.all(emails.map((email) => users().getOrCreate({ email })))
    const inside = await db.dataSource.transaction((manager) =>
      Promise.all(emails.map((email) => manager.withRepository(users()).getOrCreate({ email }))),
    )

    expect(outside.map(([user, created]) => [user.email, created])).toEqual(emails.map((email) => [email, false]))
    expect(inside.map(([user, created]) => [user.email, created])).toEqual(emails.map((email) => [email, false]))
  })
})

test('TypeORM writes the SQL of a hit and of a miss once', async () => {
  const users = db.dataSource.getRepository(User).extend(getOrCreateMixin())
  const missAndHit = async (email: string) => [
    (await users.getOrCreate({ email }, { name: 'A' }))[1],
    (await users.getOrCreate({ email }, { name: 'A' }))[1],
  ]
  await missAndHit('written@x')
  const texts = jest.spyOn(QueryBuilder.prototype, 'getQueryAndParameters')

  expect(await missAndHit('sent-again@x')).toEqual([true, false])
  expect(texts).not.toHaveBeenCalled()

  await users.findOneBy({ email: 'written@x' })
  expect(texts).toHaveBeenCalled()
  texts.mockRestore()
})

@Entity('shape')
class Before {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  code!: string

  @Column()
  size!: number
}

if (database.namesStatements) {
  test('a named statement whose plan a schema change has outdated is made anew', async () => {
    const own = await openDatabase([Before])
    try {
      const shapes = own.dataSource.getRepository(Before).extend(getOrCreateMixin({ prepare: true }))
      await shapes.getOrCreate({ code: 'a' }, { size: 1 })
      await shapes.getOrCreate({ code: 'a' })
      await own.dataSource.query('ALTER TABLE "shape" ALTER COLUMN "size" TYPE varchar(10)')

      const [found, created] = await shapes.getOrCreate({ code: 'a' })

      expect([Number(found.size), created]).toEqual([1, false])
      expect(own.statements.failed).toHaveLength(1)
    } finally {
      await own.close()
    }
  })
}

if (database.namesStatements) {
  test('prepare on a released query runner is refused as by TypeORM, and takes no connection', async () => {
    const { dataSource } = await db.connect({ poolSize: 1 })
    const users = dataSource.getRepository(User).extend(getOrCreateMixin({ prepare: true }))
    const runner = dataSource.createQueryRunner()
    await runner.release()
    const call = runner.manager.withRepository(users).getOrCreate({ email: 'released@x' }, { name: 'n' })
    await expect(call).rejects.toBeInstanceOf(QueryRunnerAlreadyReleasedError)
    expect(await users.countBy({ email: 'released@x' })).toBe(0)
  })
}

test('a chosen id is stored, and the next row without one gets its id from the database', async () => {
  const users = db.dataSource.getRepository(User).extend(getOrCreateMixin())
  const [chosen] = await users.getOrCreate({ email: 'chosen@x' }, { id: 4711, name: 'A' })
  const [without] = await users.getOrCreate({ email: 'without@x' }, { id: null as never, name: 'B' })

  expect(chosen.id).toBe(4711)
  expect(await users.findOneBy({ email: 'without@x' })).toEqual(without)
  expect([null, 4711]).not.toContain(without.id)
})

test('prepare is true or false', () => {
  expect(() => getOrCreateMixin({ prepare: 'yes' as never })).toThrow(InvalidOptionsError)
})
