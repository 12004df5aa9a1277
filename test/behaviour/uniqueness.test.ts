import { Equal, In, IsNull, Like, Table } from 'typeorm'
import {
  getOrCreateMixin,
  MultipleEntitiesFoundError,
  NotUniqueCriteriaError,
  type Uniqueness,
} from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { Country, entities, Role, Tag, Team, User } from '../entities.js'
import { expectRefusal, failureOf } from '../failures.js'
import { Badge, Customer, Device, keyEntities, Passport, Seat, Ticket } from '../key-entities.js'

/** Criteria of any shape: what is asked here is only whether a key covers them. */
type AnyCriteria = {
  getOrBuild(criteria: unknown, defaults?: unknown, options?: { uniqueness?: Uniqueness }): Promise<[object, boolean]>
  getOrCreate(criteria: unknown, defaults?: unknown, options?: { uniqueness?: Uniqueness }): Promise<[object, boolean]>
}
type Target = (new () => object) | string

let db: OpenDatabase

async function open() {
  db = await openDatabase([...entities, ...keyEntities])
}
const close = () => db.close()

const looking = (entity: Target) =>
  db.dataSource.getRepository(entity).extend(getOrCreateMixin()) as unknown as AnyCriteria

const id = '6f1f7a3e-95a5-4f0c-8d5f-0a3d5f6a7b8c'

const covered: [by: string, entity: Target, criteria: unknown][] = [
  ['a generated primary key', User, { id: 1 }],
  ['a chosen primary key', Country, { code: 'DE' }],
  ['a uuid', Device, { id }],
  ['all of a composite primary key', Seat, { line: 'A', position: 1 }],
  ['a unique column', User, { email: 'a@x' }],
  ['a unique column that may be NULL, given a value', User, { handle: 'a' }],
  ['a unique column with a transformer', Badge, { code: 'a' }],
  ['a unique column among others', User, { email: 'a@x', name: 'A' }],
  ['a unique column by Equal()', User, { email: Equal('a@x') }],
  ['@Unique on a relation by key and a column', Role, { team: { id: 1 }, title: 'Lead' }],
  ['a unique index on several columns', Ticket, { queue: 'main', position: 1 }],
  ['a unique column of an embedded object', Customer, { contact: { phone: '1' } }],
  ['a one-to-one join column', Passport, { holder: { id: 1 } }],
  ['a key of an entity without a class', 'Setting', { key: 'theme' }],
  ['a key in each alternative', User, [{ email: 'a@x' }, { id: 1 }]],
]

const uncovered: [by: string, entity: Target, criteria: unknown, columns: string[]][] = [
  ['a plain column', User, { name: 'A' }, ['name']],
  ['two plain columns', User, { name: 'A', hits: 1 }, ['name', 'hits']],
  ['a part of a composite primary key', Seat, { line: 'A' }, ['line']],
  ['a part of a @Unique', Role, { title: 'Lead' }, ['title']],
  ['a part of a unique index', Ticket, { queue: 'main' }, ['queue']],
  ['an index with a condition', Ticket, { title: 'Broken' }, ['title']],
  ['a relation that is not unique', User, { team: { id: 1 } }, ['team.id']],
  ['IsNull() on a unique column', User, { handle: IsNull() }, []],
  ['IsNull() on a part of a unique index', Ticket, { queue: 'main', position: IsNull() }, ['queue']],
  ['an operator on a unique column', User, { email: Like('a%') }, []],
  ['a list on a unique column', User, { email: In(['a@x']) }, []],
  ['a relation of a @Unique by other fields', Role, { team: { name: 'red' }, title: 'Lead' }, ['title']],
  ['another column of an embedded object', Customer, { contact: { city: 'Bonn' } }, ['contact.city']],
  ['an alternative without a key', User, [{ email: 'a@x' }, { name: 'A' }], ['name']],
]

describe("uniqueness: 'require'", () => {
  beforeAll(open)
  afterAll(close)

  test.each(covered)('passes criteria covered by %s', async (_, entity, criteria) => {
    const [, isNew] = await looking(entity).getOrBuild(criteria, {}, { uniqueness: 'require' })
    expect(isNew).toBe(true)
  })

  test.each(uncovered)('refuses criteria covered by %s only, naming what they have', (_, entity, criteria, columns) =>
    expectRefusal(db.statements, () => looking(entity).getOrCreate(criteria, {}, { uniqueness: 'require' }), {
      error: NotUniqueCriteriaError,
      says: [typeof entity === 'string' ? entity : entity.name, ...columns.map((column) => `'${column}'`)],
    }),
  )

  test('says which unique key is missing', async () => {
    const call = looking(User).getOrCreate({ name: 'A', hits: 1 }, {}, { uniqueness: 'require' })
    const failure = (await failureOf(call)) as NotUniqueCriteriaError
    expect(failure.message).toContain("@Unique(['name', 'hits'])")
    expect(failure.entityName).toBe('User')
    expect(failure.propertyPaths).toEqual(['name', 'hits'])
  })
})

const nearly: [by: string, entity: Target, criteria: unknown, says: string][] = [
  [
    'an operator',
    User,
    { email: Like('a%') },
    "The unique key on 'email' would be, but 'email' is given by an operator: give email as a plain value",
  ],
  ['a list beside another column', User, { email: In(['a@x']), name: 'A' }, "The unique key on 'email' would be"],
  [
    'NULL',
    Ticket,
    { queue: 'main', position: IsNull() },
    "The unique key on 'queue', 'position' would be, but 'position' is given by NULL: give position as a plain value",
  ],
  [
    'other fields of a relation',
    Role,
    { team: { name: 'red' }, title: 'Lead' },
    "The unique key on 'team', 'title' would be, but 'team' is given by other fields: give team: { id: … }",
  ],
  [
    'an operator on a relation',
    Role,
    { team: In([1]), title: 'Lead' },
    "but 'team' is given by an operator: give team: { id: … }",
  ],
  ['NULL for a relation', Role, { team: IsNull(), title: 'Lead' }, "but 'team' is given by NULL: give team: { id: … }"],
  ['an operator in an alternative', User, [{ id: 1 }, { email: Like('a%') }], "The unique key on 'email' would be"],
  [
    'a condition',
    Ticket,
    { title: 'Broken' },
    "The unique index on 'title' has a condition, and whether it holds cannot be checked: pass uniqueness: 'ignore' where it does",
  ],
]

describe('a key that is there already', () => {
  beforeEach(open)
  afterEach(close)

  test.each(nearly)(
    'is named, and what keeps the criteria from covering it: %s',
    async (_by, entity, criteria, says) => {
      const failure = await failureOf(looking(entity).getOrCreate(criteria, {}, { uniqueness: 'require' }))
      expect(failure).toBeInstanceOf(NotUniqueCriteriaError)
      expect(failure.message).toContain(says)
      expect(failure.message).not.toContain('@Unique')
      await looking(entity).getOrBuild(criteria)
      expect(db.statements.warnings).toEqual([expect.stringContaining(says)])
    },
  )

  test('is warned of beside another one that is left open as well', async () => {
    await looking(User).getOrBuild({ email: Like('a%') })
    await looking(User).getOrBuild({ id: In([1]) })
    await looking(User).getOrBuild({ id: In([2]) })
    expect(db.statements.warnings).toHaveLength(2)
  })
})

describe("uniqueness: 'warn', the default", () => {
  // What was warned of is remembered per DataSource, so each test starts with one of its own.
  beforeEach(open)
  afterEach(close)

  test('is silent for all criteria that a key covers', async () => {
    for (const [, entity, criteria] of covered) await looking(entity).getOrBuild(criteria)
    expect(db.statements.warnings).toEqual([])
  })

  test('warns of criteria that no key covers, and goes on', async () => {
    expect((await looking(User).getOrBuild({ name: 'A' }))[1]).toBe(true)
    expect(db.statements.warnings).toHaveLength(1)
  })

  test('warns in one line that says what to add', async () => {
    await looking(User).getOrBuild({ name: 'A', hits: 1 })
    const [warning] = db.statements.warnings
    expect(warning).not.toContain('\n')
    expect(warning).toContain('typeorm-get-or-create')
    expect(warning).toContain("@Unique(['name', 'hits'])")
    expect(warning).toContain('User')
  })

  test('warns once per entity and set of columns, whatever the values, the order and the repository', async () => {
    for (const name of ['A', 'B']) await looking(User).getOrBuild({ name, hits: 1 })
    await looking(User).getOrBuild({ hits: 2, name: 'C' })
    await looking(User).getOrCreate({ name: 'D', hits: 3 }, { email: 'd@x' }, { uniqueness: 'warn' })
    await db.dataSource.transaction((manager) =>
      (manager.getRepository(User).extend(getOrCreateMixin()) as unknown as AnyCriteria).getOrBuild({
        name: 'E',
        hits: 1,
      }),
    )
    expect(db.statements.warnings).toHaveLength(1)
  })

  test('warns again for other columns, and for another entity', async () => {
    await looking(User).getOrBuild({ name: 'A' })
    await looking(User).getOrBuild({ hits: 1 })
    await looking(Country).getOrBuild({ name: 'A' })
    expect(db.statements.warnings).toHaveLength(3)
  })

  test('warns on a hit, too', async () => {
    await db.dataSource.getRepository(Tag).insert({ label: 'there' })
    expect((await looking(Tag).getOrCreate({ label: Like('ther%') }))[1]).toBe(false)
    expect(db.statements.warnings).toHaveLength(1)
  })
})

describe("uniqueness: 'ignore'", () => {
  beforeAll(open)
  afterAll(close)

  test.each(uncovered)('is silent for criteria covered by %s only', async (_, entity, criteria) => {
    expect((await looking(entity).getOrBuild(criteria, {}, { uniqueness: 'ignore' }))[1]).toBe(true)
    expect(db.statements.warnings).toEqual([])
  })

  test('does not use up the warning of a later call', async () => {
    await looking(User).getOrBuild({ name: 'A' }, {}, { uniqueness: 'ignore' })
    await looking(User).getOrBuild({ name: 'A' })
    expect(db.statements.warnings).toHaveLength(1)
  })
})

describe('a key that the entity declares and the table lacks', () => {
  beforeAll(async () => {
    db = await openDatabase([Team, User], { synchronize: false })
    const runner = db.dataSource.createQueryRunner()
    const id = {
      name: 'id',
      type: 'integer',
      isPrimary: true,
      isGenerated: true,
      generationStrategy: 'increment',
    } as const
    const columns = [id, { name: 'name', type: 'varchar', length: '40' }]
    await runner.createTable(new Table({ name: 'team', columns }))
    await runner.release()
    await db.dataSource.manager.insert(Team, [{ name: 'twin' }, { name: 'twin' }])
  })
  afterAll(close)

  test('is what two matches are put down to', async () => {
    const failure = await failureOf(looking(Team).getOrCreate({ name: 'twin' }))
    expect(failure).toBeInstanceOf(MultipleEntitiesFoundError)
    expect(failure.message).toBe(
      "More than one Team matches the criteria, although the entity declares a unique key on 'name': the table has " +
        'duplicates, and the unique index seems to be missing in the database. Remove the duplicates and create it.',
    )
  })

  test('is not what two matches of two alternatives are put down to', async () => {
    const failure = await failureOf(looking(Team).getOrCreate([{ id: 1 }, { id: 2 }]))
    expect(failure).toBeInstanceOf(MultipleEntitiesFoundError)
    expect(failure.message).not.toContain('declares')
  })
})
