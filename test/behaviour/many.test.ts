import { randomUUID } from 'node:crypto'
import type { EntityTarget, FindOptionsWhere, ObjectLiteral } from 'typeorm'
import { QueryFailedError } from 'typeorm'
import { type GetOrCreateRepository, isUniqueViolation, MultipleEntitiesFoundError } from '../../src/index.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { Country, entities, Post, Role, Tag, Team, User } from '../entities.js'
import { failureOf } from '../failures.js'
import { Badge, Coach, Customer, Device, Folder, keyEntities, Passport, Seat, SettingSchema } from '../key-entities.js'
import {
  Car,
  Elsewhere,
  Enrolment,
  Invoice,
  kindEntities,
  Letter,
  Loan,
  planetSchema,
  Quoted,
  Receipt,
  Seat as TeamSeat,
  Truck,
  Vehicle,
} from '../kind-entities.js'
import { createdIn, emptyTables, insertedChunk, kindsOf, numbered, repositoryOf, storeEveryOther } from '../many.js'
import { Account, Alias, Audit, Mailbox, Measurement, manyEntities, Page, Specimen, Token } from '../many-entities.js'
import { surroundings } from '../surroundings.js'

let db: OpenDatabase

beforeAll(async () => {
  db = await openDatabase([...entities, ...keyEntities, ...manyEntities])
})
beforeEach(async () => {
  db.dataSource.subscribers.length = 0
  await emptyTables(db.dataSource)
  Page.events = []
})
afterAll(() => db.close())

const usersOf = (manager = db.dataSource.manager) => repositoryOf(manager, User)
const tagsOf = (manager = db.dataSource.manager) => repositoryOf(manager, Tag)
const pagesOf = (manager = db.dataSource.manager) => repositoryOf(manager, Page)

const emails = (count: number, prefix = 'u') => numbered(count, (n) => ({ email: `${prefix}${n}@x` }))
const labels = (count: number) => numbered(count, (n) => ({ label: `label ${n}` }))

describe.each(surroundings)('%s', (where, within) => {
  test('results come in the order of the criteria, with the ids and the flags of the database', async () => {
    const list = emails(9)
    await storeEveryOther(usersOf(), list, () => ({ name: 'stored before' }))
    await usersOf().insert(emails(3, 'foreign').map((user) => ({ ...user, name: 'foreign' })))
    const results = await within(db.dataSource, (manager) => usersOf(manager).getOrCreateMany(list, { name: 'new' }))

    expect(results.map(([user]) => user.email)).toEqual(list.map(({ email }) => email))
    expect(results.map(([, created]) => created)).toEqual(list.map((_, index) => index % 2 === 1))
    for (const [user, created] of results) {
      expect(user).toBeInstanceOf(User)
      expect(user).toEqual(await usersOf().findOneByOrFail({ email: user.email }))
      expect(user.name).toBe(created ? 'new' : 'stored before')
    }
  })

  test('the same list again creates nothing and is one SELECT', async () => {
    const list = emails(5)
    const first = await usersOf().getOrCreateMany(list, { name: 'x' })
    await within(db.dataSource, async (manager) => {
      const sent = await db.statements.of(async () => {
        const again = await usersOf(manager).getOrCreateMany(list, { name: 'y' })
        expect(again).toEqual(first.map(([user]) => [user, false]))
      })
      expect(kindsOf(sent)).toEqual(['SELECT'])
      expect(sent).toHaveLength(1)
    })
  })

  test('equal criteria give the same entity, and only the first of them created it', async () => {
    await usersOf().insert({ email: 'u1@x', name: 'stored before' })
    const list = ['u0@x', 'u1@x', 'u0@x', 'u1@x', 'u2@x', 'u0@x'].map((email) => ({ email }))
    const results = await within(db.dataSource, (manager) => usersOf(manager).getOrCreateMany(list, { name: 'new' }))

    expect(results.map(([, created]) => created)).toEqual([true, false, false, false, true, false])
    expect(results[2]?.[0]).toBe(results[0]?.[0])
    expect(results[5]?.[0]).toBe(results[0]?.[0])
    expect(results[3]?.[0]).toBe(results[1]?.[0])
    expect(await usersOf().count()).toBe(3)
  })

  test('an empty list is an empty answer, without a statement', async () => {
    await within(db.dataSource, async (manager) => {
      const sent = await db.statements.of(async () => {
        expect(await usersOf(manager).getOrCreateMany([])).toEqual([])
      })
      expect(sent).toEqual([])
    })
  })

  test('values of a new row come from a function of its criteria and their index, which only misses ask', async () => {
    const list = emails(6)
    await storeEveryOther(usersOf(), list, () => ({ name: 'stored before' }))
    const asked: [FindOptionsWhere<User>, number][] = []
    const results = await within(db.dataSource, (manager) =>
      usersOf(manager).getOrCreateMany(list, async (criteria, index) => {
        asked.push([criteria, index])
        return { name: `${criteria.email}, number ${index}` }
      }),
    )

    expect(asked.sort(([, one], [, other]) => one - other)).toEqual([1, 3, 5].map((index) => [list[index], index]))
    expect(results.map(([{ name }]) => name)).toEqual(
      list.map(({ email }, index) => (index % 2 === 0 ? 'stored before' : `${email}, number ${index}`)),
    )
  })

  test('a function of defaults is asked once for criteria that come twice, with the first index', async () => {
    const list = ['u0@x', 'u1@x', 'u0@x'].map((email) => ({ email }))
    const defaults = jest.fn((_criteria, index: number) => ({ name: `number ${index}` }))
    const results = await within(db.dataSource, (manager) => usersOf(manager).getOrCreateMany(list, defaults))

    expect(defaults).toHaveBeenCalledTimes(2)
    expect(results.map(([{ name }]) => name)).toEqual(['number 0', 'number 1', 'number 0'])
  })

  test('new rows may have different columns', async () => {
    const others = [{}, { handle: 'second' }, { handle: null }, { handle: 'fourth', hits: 40 }]
    const results = await within(db.dataSource, (manager) =>
      usersOf(manager).getOrCreateMany(emails(4), (_criteria, index) => ({ name: 'x', ...others[index] })),
    )

    expect(results.map(([{ handle, hits }]) => [handle, hits])).toEqual([
      [null, 7],
      ['second', 7],
      [null, 7],
      ['fourth', 40],
    ])
  })

  test('defaults win over criteria, as for a single row', async () => {
    const results = await within(db.dataSource, (manager) =>
      tagsOf(manager).getOrCreateMany(labels(3), ({ label }) => ({ label: `the ${label}` })),
    )

    expect(results.map(([{ label }, created]) => [label, created])).toEqual(
      labels(3).map(({ label }) => [`the ${label}`, true]),
    )
    expect(await tagsOf().count()).toBe(3)
  })

  test('criteria and defaults stay as they were given', async () => {
    const list = numbered(3, (n) => Object.freeze({ email: `u${n}@x`, handle: `h${n}` }))
    const defaults = Object.freeze({ name: 'x' })
    await within(db.dataSource, (manager) => usersOf(manager).getOrCreateMany(Object.freeze(list), defaults))

    expect(list).toEqual(numbered(3, (n) => ({ email: `u${n}@x`, handle: `h${n}` })))
    expect(defaults).toEqual({ name: 'x' })
  })

  test('a conflict on another unique key is the original error', async () => {
    await usersOf().insert({ email: 'other@x', name: 'other', handle: 'taken' })
    const failure = await within(db.dataSource, (manager) =>
      failureOf(
        usersOf(manager).getOrCreateMany(emails(5), (_criteria, n) => ({
          name: 'x',
          handle: n === 3 ? 'taken' : `h${n}`,
        })),
      ),
    )

    expect(failure).toBeInstanceOf(QueryFailedError)
    expect(isUniqueViolation(failure)).toBe(true)
  })

  test('two new rows that want the same other key are the original error', async () => {
    const failure = await within(db.dataSource, (manager) =>
      failureOf(usersOf(manager).getOrCreateMany(emails(3), { name: 'x', handle: 'the same' })),
    )

    expect(isUniqueViolation(failure)).toBe(true)
  })

  test('relations are loaded for found and created rows alike', async () => {
    const team = await db.dataSource.manager.save(Team, { name: 'A' })
    const list = emails(5)
    await storeEveryOther(usersOf(), list, () => ({ name: 'x', team: { id: team.id } }))
    const results = await within(db.dataSource, (manager) =>
      usersOf(manager).getOrCreateMany(list, { name: 'x', team: { id: team.id } }, { relations: { team: true } }),
    )

    const stored = await usersOf().find({ relations: { team: true }, order: { email: 'ASC' } })
    expect(results.map(([user]) => user)).toEqual(stored)
    expect(results.every(([user]) => user.team?.name === 'A')).toBe(true)
  })

  test('eager relations are loaded for found and created rows alike, unless they are left out', async () => {
    const team = await db.dataSource.manager.save(Team, { name: 'A' })
    const list = numbered(4, (n) => ({ name: `coach ${n}` }))
    await within(db.dataSource, async (manager) => {
      const coaches = repositoryOf(manager, Coach)
      await storeEveryOther(coaches, list, () => ({ team: { id: team.id } }))
      const results = await coaches.getOrCreateMany(list, { team: { id: team.id } })
      expect(results.map(([coach]) => coach)).toEqual(await coaches.find({ order: { name: 'ASC' } }))
      expect(results.map(([coach]) => coach.team)).toEqual(list.map(() => team))
      const [[bare] = []] = await coaches.getOrCreateMany(list, {}, { loadEagerRelations: false })
      expect(bare).not.toHaveProperty('team')
    })
  })

  test('relations are loaded also where the primary key is a bigint by a transformer', async () => {
    const [team] = await repositoryOf(db.dataSource.manager, Team).getOrCreate({ name: 'A' })
    const list = numbered(3, (n) => ({ number: BigInt(n) }))
    const results = await within(db.dataSource, (manager) =>
      repositoryOf(manager, Account).getOrCreateMany(list, { owner: team }, { relations: { owner: true } }),
    )

    expect(results.map(([{ owner }]) => owner)).toEqual([team, team, team])
  })

  test('equal criteria give the same entity also with relations', async () => {
    const [[first] = [], [second] = []] = await within(db.dataSource, (manager) =>
      usersOf(manager).getOrCreateMany([...emails(1), ...emails(1)], { name: 'x' }, { relations: { team: true } }),
    )

    expect(second).toBe(first)
    expect(first?.team).toBeNull()
  })

  test('a relation in the criteria is absent from the entity, as after a read', async () => {
    const [team] = await repositoryOf(db.dataSource.manager, Team).getOrCreate({ name: 'A' })
    const list = numbered(2, (n) => ({ team, title: `title ${n}` }))
    const results = await within(db.dataSource, (manager) => repositoryOf(manager, Role).getOrCreateMany(list))

    for (const [role] of results) expect(role).not.toHaveProperty('team')
  })

  test('rows that come with relations to store are stored with them, the others in one INSERT', async () => {
    const list = numbered(4, (n) => ({ slug: `slug ${n}` }))
    const [tag] = await tagsOf().getOrCreate({ label: 'shared' })
    const results = await within(db.dataSource, (manager) =>
      repositoryOf(manager, Post).getOrCreateMany(
        list,
        (_criteria, n) => ({
          title: `title ${n}`,
          ...(n === 1 && { tags: [tag, { label: 'new' }], team: { name: 'new team' } }),
        }),
        { relations: { tags: true, team: true } },
      ),
    )

    expect(createdIn(results)).toBe(4)
    expect(results.map(([{ tags }]) => tags.map(({ label }) => label).sort())).toEqual([[], ['new', 'shared'], [], []])
    expect(results.map(([{ team }]) => team?.name)).toEqual([undefined, 'new team', undefined, undefined])
  })

  test('nodes of a tree find their place', async () => {
    const folders = repositoryOf(db.dataSource.manager, Folder)
    const [root] = await folders.getOrCreate({ name: `root ${where}` })
    const list = numbered(3, (n) => ({ name: `folder ${n} ${where}` }))
    const results = await within(db.dataSource, (manager) =>
      repositoryOf(manager, Folder).getOrCreateMany(list, { parent: root }),
    )

    expect(createdIn(results)).toBe(3)
    const tree = await db.dataSource.manager.getTreeRepository(Folder).findDescendantsTree(root)
    expect(tree.children.map(({ name }) => name).sort()).toEqual(list.map(({ name }) => name))
  })

  test('a soft-deleted match is found with withDeleted, and without it stands in the way', async () => {
    const posts = repositoryOf(db.dataSource.manager, Post)
    const list = numbered(3, (n) => ({ slug: `slug ${n}` }))
    await posts.getOrCreate({ slug: 'slug 1' })
    await posts.softDelete({ slug: 'slug 1' })
    await within(db.dataSource, async (manager) => {
      const here = repositoryOf(manager, Post)
      const results = await here.getOrCreateMany(list, {}, { withDeleted: true })
      expect(results.map(([, created]) => created)).toEqual([true, false, true])
      expect(results[1]?.[0].deletedAt).toBeInstanceOf(Date)
      expect(isUniqueViolation(await failureOf(here.getOrCreateMany(list)))).toBe(true)
    })
  })

  test('several matches for one of the criteria are refused after the read', async () => {
    const measurements = repositoryOf(db.dataSource.manager, Measurement)
    await measurements.insert([
      { note: 'twice', value: 1 },
      { note: 'twice', value: 2 },
    ])
    await within(db.dataSource, async (manager) => {
      const call = repositoryOf(manager, Measurement).getOrCreateMany([{ note: 'new' }, { note: 'twice' }], {
        value: 3,
      })
      expect(await failureOf(call)).toBeInstanceOf(MultipleEntitiesFoundError)
    })
    expect(await measurements.count()).toBe(2)
  })

  test('criteria without a unique key create one row each', async () => {
    const list = numbered(5, (n) => ({ value: n + 0.5 }))
    const results = await within(db.dataSource, (manager) => repositoryOf(manager, Measurement).getOrCreateMany(list))

    expect(createdIn(results)).toBe(5)
    expect(await repositoryOf(db.dataSource.manager, Measurement).count()).toBe(5)
  })

  test('BeforeInsert may change what is stored; AfterInsert runs once for each row that was inserted', async () => {
    const list = numbered(4, (n) => ({ path: `/${n}` }))
    await storeEveryOther(pagesOf(), list, () => ({ title: 'stored before' }))
    Page.events = []
    const results = await within(db.dataSource, (manager) => pagesOf(manager).getOrCreateMany(list, { title: 'T' }))

    expect(results.map(([{ title }]) => title)).toEqual([
      'stored before, by listener',
      'T, by listener',
      'stored before, by listener',
      'T, by listener',
    ])
    expect(Page.events.sort()).toEqual(['after /1 id number', 'after /3 id number', 'before /1', 'before /3'])
    for (const [page] of results) expect(page).toEqual(await pagesOf().findOneByOrFail({ path: page.path }))
  })

  test('BeforeInsert may write the key in another form', async () => {
    const list = numbered(4, (n) => ({ address: ` box ${n}@x ` }))
    const results = await within(db.dataSource, (manager) => repositoryOf(manager, Mailbox).getOrCreateMany(list))

    expect(results.map(([{ address }, created]) => [address, created])).toEqual(
      list.map(({ address }) => [address.trim(), true]),
    )
  })

  test('a row that fails runs no AfterInsert of its own', async () => {
    await pagesOf().insert({ path: '/other', short: 'taken' })
    Page.events = []
    const list = numbered(3, (n) => ({ path: `/${n}` }))
    await within(db.dataSource, (manager) =>
      failureOf(pagesOf(manager).getOrCreateMany(list, (_criteria, n) => ({ short: n === 1 ? 'taken' : `s${n}` }))),
    )

    expect(Page.events).toContain('before /1')
    expect(Page.events).not.toContain('after /1 id number')
  })
})

/** Keys of every kind: what identifies the nth row, and as what it may be written again. */
interface KindOfKey {
  readonly what: string
  readonly entity: EntityTarget<ObjectLiteral>
  readonly criteria: (n: number) => object
  readonly defaults?: object
}

/** Ids that no sequence gets to in a test. */
const TEAM_IDS = [100_001, 100_002]
const USER_IDS = numbered(6, (n) => 200_000 + n)
const uuids = numbered(6, () => randomUUID())
const uuid = (n: number) => uuids[n] as string

const kindsOfKeys: KindOfKey[] = [
  { what: 'a string', entity: Tag, criteria: (n) => ({ label: `tag ${n}` }) },
  { what: 'a string with quotes, emoji and backslashes', entity: Tag, criteria: (n) => ({ label: `"'\\ ${n} 🦊 ü` }) },
  {
    what: 'a chosen primary key',
    entity: Country,
    criteria: (n) => ({ code: `C${n}` }),
    defaults: { name: 'x' },
  },
  { what: 'two columns of a primary key', entity: Seat, criteria: (n) => ({ line: `L${n % 3}`, position: n }) },
  { what: 'two columns, written in turns', entity: Seat, criteria: inTurns },
  {
    what: 'a relation and a column',
    entity: Role,
    criteria: (n) => ({ team: { id: TEAM_IDS[n % 2] }, title: `t${n}` }),
  },
  {
    what: 'a relation alone',
    entity: Passport,
    criteria: (n) => ({ holder: { id: USER_IDS[n] } }),
    defaults: { country: 'XX' },
  },
  { what: 'a column of an embedded object', entity: Customer, criteria: (n) => ({ contact: { phone: `+${n}` } }) },
  { what: 'a transformed column', entity: Badge, criteria: (n) => ({ code: `badge ${n}` }) },
  { what: 'a column whose transformer loses the case', entity: Alias, criteria: (n) => ({ name: `Alias ${n}` }) },
  { what: 'a column whose transformer is a hash', entity: Token, criteria: (n) => ({ secret: `secret ${n}` }) },
  {
    what: 'a primary key that is a bigint by a transformer',
    entity: Account,
    criteria: (n) => ({ number: BigInt(n) }),
  },
  { what: 'a bigint as text', entity: Specimen, criteria: (n) => ({ big: `90071992547409${n}` }) },
  { what: 'a bigint as a number', entity: Specimen, criteria: (n) => ({ big: 5000 + n }) },
  { what: 'a decimal as a number', entity: Specimen, criteria: (n) => ({ weight: n + 0.5 }) },
  { what: 'a decimal as text', entity: Specimen, criteria: (n) => ({ weight: `${n}.5` }) },
  { what: 'a day', entity: Specimen, criteria: (n) => ({ day: `2024-02-2${n}` }) },
  { what: 'a moment', entity: Specimen, criteria: (n) => ({ at: new Date(Date.UTC(2024, 1, 29, 23, 59, 59, n)) }) },
  { what: 'a uuid', entity: Specimen, criteria: (n) => ({ reference: uuid(n) }) },
  { what: 'a uuid in capitals', entity: Specimen, criteria: (n) => ({ reference: uuid(n).toUpperCase() }) },
  { what: 'bytes', entity: Specimen, criteria: (n) => ({ digest: Buffer.from([0, 255, n]) }) },
  {
    what: 'a chosen value for a generated uuid',
    entity: Device,
    criteria: (n) => ({ id: uuid(n), serial: `s${n}` }),
  },
  {
    what: 'a chosen value for a generated number',
    entity: Tag,
    criteria: (n) => ({ id: 5000 - n, label: `tag ${n}` }),
  },
  { what: 'a key of an entity without a class', entity: SettingSchema, criteria: (n) => ({ key: `k${n}` }) },
]

function inTurns(n: number): object {
  return n % 2 ? { position: n, line: 'L' } : { line: 'L', position: n }
}

describe.each(kindsOfKeys)('a key may be $what', ({ entity, criteria, defaults = {} }) => {
  const list = numbered(6, criteria)
  const repository = () => repositoryOf(db.dataSource.manager, entity)

  beforeEach(async () => {
    const teams = repositoryOf(db.dataSource.manager, Team)
    for (const id of TEAM_IDS) await teams.getOrCreate({ id }, { name: `team ${id}` })
    for (const id of USER_IDS) await usersOf().getOrCreate({ id }, { email: `${id}@x`, name: 'x' })
    await storeEveryOther(repository(), list, () => defaults)
  })

  test('every row is found or created under its own key, and defaults are made for misses alone', async () => {
    const made = jest.fn((_criteria: object, _index: number) => defaults)
    const results = await repository().getOrCreateMany(list, made)

    expect(results.map(([, created]) => created)).toEqual([false, true, false, true, false, true])
    expect(made.mock.calls.map(([, index]) => index).sort()).toEqual([1, 3, 5])
    expect(await repository().count()).toBe(6)
    for (const [index, [row]] of results.entries()) {
      expect(row).toEqual((await repository().getOrCreate(list[index] as object))[0])
    }
  })

  test('without a race it takes as many statements as any other key', async () => {
    const sent = await db.statements.of(() => repository().getOrCreateMany(list, defaults))
    expect(kindsOf(sent)).toEqual(['SELECT', ...insertedChunk])
    const again = await db.statements.of(async () => {
      expect(createdIn(await repository().getOrCreateMany(list, defaults))).toBe(0)
    })
    expect(kindsOf(again)).toEqual(['SELECT'])
  })
})

interface KindOfEntity {
  readonly what: string
  readonly entity: EntityTarget<ObjectLiteral>
  readonly criteria: (n: number, team: Team) => object
  readonly defaults?: (team: Team) => object
}

const kindsOfEntities: KindOfEntity[] = [
  { what: 'a class of an inheritance tree', entity: Vehicle, criteria: (n) => ({ plate: `V${n}` }) },
  { what: 'a child class', entity: Car, criteria: (n) => ({ plate: `C${n}` }), defaults: () => ({ doors: 2 }) },
  {
    what: 'a child class with an eager relation',
    entity: Truck,
    criteria: (n) => ({ plate: `T${n}` }),
    defaults: (owner) => ({ owner }),
  },
  { what: 'one of a schema', entity: planetSchema, criteria: (n) => ({ name: `P${n}` }) },
  { what: 'names that need quotes', entity: Quoted, criteria: (n) => ({ order: `Q${n}` }) },
  {
    what: 'a virtual column',
    entity: Receipt,
    criteria: (n) => ({ number: `R${n}` }),
    defaults: () => ({ amount: 3 }),
  },
  {
    what: 'a column that the database computes',
    entity: database.hasGeneratedColumns ? Invoice : Quoted,
    criteria: (n) => (database.hasGeneratedColumns ? { number: `I${n}` } : { order: `I${n}` }),
    defaults: () => (database.hasGeneratedColumns ? { amount: 3 } : {}),
  },
  { what: 'a relation id', entity: Loan, criteria: (n) => ({ number: `L${n}` }), defaults: (team) => ({ team }) },
  { what: 'a lazy relation', entity: Letter, criteria: (n) => ({ subject: `S${n}` }) },
  {
    what: 'a key column beside its relation',
    entity: TeamSeat,
    criteria: (n, { id }) => (n % 2 ? { teamId: id, position: n } : { position: n, team: { id } }),
  },
  { what: 'a composite key', entity: Enrolment, criteria: (n) => ({ course: n, student: `s${n}` }) },
]

describe.each(kindsOfEntities)('an entity may have $what', ({ entity, criteria, defaults = () => ({}) }) => {
  let kinds: OpenDatabase

  beforeAll(async () => {
    kinds = await openDatabase(kindEntities.filter((kind) => kind !== Elsewhere))
  })
  afterAll(() => kinds.close())

  test('and every result is what a read would return', async () => {
    const repository = repositoryOf(kinds.dataSource.manager, entity)
    const [team] = await repositoryOf(kinds.dataSource.manager, Team).getOrCreate({ name: 'A' })
    const list = numbered(5, (n) => criteria(n, team))
    await storeEveryOther(repository, list, () => defaults(team))
    const results = await repository.getOrCreateMany(list, defaults(team))

    expect(results.map(([, created]) => created)).toEqual([false, true, false, true, false])
    for (const [index, [row]] of results.entries()) {
      expect(row).toEqual(await repository.findOneByOrFail(list[index] as object))
    }
  })
})

describe('keys that the database takes for equal', () => {
  test('a lossy transformer makes one row of two spellings', async () => {
    const aliases = repositoryOf(db.dataSource.manager, Alias)
    const results = await aliases.getOrCreateMany([{ name: 'Ab' }, { name: 'x' }, { name: 'AB' }])

    expect(results.map(([{ name }, created]) => [name, created])).toEqual([
      ['ab', true],
      ['x', true],
      ['ab', false],
    ])
    expect(results[2]?.[0]).toBe(results[0]?.[0])
  })

  describe.each(surroundings)('%s', (_where, within) => {
    /** Rows for spellings of the same key: one where the collation folds case, one for each elsewhere. */
    const rowsFor = (spellings: number) => (database.collationFoldsCase ? 1 : spellings)

    test('new spellings of one key become as many rows as the collation tells apart', async () => {
      const list = ['b', 'ab', 'Ab', 'c', 'AB'].map((label) => ({ label }))
      const results = await within(db.dataSource, (manager) => tagsOf(manager).getOrCreateMany(list))

      const spellings = [1, 2, 4].map((index) => results[index] as [Tag, boolean])
      expect(createdIn(spellings)).toBe(rowsFor(3))
      expect(new Set(spellings.map(([{ id }]) => id)).size).toBe(rowsFor(3))
      expect(createdIn(results)).toBe(rowsFor(3) + 2)
      for (const [tag] of results) expect(tag).toEqual(await tagsOf().findOneByOrFail({ id: tag.id }))
    })

    test('of new spellings of one key, the first in the list created', async () => {
      const results = await within(db.dataSource, (manager) =>
        tagsOf(manager).getOrCreateMany([{ label: 'ab' }, { label: 'Ab' }]),
      )

      expect(results.map(([, created]) => created)).toEqual([true, rowsFor(2) === 2])
    })

    test('spellings of a stored key are found, and nobody asks for their defaults', async () => {
      const [stored] = await tagsOf().getOrCreate({ label: 'AB' })
      const misses = database.collationFoldsCase ? [2] : [0, 1, 2]
      const defaults = jest.fn((_criteria, _index: number) => ({}))
      const results = await within(db.dataSource, (manager) =>
        tagsOf(manager).getOrCreateMany([{ label: 'ab' }, { label: 'Ab' }, { label: 'new' }], defaults),
      )

      expect(results.map(([, created]) => created)).toEqual([0, 1, 2].map((index) => misses.includes(index)))
      expect(defaults.mock.calls.map(([, index]) => index).sort()).toEqual(misses)
      if (database.collationFoldsCase) expect(results.slice(0, 2).map(([tag]) => tag)).toEqual([stored, stored])
    })

    test('spellings of one key both have the relations that were asked for', async () => {
      const list = ['ab@x', 'Ab@x'].map((email) => ({ email }))
      const results = await within(db.dataSource, (manager) =>
        usersOf(manager).getOrCreateMany(list, { name: 'x' }, { relations: { team: true } }),
      )

      expect(results.map(([{ team }]) => team)).toEqual([null, null])
    })
  })
})

describe('how much is sent', () => {
  test('5,000 keys, half of them stored, take at most three statements a chunk and one transaction', async () => {
    const list = emails(5000)
    const stored = list.filter((_, n) => n % 2 === 0)
    await usersOf().getOrCreateMany(stored, { name: 'stored before' })
    const sent = await db.statements.of(async () => {
      const results = await usersOf().getOrCreateMany(list, { name: 'new' }, { chunkSize: 1000 })
      expect(results.map(([, created]) => created)).toEqual(list.map((_, n) => n % 2 === 1))
    })

    const looks = numbered(5, () => 'SELECT')
    expect(kindsOf(sent)).toEqual([...looks, ...numbered(3, () => insertedChunk).flat()])
    expect(sent.length).toBeLessThanOrEqual(3 * 5 + 2)
  })

  test.each([1, 2, 3])('a chunk of %i takes at most three statements, too', async (chunkSize) => {
    const sent = await db.statements.of(() => usersOf().getOrCreateMany(emails(3), { name: 'x' }, { chunkSize }))

    const chunks = Math.ceil(3 / chunkSize)
    expect(kindsOf(sent).length).toBeLessThanOrEqual(3 * chunks)
    expect(sent.length).toBeLessThanOrEqual(3 * chunks + 2)
  })

  test('more rows than one statement may have parameters for are stored', async () => {
    const [team] = await repositoryOf(db.dataSource.manager, Team).getOrCreate({ name: 'A' })
    const rows = 14_000
    const results = await usersOf().getOrCreateMany(emails(rows), (_criteria, n) => ({
      name: `name ${n}`,
      handle: `handle ${n}`,
      hits: n,
      team: { id: team.id },
    }))

    expect(createdIn(results)).toBe(rows)
    expect(results[rows - 1]?.[0]).toMatchObject({ email: 'u13999@x', name: 'name 13999', hits: 13_999 })
    expect(await usersOf().countBy({ team: { id: team.id } })).toBe(rows)
  })

  test('more keys of several columns than one statement may have alternatives for are stored', async () => {
    const list = numbered(1100, (n) => ({ line: `L${n % 7}`, position: n }))
    const seats = repositoryOf(db.dataSource.manager, Seat)

    expect(createdIn(await seats.getOrCreateMany(list))).toBe(1100)
    expect(createdIn(await seats.getOrCreateMany(list))).toBe(0)
    expect(await seats.count()).toBe(1100)
  })

  test('in a transaction of the caller none is opened', async () => {
    await db.dataSource.transaction(async (manager) => {
      const sent = await db.statements.of(() => usersOf(manager).getOrCreateMany(emails(4), { name: 'x' }))
      expect(sent.filter((sql) => /^(BEGIN|START|COMMIT|SAVEPOINT)/.test(sql))).toEqual([])
      expect(kindsOf(sent)).toEqual(['SELECT', ...insertedChunk])
    })
  })

  test('relations of many rows are read together', async () => {
    const list = emails(50)
    await usersOf().getOrCreateMany(list, { name: 'x' })
    const sent = await db.statements.of(() =>
      usersOf().getOrCreateMany(list, { name: 'x' }, { relations: { team: true } }),
    )

    expect(kindsOf(sent)).toEqual(['SELECT', 'SELECT'])
  })
})

describe('progress', () => {
  async function progressOf(work: (onProgress: (progress: { done: number; total: number }) => void) => unknown) {
    const reports: { done: number; total: number }[] = []
    await work((report) => reports.push(report))
    return { totals: new Set(reports.map(({ total }) => total)), done: reports.map(({ done }) => done) }
  }

  test('is reported as rows are settled, grows, and ends at the total', async () => {
    const list = [...emails(50), ...emails(5)]
    await storeEveryOther(usersOf(), emails(50), () => ({ name: 'stored before' }))
    const { totals, done } = await progressOf((onProgress) =>
      usersOf().getOrCreateMany(list, { name: 'x' }, { chunkSize: 10, onProgress }),
    )

    expect([...totals]).toEqual([55])
    expect(done.length).toBeGreaterThan(5)
    expect(done).toEqual([...new Set(done)].sort((one, other) => one - other))
    expect(done.at(-1)).toBe(55)
  })

  test('ends at the total also where all were there, or came alone', async () => {
    await usersOf().getOrCreateMany(emails(5), { name: 'x' })
    const found = await progressOf((onProgress) => usersOf().getOrCreateMany(emails(5), {}, { onProgress }))
    expect(found.done).toEqual([5])
    const alone = await progressOf((onProgress) =>
      usersOf().getOrCreateMany([{ email: 'alone@x' }], { name: 'x' }, { onProgress }),
    )
    expect(alone.done.at(-1)).toBe(1)
  })

  test('an error in the report stops the call, and nothing is stored', async () => {
    const refusal = new Error('no bar')
    const onProgress = ({ done }: { done: number }) => {
      if (done > 3) throw refusal
    }
    const call = usersOf().getOrCreateMany(emails(9), { name: 'x' }, { chunkSize: 3, onProgress })

    expect(await failureOf(call)).toBe(refusal)
    expect(await usersOf().count()).toBe(0)
  })
})

describe('all or nothing', () => {
  const namelessAt = (bad: number) => (_criteria: object, index: number) => ({
    name: (index === bad ? null : 'x') as string,
  })

  test('one row that the database refuses leaves none behind, and the error is its own', async () => {
    const call = usersOf().getOrCreateMany(emails(9), namelessAt(8), { chunkSize: 3 })
    const failure = await failureOf(call)

    expect(failure).toBeInstanceOf(QueryFailedError)
    expect(isUniqueViolation(failure)).toBe(false)
    expect(await usersOf().count()).toBe(0)
  })

  test('one row whose other key is taken leaves none behind', async () => {
    await usersOf().insert({ email: 'other@x', name: 'other', handle: 'taken' })
    const call = usersOf().getOrCreateMany(
      emails(9),
      (_criteria, n) => ({ name: 'x', handle: n === 8 ? 'taken' : `h${n}` }),
      { chunkSize: 3 },
    )

    expect(isUniqueViolation(await failureOf(call))).toBe(true)
    expect(await usersOf().find()).toEqual([expect.objectContaining({ email: 'other@x' })])
  })

  test('one row whose relations cannot be stored leaves neither rows nor relations behind', async () => {
    const posts = repositoryOf(db.dataSource.manager, Post)
    await tagsOf().insert({ label: 'taken' })
    const call = posts.getOrCreateMany(
      numbered(3, (n) => ({ slug: `slug ${n}` })),
      (_criteria, n) => ({ team: { name: `team ${n}` }, tags: [{ label: n === 2 ? 'taken' : `tag ${n}` }] }),
    )

    expect(isUniqueViolation(await failureOf(call))).toBe(true)
    expect(await posts.count()).toBe(0)
    expect(await db.dataSource.manager.count(Team)).toBe(0)
    expect(await tagsOf().count()).toBe(1)
  })

  test('a function of defaults that throws leaves nothing behind, and its error is passed on', async () => {
    const refusal = new Error('no defaults')
    const call = usersOf().getOrCreateMany(emails(3), (_criteria, index) => {
      if (index === 2) throw refusal
      return { name: 'x' }
    })

    expect(await failureOf(call)).toBe(refusal)
    expect(await usersOf().count()).toBe(0)
  })

  test('a hook that throws leaves nothing behind, and its error is passed on', async () => {
    const refusal = new Error('no users')
    const call = usersOf()
    db.dataSource.subscribers.push({
      listenTo: () => User,
      afterInsert: ({ entity }) => {
        if (entity.email === 'u2@x') throw refusal
      },
    })

    expect(await failureOf(call.getOrCreateMany(emails(3), { name: 'x' }))).toBe(refusal)
    expect(await usersOf().count()).toBe(0)
  })

  test('rows belong to the transaction of the caller, and go with it', async () => {
    const refusal = new Error('changed my mind')
    const call = db.dataSource.transaction(async (manager) => {
      expect(createdIn(await usersOf(manager).getOrCreateMany(emails(3), { name: 'x' }))).toBe(3)
      throw refusal
    })

    expect(await failureOf(call)).toBe(refusal)
    expect(await usersOf().count()).toBe(0)
  })

  test('the transaction of the caller survives a conflict on another unique key', async () => {
    await usersOf().insert({ email: 'other@x', name: 'other', handle: 'taken' })
    await db.dataSource.transaction(async (manager) => {
      await tagsOf(manager).insert({ label: 'before' })
      const call = usersOf(manager).getOrCreateMany(emails(3), { name: 'x', handle: 'taken' })
      expect(isUniqueViolation(await failureOf(call))).toBe(true)
      await tagsOf(manager).insert({ label: 'after' })
    })

    expect(await tagsOf().count()).toBe(2)
  })
})

describe('hooks', () => {
  test('may themselves get or create, one row or many, on the manager of their event', async () => {
    db.dataSource.subscribers.push({
      listenTo: () => User,
      beforeInsert: ({ manager, entity }) =>
        repositoryOf(manager, Audit).getOrCreateMany([{ note: 'shared' }, { note: `before ${entity.email}` }]),
      afterInsert: ({ manager, entity }) => repositoryOf(manager, Audit).getOrCreate({ note: `after ${entity.id}` }),
    })
    const results = await usersOf().getOrCreateMany(emails(3), { name: 'x' })

    expect(createdIn(results)).toBe(3)
    const notes = await repositoryOf(db.dataSource.manager, Audit).find()
    expect(notes.map(({ note }) => note).sort()).toEqual(
      [
        ...results.map(([{ id }]) => `after ${id}`),
        ...results.map(([{ email }]) => `before ${email}`),
        'shared',
      ].sort(),
    )
  })

  test('may use the result of a call that they start inside a single row', async () => {
    db.dataSource.subscribers.push({
      listenTo: () => User,
      afterInsert: ({ manager }) =>
        Promise.all([tagsOf(manager).getOrCreateMany(labels(3)), tagsOf(manager).getOrCreateMany(labels(3).reverse())]),
    })
    await usersOf().getOrCreate({ email: 'u@x' }, { name: 'x' })

    expect(await tagsOf().count()).toBe(3)
  })

  test('none of an insert run for rows that are there', async () => {
    const list = numbered(3, (n) => ({ path: `/${n}` }))
    await pagesOf().getOrCreateMany(list)
    Page.events = []
    await pagesOf().getOrCreateMany(list)

    expect(Page.events).toEqual([])
  })

  test('afterLoad runs once for every entity that is returned', async () => {
    const list = numbered(4, (n) => ({ path: `/${n}` }))
    await storeEveryOther(pagesOf(), list, () => ({}))

    expect((await pagesOf().getOrCreateMany(list)).map(([{ loads }]) => loads)).toEqual([1, 1, 1, 1])
  })

  test('afterLoad runs once also where the collation alone finds the row', async () => {
    await pagesOf().getOrCreate({ path: '/AB' })
    const results = await pagesOf().getOrCreateMany([{ path: '/ab' }, { path: '/new' }, { path: '/other' }])

    expect(results.map(([{ loads }]) => loads)).toEqual([1, 1, 1])
  })
})

describe('one connection', () => {
  let single: OpenDatabase
  let users: GetOrCreateRepository<User>

  beforeEach(async () => {
    single = await openDatabase(entities, { poolSize: 1 } as object)
    users = usersOf(single.dataSource.manager)
  })
  afterEach(() => single.close())

  test('is enough, also when defaults ask the database themselves', async () => {
    const results = await users.getOrCreateMany(emails(4), async (_criteria, index) => {
      const [team] = await repositoryOf(single.dataSource.manager, Team).getOrCreate({ name: `team ${index % 2}` })
      return { name: 'x', team: { id: team.id } }
    })

    expect(createdIn(results)).toBe(4)
    expect(await single.dataSource.manager.count(Team)).toBe(2)
  })

  test('is enough for several calls at once', async () => {
    const results = await Promise.all(
      numbered(4, (caller) => users.getOrCreateMany(emails(10), { name: `caller ${caller}` })),
    )

    expect(createdIn(results.flat())).toBe(10)
  })

  test('is free while defaults are made: no transaction is open', async () => {
    const seen: string[][] = []
    await users.getOrCreateMany(emails(2), async () => {
      seen.push(single.statements.sent.filter((sql) => /^(BEGIN|START)/.test(sql)))
      return { name: 'x' }
    })

    expect(seen).toEqual([[], []])
  })
})

test('what is changed in the list or the defaults after the call does not reach the rows', async () => {
  const team = await db.dataSource.manager.save(Team, { name: 'T' })
  const list = emails(3)
  const defaults = { name: 'given', team: { id: team.id } }
  const call = usersOf().getOrCreateMany(list, defaults)
  defaults.name = 'changed'
  list.pop()
  Object.assign(list[0] ?? {}, { email: 'changed@x' })
  const results = await call
  expect(results.map(([{ email, name }]) => [email, name])).toEqual(emails(3).map(({ email }) => [email, 'given']))
})

if (database.hasArrays) {
  test('sixty keys are found and stored also where a column is of another type than its entity says', async () => {
    const own = await openDatabase([Tag])
    try {
      const { tablePath } = own.dataSource.getMetadata(Tag)
      await own.dataSource.query(`ALTER TABLE "${tablePath}" ALTER COLUMN "label" TYPE uuid USING "label"::uuid`)
      const tags = repositoryOf(own.dataSource.manager, Tag)
      const list = numbered(60, () => ({ label: randomUUID() }))
      await storeEveryOther(tags, list, () => ({}))
      const results = await tags.getOrCreateMany(list)
      expect(results.map(([tag]) => tag.label)).toEqual(list.map(({ label }) => label))
      expect(results.map(([, created]) => created)).toEqual(list.map((_, index) => index % 2 === 1))
    } finally {
      await own.close()
    }
  })
}
