import {
  And,
  Between,
  Column,
  DataSource,
  Entity,
  Equal,
  In,
  IsNull,
  JoinTable,
  LessThan,
  Like,
  ManyToMany,
  ManyToOne,
  MoreThan,
  Not,
  Or,
  PrimaryGeneratedColumn,
  RelationId,
} from 'typeorm'
import {
  GetOrCreateError,
  type GetOrCreateRepository,
  getOrCreateMixin,
  InvalidCriteriaError,
  InvalidOptionsError,
  InvalidValuesError,
  MultipleEntitiesFoundError,
  NotUniqueCriteriaError,
  withGetOrCreate,
} from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { entities, Post, Role, Team, User } from '../entities.js'
import { expectRefusal, failureOf } from '../failures.js'
import { Badge, Customer, keyEntities, Passport, Seat, TeamName } from '../key-entities.js'

type Target = new () => object
/** What no compiler lets through is what this file is about, so nothing here is typed. */
type Untyped = {
  getOrCreate(...args: unknown[]): Promise<[object, boolean]>
  getOrBuild(...args: unknown[]): Promise<[object, boolean]>
}

let db: OpenDatabase

/** What TypeORM itself may be told to let pass, which must not change what we refuse. */
const lenient = { invalidWhereValuesBehavior: { null: 'ignore', undefined: 'ignore' } } as const

function misused(entity: Target): Untyped {
  return db.dataSource.getRepository(entity).extend(getOrCreateMixin()) as unknown as Untyped
}

const refused = (call: () => Promise<unknown>, error: new (...args: never) => GetOrCreateError, says: string[]) =>
  expectRefusal(db.statements, call, { error, says })

/** Relations whose keys can be read beside them. */
@Entity()
class Loan {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  number!: string

  @ManyToOne(() => Team, { nullable: true })
  team!: Team | null

  @RelationId((loan: Loan) => loan.team)
  teamId!: number

  @ManyToMany(() => User)
  @JoinTable()
  readers!: User[]

  @RelationId((loan: Loan) => loan.readers)
  readerIds!: number[]
}

class Unrelated {
  email = 'class@x'
  constructor(readonly password = 'secret') {}
}

const invalidDate = new Date('not a date')

/** Input, the path that the message names, and what it says was received and should be done. */
const emptyOrNoObject: [what: string, criteria: unknown, path: string, says: string][] = [
  ['nothing', undefined, 'criteria', 'undefined: give an object'],
  ['null', null, 'criteria', 'null: give an object'],
  ['a number', 1, 'criteria', '1: give an object'],
  ['a string', 'a@x', 'criteria', '"a@x": give an object'],
  ['a boolean', true, 'criteria', 'true: give an object'],
  ['a bigint', 1n, 'criteria', '1: give an object'],
  ['a symbol', Symbol('a'), 'criteria', 'give an object'],
  ['a function', () => ({ email: 'a@x' }), 'criteria', 'a function: give an object'],
  ['a Date', new Date(), 'criteria', 'a Date: give an object'],
  ['a Promise', Promise.resolve({ email: 'a@x' }), 'criteria', 'a Promise: give an object'],
  ['an operator', Equal('a@x'), 'criteria', 'give an object'],
  ['a Map', new Map([['email', 'a@x']]), 'criteria', 'Map: '],
  ['an empty object', {}, 'criteria', 'an empty object: it would match every row'],
  ['an empty array', [], 'criteria', 'an empty array: give at least one'],
  ['an array with an empty object', [{}], 'criteria[0]', 'an empty object: it would match every row'],
  ['an empty object among others', [{ email: 'a@x' }, {}], 'criteria[1]', 'an empty object: it would match every row'],
  ['an array with null', [{ email: 'a@x' }, null], 'criteria[1]', 'null: give an object'],
  ['an array with undefined', [undefined], 'criteria[0]', 'undefined: give an object'],
  ['an array of arrays', [[{ email: 'a@x' }]], 'criteria[0]', 'an array: give an object'],
  ['an array of values', ['a@x'], 'criteria[0]', '"a@x": give an object'],
  ['an empty related object', { email: 'a@x', team: {} }, 'criteria.team', 'an empty object'],
  ['an empty array of related objects', { team: { members: [] } }, 'criteria.team.members', 'an empty array'],
  ['an empty instance of a related class', { team: new Team() }, 'criteria.team', 'an instance of Team'],
  ['an empty object for a value', { email: {} }, 'criteria.email', 'an empty object'],
  ['an empty object deeper', { team: { members: {} } }, 'criteria.team.members', 'an empty object'],
]

const noValues: [what: string, criteria: unknown, path: string, says: string][] = [
  ['undefined', { email: undefined }, 'criteria.email', 'undefined: '],
  ['undefined beside a value', { email: 'a@x', name: undefined }, 'criteria.name', 'undefined: '],
  ['null', { email: null }, 'criteria.email', 'null: use IsNull()'],
  ['null for a nullable column', { email: 'a@x', handle: null }, 'criteria.handle', 'null: use IsNull()'],
  ['NaN', { id: Number.NaN }, 'criteria.id', 'NaN: '],
  ['an invalid Date', { createdAt: invalidDate }, 'criteria.createdAt', 'an invalid Date: '],
  ['undefined in an alternative', [{ email: 'a@x' }, { email: undefined }], 'criteria[1].email', 'undefined: '],
  ['null in an alternative', [{ handle: null }], 'criteria[0].handle', 'null: use IsNull()'],
  ['an undefined relation', { email: 'a@x', team: undefined }, 'criteria.team', 'undefined: '],
  ['a null relation', { email: 'a@x', team: null }, 'criteria.team', 'null: use IsNull()'],
  ['an undefined key of a relation', { team: { id: undefined } }, 'criteria.team.id', 'undefined: '],
  ['a null key of a relation', { team: { id: null } }, 'criteria.team.id', 'null: use IsNull()'],
  ['a NaN key of a relation', { team: { id: Number.NaN } }, 'criteria.team.id', 'NaN: '],
  ['null beside the key of a relation', { team: { id: 1, name: null } }, 'criteria.team.name', 'null: '],
  ['undefined two relations deep', { team: { members: { email: undefined } } }, 'criteria.team.members.email', ''],
  ['Equal(undefined)', { email: Equal(undefined) }, 'criteria.email', 'undefined: '],
  ['Equal(null)', { email: Equal(null) }, 'criteria.email', 'null: use IsNull()'],
  ['Equal(NaN)', { id: Equal(Number.NaN) }, 'criteria.id', 'NaN: '],
  ['Equal() of an invalid Date', { createdAt: Equal(invalidDate) }, 'criteria.createdAt', 'an invalid Date: '],
  ['Not(null)', { handle: Not(null) }, 'criteria.handle', 'null: use IsNull()'],
  ['Not(Equal(undefined))', { handle: Not(Equal(undefined)) }, 'criteria.handle', 'undefined: '],
  ['Like(undefined)', { email: Like(undefined as never) }, 'criteria.email', 'undefined: '],
  ['In() with null', { email: In(['a@x', null]) }, 'criteria.email', 'null: '],
  ['In() with undefined', { email: In([undefined]) }, 'criteria.email', 'undefined: '],
  ['Not(In()) with NaN', { id: Not(In([1, Number.NaN])) }, 'criteria.id', 'NaN: '],
  ['Between() with NaN', { id: Between(Number.NaN, 3) }, 'criteria.id', 'NaN: '],
  ['Between() with undefined', { id: Between(1, undefined as never) }, 'criteria.id', 'undefined: '],
  ['MoreThan() of an invalid Date', { createdAt: MoreThan(invalidDate) }, 'criteria.createdAt', 'an invalid Date: '],
  ['And() with undefined inside', { id: And(MoreThan(1), LessThan(undefined as never)) }, 'criteria.id', 'undefined: '],
  ['Or() with null inside', { handle: Or(Equal('a'), Equal(null)) }, 'criteria.handle', 'null: use IsNull()'],
  ['Equal(undefined) as a relation', { team: Equal(undefined) }, 'criteria.team', 'undefined: '],
  ['Equal(undefined) as the key of a relation', { team: { id: Equal(undefined) } }, 'criteria.team.id', 'undefined: '],
]

const foreignCriteria: [what: string, entity: Target, criteria: unknown, path: string, says: string][] = [
  ['an unknown property', User, { email: 'a@x', mail: 1 }, 'criteria.mail', '1: User has no such property'],
  ['an unknown property, undefined', User, { email: 'a@x', mail: undefined }, 'criteria.mail', 'undefined: '],
  ['an unknown property of an alternative', User, [{ mail: 'a@x' }], 'criteria[0].mail', 'User has no such property'],
  [
    'a join column by its name',
    User,
    { teamId: 1 },
    'criteria.teamId',
    '1: teamId belongs to the relation team; give team: { id: … }.',
  ],
  [
    'a join column beside a value',
    User,
    [{ email: 'a@x', teamId: 1 }],
    'criteria[0].teamId',
    '1: teamId belongs to the relation team',
  ],
  [
    'a join column of a relation',
    Passport,
    { holder: { teamId: 1 } },
    'criteria.holder.teamId',
    '1: teamId belongs to the relation team',
  ],
  [
    'a @RelationId',
    Loan,
    { teamId: 1 },
    'criteria.teamId',
    '1: teamId belongs to the relation team; give team: { id: … }.',
  ],
  [
    'a @RelationId of a relation to many',
    Loan,
    { readerIds: [1] },
    'criteria.readerIds',
    'an array: readerIds belongs to the relation readers; give readers: [{ id: … }].',
  ],
  ['a dotted path', User, { 'team.name': 'x' }, 'criteria.team.name', 'User has no such property'],
  ['a property of Object.prototype', User, { constructor: 1 }, 'criteria.constructor', 'User has no such property'],
  ['an unknown property of a relation', User, { team: { title: 'x' } }, 'criteria.team.title', 'Team has no such'],
  ['an unknown property beside the key', User, { team: { id: 1, x: 2 } }, 'criteria.team.x', 'Team has no such'],
  [
    'a field that is no column',
    Badge,
    { code: 'a', scratch: 'x' },
    'criteria.scratch',
    '"x": Badge has no such property among its columns and relations',
  ],
  [
    'an unknown property of an embedded',
    Customer,
    { contact: { fax: '1' } },
    'criteria.contact.fax',
    'Customer has no',
  ],
  ['an instance of a foreign class', User, new Unrelated(), 'criteria.password', 'User has no such property'],
  ['an empty embedded object', Customer, { contact: {} }, 'criteria.contact', 'an empty object: '],
  ['undefined in an embedded object', Customer, { contact: { phone: undefined } }, 'criteria.contact.phone', ''],
  ['an embedded object given by a value', Customer, { contact: '123' }, 'criteria.contact', '"123": '],
  ['an embedded object given by an operator', Customer, { contact: Equal({}) }, 'criteria.contact', 'properties'],
  ['a bare id for a relation', Role, { team: 1, title: 'x' }, 'criteria.team', '1: a relation is given as an object'],
  ['a bare id as text', Role, { team: '1' }, 'criteria.team', '"1": a relation is given as an object, such as { id'],
  ['bare ids for a relation to many', Post, { tags: [1, 2] }, 'criteria.tags[0]', '1: '],
  ['a function as a value', User, { email: () => 'a@x' }, 'criteria.email', 'a function: '],
  ['a Promise of a relation', Role, { team: Promise.resolve({ id: 1 }) }, 'criteria.team', 'a Promise: '],
]

const wrongValues: [what: string, entity: Target, criteria: object, defaults: unknown, path: string, says: string][] = [
  ['an unknown property', User, { email: 'a@x' }, { nickname: 'x' }, 'defaults.nickname', '"x": User has no such'],
  [
    'a join column by its name',
    User,
    { email: 'a@x' },
    { teamId: 1 },
    'defaults.teamId',
    '1: teamId belongs to the relation team; give team: { id: … }.',
  ],
  [
    'a @RelationId',
    Loan,
    { number: 'a' },
    { teamId: 1 },
    'defaults.teamId',
    '1: teamId belongs to the relation team; give team: { id: … }.',
  ],
  ['a property of Object.prototype', User, { email: 'a@x' }, { toString: 1 }, 'defaults.toString', 'User has no such'],
  ['a field that is no column', Badge, { code: 'a' }, { scratch: 'x' }, 'defaults.scratch', '"x": Badge has no such'],
  ['an unknown property, undefined', Badge, { code: 'a' }, { scratch: undefined }, 'defaults.scratch', 'Badge has no'],
  ['an operator', User, { email: 'a@x' }, { name: Equal('x') }, 'defaults.name', 'an operator is no value'],
  ['IsNull()', User, { email: 'a@x' }, { handle: IsNull() }, 'defaults.handle', 'an operator is no value'],
  ['a bare id for a relation', User, { email: 'a@x' }, { team: 1 }, 'defaults.team', '1: a relation is given as an'],
  ['an array for a relation to one', User, { email: 'a@x' }, { team: [{ id: 1 }] }, 'defaults.team', 'give one object'],
  ['an object for a relation to many', Post, { slug: 'a' }, { tags: { id: 1 } }, 'defaults.tags', 'give an array'],
  ['null for a relation to many', Post, { slug: 'a' }, { tags: null }, 'defaults.tags', 'null: give an array'],
  ['bare ids for a relation to many', Post, { slug: 'a' }, { tags: [1] }, 'defaults.tags[0]', '1: a relation is given'],
  ['an operator in a relation', User, { email: 'a@x' }, { team: Equal(1) }, 'defaults.team', 'an operator is no value'],
  [
    'an operator as a key',
    User,
    { email: 'a@x' },
    { team: { id: Equal(1) } },
    'defaults.team.id',
    'operator is no value',
  ],
  ['an empty operator as a key', User, { email: 'a@x' }, { team: { id: Equal(null) } }, 'defaults.team', 'an object: '],
  ['an unknown property of a relation', Post, { slug: 'a' }, { team: { x: 1 } }, 'defaults.team.x', 'Team has no such'],
  ['an unknown property of a link', Post, { slug: 'a' }, { tags: [{ x: 1 }] }, 'defaults.tags[0].x', 'Tag has no such'],
  ['a new object that nothing stores', User, { email: 'a@x' }, { team: { name: 'x' } }, 'defaults.team', 'cascade'],
  ['an unknown embedded property', Customer, { name: 'a' }, { contact: { fax: 1 } }, 'defaults.contact.fax', 'has no'],
  [
    'an operator in an embedded object',
    Customer,
    { name: 'a' },
    { contact: { phone: Like('1') } },
    'phone',
    'operator',
  ],
  ['a value for an embedded object', Customer, { name: 'a' }, { contact: '1' }, 'defaults.contact', '"1": '],
  ['an array', User, { email: 'a@x' }, [{ name: 'x' }], 'defaults', 'an array: give an object'],
  ['a string', User, { email: 'a@x' }, 'x', 'defaults', '"x": give an object'],
  ['a number', User, { email: 'a@x' }, 1, 'defaults', '1: give an object'],
  ['a Date', User, { email: 'a@x' }, new Date(), 'defaults', 'a Date: give an object'],
]

const wrongOptions: [what: string, options: unknown, path: string, says: string][] = [
  ['null', null, 'options', 'null: give an object'],
  ['a string', 'require', 'options', '"require": give an object'],
  ['an array', [], 'options', 'an empty array: give an object'],
  ['a function', () => ({}), 'options', 'a function: give an object'],
  ['an unknown name', { uniquness: 'require' }, 'options.uniquness', 'unknown: use '],
  ['a name of Object.prototype', { toString: 1 }, 'options.toString', 'unknown: use '],
  ['no attempts', { attempts: 0 }, 'options.attempts', '0: use an integer of at least 1'],
  ['negative attempts', { attempts: -1 }, 'options.attempts', '-1: use an integer'],
  ['half an attempt', { attempts: 1.5 }, 'options.attempts', '1.5: use an integer'],
  ['NaN attempts', { attempts: Number.NaN }, 'options.attempts', 'NaN: use an integer'],
  ['endless attempts', { attempts: Number.POSITIVE_INFINITY }, 'options.attempts', 'Infinity: use an integer'],
  ['attempts as text', { attempts: '3' }, 'options.attempts', '"3": use an integer'],
  ['null attempts', { attempts: null }, 'options.attempts', 'null: use an integer'],
  ['an unknown strategy', { strategy: 'upsert' }, 'options.strategy', '"upsert": use \'find-first\' or'],
  ['an unknown uniqueness', { uniqueness: 'refuse' }, 'options.uniqueness', "\"refuse\": use 'warn' or 'require'"],
  ['a boolean for uniqueness', { uniqueness: true }, 'options.uniqueness', "true: use 'warn' or"],
  ['an unknown node', { readFrom: 'slave' }, 'options.readFrom', "\"slave\": use 'replica' or 'primary'"],
  ['a number for withDeleted', { withDeleted: 1 }, 'options.withDeleted', '1: use true or false'],
  ['text for restoreDeleted', { restoreDeleted: 'yes' }, 'options.restoreDeleted', '"yes": use true or false'],
  ['null for loadEagerRelations', { loadEagerRelations: null }, 'options.loadEagerRelations', 'null: use true or'],
  ['text for relations', { relations: 'team' }, 'options.relations', '"team": use an object'],
  ['an unknown relation', { relations: { squad: true } }, 'options.relations.squad', 'User has no relation'],
  ['a column for a relation', { relations: { email: true } }, 'options.relations.email', 'User has no relation'],
  ['an unknown deeper relation', { relations: { team: { x: true } } }, 'options.relations.team.x', 'Team has no'],
  ['restoreDeleted without a delete date', { restoreDeleted: true }, 'options.restoreDeleted', '@DeleteDateColumn'],
]

describe.each([
  ['with the settings of TypeORM as they come', {}],
  ['with undefined and null ignored by TypeORM', lenient],
])('%s', (_, settings) => {
  beforeAll(async () => {
    db = await openDatabase([...entities, ...keyEntities, Loan], settings)
    // A row that criteria which got lost on the way would find.
    await db.dataSource.getRepository(User).insert({ email: 'bystander@x', name: 'Bystander' })
    db.statements.sent.length = 0
  })
  afterAll(() => db.close())

  test.each(emptyOrNoObject)('criteria that are empty or no object are refused: %s', (_what, criteria, path, says) =>
    refused(() => misused(User).getOrCreate(criteria, { name: 'x' }), InvalidCriteriaError, [`${path} `, says]),
  )

  test.each(noValues)('criteria without a value are refused: %s', (_what, criteria, path, says) =>
    refused(() => misused(User).getOrCreate(criteria, { name: 'x' }), InvalidCriteriaError, [path, says]),
  )

  test.each(foreignCriteria)('criteria that the entity does not know are refused: %s', (_what, entity, ...rest) => {
    const [criteria, path, says] = rest
    return refused(() => misused(entity).getOrCreate(criteria), InvalidCriteriaError, [path, says])
  })

  test.each(wrongValues)('defaults that cannot be stored are refused: %s', (_what, entity, criteria, ...rest) => {
    const [defaults, path, says] = rest
    const call = () => misused(entity).getOrCreate(criteria, defaults, { uniqueness: 'ignore' })
    return refused(call, InvalidValuesError, [path, says])
  })

  test.each(wrongOptions)('options are refused: %s', (_what, options, path, says) =>
    refused(() => misused(User).getOrCreate({ email: 'a@x' }, { name: 'x' }, options), InvalidOptionsError, [
      path,
      says,
    ]),
  )

  test('the same is refused by getOrBuild', async () => {
    const users = misused(User)
    await refused(() => users.getOrBuild({}), InvalidCriteriaError, ['criteria is an empty object'])
    await refused(() => users.getOrBuild({ email: undefined }), InvalidCriteriaError, ['criteria.email is undefined'])
    await refused(() => users.getOrBuild({ email: 'a@x' }, { x: 1 }), InvalidValuesError, ['defaults.x is 1'])
    await refused(() => users.getOrBuild({ email: 'a@x' }, {}, { readFrom: 1 }), InvalidOptionsError, [
      'options.readFrom is 1',
    ])
  })

  test('the same is refused inside a transaction, which goes on', async () => {
    await db.dataSource.transaction(async (manager) => {
      const users = manager.withRepository(db.dataSource.getRepository(User).extend(getOrCreateMixin()))
      await refused(() => users.getOrCreate({}), InvalidCriteriaError, ['criteria is an empty object'])
      expect(await users.countBy({ email: 'bystander@x' })).toBe(1)
    })
  })

  test('nothing was stored by any of it', async () => {
    expect(await db.dataSource.getRepository(User).find({ select: { email: true } })).toEqual([
      { email: 'bystander@x' },
    ])
  })
})

describe('once the database is open', () => {
  beforeAll(async () => {
    db = await openDatabase([...entities, ...keyEntities, Loan])
  })
  afterAll(() => db.close())

  test.each([
    ['an unknown property', { nickname: 'x' }, 'defaults.nickname is "x": User has no such property'],
    ['an operator', { name: Equal('x') }, 'defaults.name'],
    ['a bare id', { team: 1 }, 'defaults.team is 1: a relation is given as an object'],
    ['nothing', undefined, 'defaults is undefined: give an object'],
    ['null', null, 'defaults is null: give an object'],
    ['an array', [], 'defaults is an empty array: give an object'],
    ['a function', () => ({}), 'defaults is a function: give an object'],
  ])('what a function of defaults made is refused before anything is written: %s', async (_, made, says) => {
    let failure: Error | undefined
    const sent = await db.statements.of(async () => {
      failure = await failureOf(misused(User).getOrCreate({ email: 'made@x' }, () => made))
    })
    expect(failure).toBeInstanceOf(InvalidValuesError)
    expect(failure?.message).toContain(says)
    expect(sent).toEqual([expect.stringMatching(/^SELECT/)])
  })

  test('a function of defaults does not run when the criteria are refused', async () => {
    const defaults = jest.fn(() => ({ name: 'x' }))
    await refused(() => misused(User).getOrCreate({ email: null }, defaults), InvalidCriteriaError, ['criteria.email'])
    expect(defaults).not.toHaveBeenCalled()
  })

  test("criteria without a unique key are refused by uniqueness: 'require', naming columns and what to add", () =>
    refused(
      () => misused(User).getOrCreate({ name: 'x' }, { email: 'a@x' }, { uniqueness: 'require' }),
      NotUniqueCriteriaError,
      ['User', "'name'", "@Unique(['name'])"],
    ))

  test('several matches are refused after the read, and nothing is written', async () => {
    const seats = db.dataSource.getRepository(Seat)
    await seats.insert([
      { line: 'A', position: 1, guest: 'x' },
      { line: 'A', position: 2, guest: 'x' },
    ])
    let failure: Error | undefined
    const sent = await db.statements.of(async () => {
      failure = await failureOf(misused(Seat).getOrCreate({ guest: 'x' }))
    })
    expect(failure).toBeInstanceOf(MultipleEntitiesFoundError)
    expect(failure).toBeInstanceOf(GetOrCreateError)
    expect(failure?.message).toContain('More than one Seat matches')
    expect(sent).toEqual([expect.stringMatching(/^SELECT/)])
  })

  test('a view is refused: no row can be created in it', () =>
    refused(() => misused(TeamName).getOrCreate({ name: 'x' }), GetOrCreateError, ['TeamName', 'view', 'table']))

  test.each([
    ['an unknown name', { attempt: 3 }, 'options.attempt is unknown'],
    ['a value out of range', { attempts: 0 }, 'options.attempts is 0'],
    ['an option of a single call', { withDeleted: true }, 'options.withDeleted'],
    ['no object', 'require', 'options is "require"'],
  ])('options of the mixin are refused where it is made: %s', (_, options, says) => {
    expect(() => getOrCreateMixin(options as never)).toThrow(InvalidOptionsError)
    expect(() => getOrCreateMixin(options as never)).toThrow(says)
    expect(() => withGetOrCreate(db.dataSource.getRepository(User), options as never)).toThrow(InvalidOptionsError)
  })
})

describe('on MongoDB', () => {
  /** Never connected: what is refused is refused before that. */
  const mongo = () => new DataSource({ type: 'mongodb', database: 'x', entities: [User], driver: {} })

  test('withGetOrCreate refuses at once', () => {
    const make = () => withGetOrCreate(mongo().getRepository(User))
    expect(make).toThrow(GetOrCreateError)
    expect(make).toThrow(/'mongodb' is not supported.*SQL/)
  })

  test('a repository with the mixin refuses at its first call', async () => {
    const users: GetOrCreateRepository<User> = mongo().getRepository(User).extend(getOrCreateMixin())
    const calls = [() => users.getOrCreate({ email: 'a@x' }), () => users.getOrBuild({ email: 'a@x' })]
    for (const call of calls) {
      const failure = await failureOf(call())
      expect(failure).toBeInstanceOf(GetOrCreateError)
      expect(failure.message).toMatch(/'mongodb' is not supported.*SQL/)
    }
  })
})
