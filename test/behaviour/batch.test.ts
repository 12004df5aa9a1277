import {
  Column,
  Entity,
  type EntitySubscriberInterface,
  EventSubscriber,
  type InsertEvent,
  ManyToOne,
  PrimaryGeneratedColumn,
} from 'typeorm'
import { getOrCreateMixin, InvalidOptionsError, isUniqueViolation } from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { gate } from '../duel.js'
import { Country, entities, Tag, Team, User } from '../entities.js'

@EventSubscriber()
class Inserted implements EntitySubscriberInterface {
  static count = 0

  afterInsert(_event: InsertEvent<unknown>): void {
    Inserted.count += 1
  }
}

/** What a transformer makes. */
class Price {
  constructor(readonly cents: number) {}
}
const asPrice = { to: (price?: Price) => price?.cents, from: (cents: number) => new Price(cents) }

class Unit {
  @Column({ default: 'cm', length: 10 })
  name!: string
}

class Size {
  @Column({ default: 1 })
  height!: number

  @Column(() => Unit)
  unit!: Unit
}

@Entity()
class Shelf {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 60 })
  label!: string

  @Column({ type: 'int', transformer: asPrice })
  price!: Price

  @Column(() => Size)
  size!: Size

  @ManyToOne(() => Team, { eager: true })
  team!: Team
}

let db: OpenDatabase
let run = 0

beforeAll(async () => {
  db = await openDatabase([...entities, Shelf], { subscribers: [Inserted] })
})
beforeEach(() => {
  run += 1
  Inserted.count = 0
})
afterAll(() => db.close())

const repository = (batch: boolean | { maxSize?: number } = true) =>
  db.dataSource.getRepository(User).extend(getOrCreateMixin({ batch }))
const email = (name: string) => `${name}-${run}@batch`
const selects = (statements: string[]) => statements.filter((statement) => /^select/i.test(statement)).length

describe('calls of one tick', () => {
  test('look their rows up together', async () => {
    const users = repository()
    const names = ['a', 'b', 'c', 'd']
    const call = () => Promise.all(names.map((name) => users.getOrCreate({ email: email(name) }, { name })))
    await call()

    const statements = await db.statements.of(call)

    expect(statements).toHaveLength(1)
  })

  test('each get the row that they asked for, and whether they created it', async () => {
    const users = repository()
    await users.getOrCreate({ email: email('old') }, { name: 'old' })

    const results = await Promise.all(
      ['new', 'old', 'newer'].map((name) => users.getOrCreate({ email: email(name) }, { name })),
    )

    expect(results.map(([user, created]) => [user.email, created])).toEqual([
      [email('new'), true],
      [email('old'), false],
      [email('newer'), true],
    ])
    expect(Inserted.count).toBe(3)
  })

  test('with equal criteria share one flight, and no entity object', async () => {
    const users = repository()
    const [[one, created], [other, createdToo]] = await Promise.all([
      users.getOrCreate({ email: email('same') }, { name: 'first' }),
      users.getOrCreate({ email: email('same') }, { name: 'second' }),
    ])

    expect([created, createdToo]).toEqual([true, false])
    expect(other).toEqual(one)
    expect(other).toBeInstanceOf(User)
    expect(other).not.toBe(one)
    expect(other.createdAt).not.toBe(one.createdAt)
  })

  test('with equal criteria share nothing that their row is made of', async () => {
    const shelves = db.dataSource.getRepository(Shelf).extend(getOrCreateMixin({ batch: true }))
    const team = await db.dataSource.manager.save(Team, { name: email('team') })
    const call = () => shelves.getOrCreate({ label: email('shelf') }, { price: new Price(5), team: { id: team.id } })

    const [[one], [other]] = await Promise.all([call(), call()])

    expect(other).toEqual(one)
    expect([other.team, other.price, other.size]).toEqual([expect.any(Team), expect.any(Price), expect.any(Size)])
    expect(other.size.unit).toBeInstanceOf(Unit)
    expect(other.team).not.toBe(one.team)
    expect(other.price).not.toBe(one.price)
    expect(other.size).not.toBe(one.size)
    expect(other.size.unit).not.toBe(one.size.unit)
  })

  test('do not fail for a neighbour: each gets its own error', async () => {
    const users = repository()
    await users.getOrCreate({ email: email('holder') }, { name: 'holder', handle: `h${run}` })

    const [good, taken, wrong] = await Promise.allSettled([
      users.getOrCreate({ email: email('good') }, { name: 'good' }),
      users.getOrCreate({ email: email('taken') }, { name: 'taken', handle: `h${run}` }),
      users.getOrCreate({ email: email('wrong') }, { name: null as never }),
    ])

    expect(good).toMatchObject({ status: 'fulfilled', value: [{ email: email('good') }, true] })
    expect(taken.status === 'rejected' && isUniqueViolation(taken.reason)).toBe(true)
    expect(wrong.status === 'rejected' && isUniqueViolation(wrong.reason)).toBe(false)
  })

  test('make lazy defaults once, and only on a miss, also where they go alone in the end', async () => {
    const users = repository()
    await users.getOrCreate({ email: email('there') }, { name: 'there' })
    const made: string[] = []
    const defaults = (name: string | null) => () => {
      made.push(String(name))
      return { name: name as string }
    }

    await Promise.allSettled([
      users.getOrCreate({ email: email('there') }, defaults('there')),
      users.getOrCreate({ email: email('missing') }, defaults('missing')),
      users.getOrCreate({ email: email('wrong') }, defaults(null)),
    ])

    expect(made.sort()).toEqual(['missing', 'null'])
  })

  test('are never joined across entities, options or transactions', async () => {
    const mixin = getOrCreateMixin({ batch: true })
    const users = db.dataSource.getRepository(User).extend(mixin)
    const countries = db.dataSource.getRepository(Country).extend(mixin)
    const together = () =>
      Promise.all([
        users.getOrCreate({ email: email('apart') }, { name: 'apart' }),
        users.getOrCreate({ email: email('apart') }, { name: 'apart' }, { relations: { team: true } }),
        countries.getOrCreate({ code: 'AT' }, { name: 'Austria' }),
      ])
    await users.getOrCreate({ email: email('apart') }, { name: 'apart' })
    await countries.getOrCreate({ code: 'AT' }, { name: 'Austria' })

    const [, [withTeam]] = await together()
    expect(withTeam.team).toBeNull()
    expect(selects(await db.statements.of(together))).toBe(3)

    const error = new Error('rolled back')
    const inTransaction = db.dataSource.transaction(async (manager) => {
      await manager.withRepository(users).getOrCreate({ email: email('gone') }, { name: 'gone' })
      throw error
    })
    await expect(inTransaction).rejects.toBe(error)
    expect(await users.existsBy({ email: email('gone') })).toBe(false)
  })

  test('travel in groups of maxSize at most', async () => {
    const users = repository({ maxSize: 2 })
    const names = ['a', 'b', 'c', 'd']
    const call = () => Promise.all(names.map((name) => users.getOrCreate({ email: email(name) }, { name })))
    await call()

    expect(await db.statements.of(call)).toHaveLength(2)
  })

  test('that a list cannot describe go alone', async () => {
    const users = repository()
    const [team] = await db.dataSource
      .getRepository(Team)
      .extend(getOrCreateMixin())
      .getOrCreate({ name: `t${run}` })

    const [[first], [second]] = await Promise.all([
      users.getOrCreate({ email: email('list') }, { name: 'list', team }),
      users.getOrCreate([{ email: email('list') }, { handle: email('list') }], {
        email: email('other'),
        name: 'other',
      }),
    ])

    expect([first.email, second.email].sort()).toContain(email('list'))
  })
})

test('a hook that calls us does not wait for a batch that waits for it', async () => {
  const hookRuns = gate()
  const batchIsOpen = gate()
  const own = await openDatabase(entities)
  try {
    const tags = own.dataSource.getRepository(Tag).extend(getOrCreateMixin({ batch: true }))
    const teams = own.dataSource.getRepository(Team).extend(getOrCreateMixin())
    own.dataSource.subscribers.push({
      listenTo: () => Team,
      async afterInsert() {
        hookRuns.open()
        await batchIsOpen.opened
        await tags.getOrCreate({ label: 'of the hook' })
      },
    })
    const outside = hookRuns.opened.then(() => {
      const call = tags.getOrCreate({ label: 'from outside' })
      batchIsOpen.open()
      return call
    })

    const [[, created], [, createdOutside]] = await Promise.all([teams.getOrCreate({ name: 'hooked' }), outside])

    expect([created, createdOutside]).toEqual([true, true])
    expect(await tags.count()).toBe(2)
  } finally {
    await own.close()
  }
})

test.each([[{ maxSize: 0 }], [{ maxSize: 1.5 }], [{ size: 3 }], ['yes'], [3]])('batch: %j is refused', (batch) => {
  expect(() => getOrCreateMixin({ batch: batch as never })).toThrow(InvalidOptionsError)
})
