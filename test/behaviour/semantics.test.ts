import {
  And,
  Between,
  Equal,
  ILike,
  In,
  IsNull,
  LessThan,
  Like,
  MoreThan,
  Not,
  QueryFailedError,
  type Repository,
} from 'typeorm'
import {
  type GetOrCreateRepository,
  getOrCreateMixin,
  isUniqueViolation,
  MultipleEntitiesFoundError,
} from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { Country, entities, Role, Team, User } from '../entities.js'
import { failureOf } from '../failures.js'
import { Badge, Coach, Customer, Device, keyEntities, Passport, Seat, Ticket } from '../key-entities.js'
import { openRival, type Rival } from '../rival.js'

let db: OpenDatabase
let rival: Rival
let users: GetOrCreateRepository<User>

beforeAll(async () => {
  db = await openDatabase([...entities, ...keyEntities])
  rival = await openRival(db)
  users = repositoryOf(User)
})
afterAll(() => db.close())

function repositoryOf<E extends object>(entity: new () => E): GetOrCreateRepository<E> {
  return db.dataSource.getRepository(entity).extend(getOrCreateMixin({ uniqueness: 'ignore' })) as never
}

describe('get, create, repeat', () => {
  test('creates, then finds', async () => {
    const [first, created] = await users.getOrCreate({ email: 'a@x' }, { name: 'A' })
    expect(created).toBe(true)
    const [again, createdAgain] = await users.getOrCreate({ email: 'a@x' }, { name: 'B' })
    expect(createdAgain).toBe(false)
    expect(again).toEqual(first)
  })

  test('finds a row that someone else stored, and leaves it as it is', async () => {
    const stored = await users.save({ email: 'there@x', name: 'There' })
    const [found, created] = await users.getOrCreate({ email: 'there@x' }, { name: 'Other', hits: 1 })
    expect(created).toBe(false)
    expect(found).toMatchObject({ id: stored.id, name: 'There', hits: 7 })
    expect(await users.findOneBy({ email: 'there@x' })).toEqual(found)
  })

  test('stores the criteria together with the defaults', async () => {
    const [created] = await users.getOrCreate({ email: 'both@x', name: 'Both' }, { hits: 2 })
    expect(created).toBeInstanceOf(User)
    expect(await users.findOneBy({ email: 'both@x' })).toEqual(created)
    expect(created).toMatchObject({ email: 'both@x', name: 'Both', hits: 2 })
  })

  test('needs no defaults when the criteria say everything', async () => {
    const [, created] = await users.getOrCreate({ email: 'enough@x', name: 'Enough' })
    const [, createdAgain] = await users.getOrCreate({ email: 'enough@x', name: 'Enough' })
    expect([created, createdAgain]).toEqual([true, false])
  })

  test('works for an entity without a class', async () => {
    const settings = db.dataSource.getRepository<{ key: string; value: string }>('Setting').extend(getOrCreateMixin())
    expect(await settings.getOrCreate({ key: 'theme' }, { value: 'dark' })).toEqual([
      { key: 'theme', value: 'dark' },
      true,
    ])
    expect(await settings.getOrCreate({ key: 'theme' }, { value: 'light' })).toEqual([
      { key: 'theme', value: 'dark' },
      false,
    ])
  })
})

describe('what the database refuses', () => {
  test('a missing required value is the NOT NULL error of the driver, and nothing is stored', async () => {
    const failure = await failureOf(users.getOrCreate({ email: 'nameless@x' }))
    expect(failure).toBeInstanceOf(QueryFailedError)
    expect(isUniqueViolation(failure)).toBe(false)
    expect(await users.countBy({ email: 'nameless@x' })).toBe(0)
  })

  test('a key that exists with other data is the error of the driver, and the row stays as it was', async () => {
    const countries = repositoryOf(Country)
    await countries.insert({ code: 'DE', name: 'Germany' })
    const failure = await failureOf(countries.getOrCreate({ code: 'DE', name: 'Deutschland' }))
    expect(failure).toBeInstanceOf(QueryFailedError)
    expect(isUniqueViolation(failure)).toBe(true)
    expect(await countries.find()).toEqual([{ code: 'DE', name: 'Germany' }])
  })

  test('a conflict on another unique key is the error of the driver, and nothing is stored', async () => {
    await users.insert({ email: 'handled@x', handle: 'taken', name: 'First' })
    const failure = await failureOf(users.getOrCreate({ email: 'late@x' }, { handle: 'taken', name: 'Late' }))
    expect(isUniqueViolation(failure)).toBe(true)
    expect(await users.countBy({ email: 'late@x' })).toBe(0)
    expect(await users.findOneBy({ handle: 'taken' })).toMatchObject({ email: 'handled@x', name: 'First' })
  })

  test('several matches are an error, and nothing is stored', async () => {
    await users.insert([
      { email: 'twin1@x', name: 'Twin' },
      { email: 'twin2@x', name: 'Twin' },
    ])
    const failure = await failureOf(users.getOrCreate({ name: 'Twin' }, { email: 'twin3@x' }))
    expect(failure).toBeInstanceOf(MultipleEntitiesFoundError)
    expect(failure.message).toContain('User')
    expect(await users.countBy({ name: 'Twin' })).toBe(2)
  })

  test('one match that a join repeats is one match', async () => {
    const teams = repositoryOf(Team)
    const team = await teams.save({ name: 'pair' })
    await users.insert([
      { email: 'left@x', name: 'Pair', team },
      { email: 'right@x', name: 'Pair', team },
    ])
    const [byMember, created] = await teams.getOrCreate({ members: { name: 'Pair' } }, { name: 'unused' })
    expect([byMember.id, created]).toEqual([team.id, false])
  })

  test('two matches are two, also when a join repeats the first of them', async () => {
    const teams = repositoryOf(Team)
    const many = await teams.save({ name: 'many' })
    const one = await teams.save({ name: 'one' })
    await users.insert([
      { email: 'many1@x', name: 'Shared', team: many },
      { email: 'many2@x', name: 'Shared', team: many },
      { email: 'one@x', name: 'Shared', team: one },
    ])
    const failure = await failureOf(teams.getOrCreate({ members: { name: 'Shared' } }, { name: 'unused' }))
    expect(failure).toBeInstanceOf(MultipleEntitiesFoundError)
  })

  test('a relation to many is loaded whole, whatever the criteria', async () => {
    const teams = repositoryOf(Team)
    const team = await teams.save({ name: 'trio' })
    await users.insert(['1', '2', '3'].map((n) => ({ email: `trio${n}@x`, name: 'Trio', team })))
    for (const name of ['trio', Like('tri_')]) {
      const [found] = await teams.getOrCreate({ name }, {}, { relations: { members: true } })
      expect(found.members).toHaveLength(3)
    }
  })
})

describe('defaults given as a function', () => {
  test('run once when there is no row', async () => {
    const defaults = jest.fn(() => ({ name: 'Lazy' }))
    const [user, created] = await users.getOrCreate({ email: 'lazy@x' }, defaults)
    expect([user.name, created]).toEqual(['Lazy', true])
    expect(defaults).toHaveBeenCalledTimes(1)
  })

  test('never run when the row is there', async () => {
    await users.insert({ email: 'present@x', name: 'Present' })
    const defaults = jest.fn(() => ({ name: 'Lazy' }))
    await users.getOrCreate({ email: 'present@x' }, defaults)
    expect(defaults).not.toHaveBeenCalled()
  })

  test('run also where the application has another class of promises', async () => {
    const own = globalThis.Promise
    globalThis.Promise = class Other<T> extends own<T> {} as PromiseConstructor
    try {
      const [user, created] = await users.getOrCreate({ email: 'other@x' }, async () => ({ name: 'Other' }))
      expect([user.name, created]).toEqual(['Other', true])
      const [many] = await users.getOrCreateMany([{ email: 'of-many@x' }], async () => ({ name: 'Many' }))
      expect(many).toMatchObject([{ name: 'Many' }, true])
    } finally {
      globalThis.Promise = own
    }
  })

  test('may be asynchronous', async () => {
    const [user] = await users.getOrCreate({ email: 'async@x' }, async () => ({ name: await Promise.resolve('Async') }))
    expect(user.name).toBe('Async')
  })

  test('run once for a caller that loses the race', async () => {
    const defaults = jest.fn(async () => {
      await rival.act((manager) => manager.insert(User, { email: 'lost@x', name: 'Winner' }))
      return { name: 'Loser' }
    })
    const [user, created] = await users.getOrCreate({ email: 'lost@x' }, defaults)
    expect([user.name, created]).toEqual(['Winner', false])
    expect(defaults).toHaveBeenCalledTimes(1)
  })

  test.each([
    [
      'throw',
      (error: Error) => () => {
        throw error
      },
    ],
    ['reject', (error: Error) => () => Promise.reject(error)],
  ])('pass on what they %s, and nothing is stored', async (_, failingWith) => {
    const error = new Error('no name today')
    expect(await failureOf(users.getOrCreate({ email: 'thrown@x' }, failingWith(error)))).toBe(error)
    expect(await users.countBy({ email: 'thrown@x' })).toBe(0)
  })
})

describe('the new row', () => {
  test('takes the value of defaults where criteria and defaults both give one', async () => {
    const [user, created] = await users.getOrCreate({ email: 'asked@x' }, { email: 'given@x', name: 'Given' })
    expect([user.email, created]).toEqual(['given@x', true])
    expect(await users.countBy({ email: 'asked@x' })).toBe(0)
  })

  test('takes undefined in defaults as not given', async () => {
    const [user] = await users.getOrCreate({ email: 'undefined@x', name: 'Kept' }, {
      email: undefined,
      name: undefined,
      hits: undefined,
      team: undefined,
    } as object)
    expect(user).toMatchObject({ email: 'undefined@x', name: 'Kept', hits: 7 })
  })

  test('takes null in defaults as NULL', async () => {
    const [user] = await users.getOrCreate({ email: 'null@x' }, { name: 'Null', handle: null, team: null })
    expect(user.handle).toBeNull()
  })

  test('takes the path of a column in an embedded object for its name', async () => {
    const customers = repositoryOf(Customer)
    const criteria = { 'contact.phone': '1' } as object
    const [created] = await customers.getOrCreate(criteria, { 'contact.city': 'Bonn' } as object)
    const many = await customers.getOrCreateMany([criteria, { 'contact.phone': '2' } as object])
    expect(await customers.find({ order: { id: 'ASC' } })).toMatchObject([
      { id: created.id, contact: { phone: '1', city: 'Bonn' } },
      { contact: { phone: '2', city: null } },
    ])
    expect(many[0]).toEqual([created, false])
  })

  test('merges an embedded object of the criteria with that of the defaults', async () => {
    const customers = repositoryOf(Customer)
    const find = () => customers.getOrCreate({ contact: { phone: '1' } }, { contact: { city: 'Bonn' } })
    const [created] = await find()
    expect(created.contact).toEqual({ phone: '1', city: 'Bonn' })
    expect(await find()).toEqual([created, false])
  })

  test('takes the value of Equal()', async () => {
    const [user, created] = await users.getOrCreate({ email: Equal('equal@x') }, { name: 'Equal' })
    expect([user.email, created]).toEqual(['equal@x', true])
    expect(await users.getOrCreate({ email: Equal('equal@x') })).toEqual([user, false])
  })

  test('takes IsNull() as NULL, and finds NULL by it', async () => {
    const tickets = repositoryOf(Ticket)
    const open = () => tickets.getOrCreate({ title: 'null', position: IsNull() }, { closed: 1 })
    const [ticket, created] = await open()
    expect([ticket.position, created]).toEqual([null, true])
    expect(await open()).toEqual([ticket, false])
  })

  test('passes values through the transformer of the column once', async () => {
    const badges = repositoryOf(Badge)
    const [badge] = await badges.getOrCreate({ code: Equal('once') })
    expect(badge.code).toBe('once')
    expect(await badges.getOrCreate({ code: 'once' })).toEqual([badge, false])
  })

  test.each([
    ['Like', Like('look%')],
    ['ILike', ILike('LOOK%')],
    ['In', In(['look@x', 'other@x'])],
    ['Not', Not('anyone')],
    ['Between', Between('look', 'lookz')],
    ['And', And(MoreThan('look'), LessThan('lookz'))],
  ])('takes no value from %s(), which only looks up', async (_, operator) => {
    await users.delete({ name: 'Look' })
    const call = () => users.getOrCreate({ email: operator, name: 'Look' }, { email: 'look@x' })
    const [user, created] = await call()
    expect([user.email, created]).toEqual(['look@x', true])
    expect(await call()).toEqual([user, false])
    await users.delete({ name: 'Look' })
    expect(await failureOf(users.getOrCreate({ email: operator, name: 'Look' }))).toBeInstanceOf(QueryFailedError)
  })

  test('takes no value from an array of alternatives, which only looks up', async () => {
    const alternatives = [{ email: 'either@x' }, { email: 'or@x' }]
    expect(await failureOf(users.getOrCreate(alternatives, { name: 'Either' }))).toBeInstanceOf(QueryFailedError)
    const [user, created] = await users.getOrCreate(alternatives, { email: 'or@x', name: 'Or' })
    expect([user.email, created]).toEqual(['or@x', true])
    expect(await users.getOrCreate(alternatives, { name: 'Again' })).toEqual([user, false])
  })

  test('takes no value from an array with a single alternative either', async () => {
    expect(await failureOf(users.getOrCreate([{ email: 'only@x' }], { name: 'Only' }))).toBeInstanceOf(QueryFailedError)
  })
})

describe('relations in the criteria', () => {
  let team: Team
  let roles: GetOrCreateRepository<Role>

  beforeAll(async () => {
    team = await repositoryOf(Team).save({ name: 'crew' })
    roles = repositoryOf(Role)
  })

  async function teamOf(role: Role): Promise<number | undefined> {
    const read: Repository<Role> = roles
    return (await read.findOne({ where: { id: role.id }, relations: { team: true } }))?.team.id
  }

  test('given by key find and create', async () => {
    const call = () => roles.getOrCreate({ team: { id: team.id }, title: 'by key' })
    const [role, created] = await call()
    expect([await teamOf(role), created]).toEqual([team.id, true])
    expect(await call()).toEqual([role, false])
  })

  test('given by Equal() of a key find and create', async () => {
    const call = () => roles.getOrCreate({ team: { id: Equal(team.id) }, title: 'by equal key' })
    const [role, created] = await call()
    expect([await teamOf(role), created]).toEqual([team.id, true])
    expect(await call()).toEqual([role, false])
  })

  test('given by a loaded entity count by its key', async () => {
    const [role, created] = await roles.getOrCreate({ team, title: 'by entity' })
    expect([await teamOf(role), created]).toEqual([team.id, true])
    const renamed = Object.assign(new Team(), team, { name: 'not stored' })
    expect(await roles.getOrCreate({ team: renamed, title: 'by entity' })).toEqual([role, false])
  })

  test('given by a loaded entity may have empty columns', async () => {
    const holder = await users.save(users.create({ email: 'holder@x', name: 'Holder', handle: null }))
    const loaded = await users.findOneByOrFail({ id: holder.id })
    const passports = repositoryOf(Passport)
    const [passport, created] = await passports.getOrCreate({ holder: loaded }, { country: 'FR' })
    expect([passport.country, created]).toEqual(['FR', true])
    expect(await passports.getOrCreate({ holder: { id: holder.id } }, { country: 'IT' })).toEqual([passport, false])
  })

  test('given by other fields only look up', async () => {
    const byName = { team: { name: 'crew' }, title: 'by name' }
    expect(await failureOf(roles.getOrCreate(byName))).toBeInstanceOf(QueryFailedError)
    const [role, created] = await roles.getOrCreate(byName, { team: { id: team.id } })
    expect([await teamOf(role), created]).toEqual([team.id, true])
    expect(await roles.getOrCreate(byName)).toEqual([role, false])
  })

  test('are not filled into the entity unless they are asked for', async () => {
    const coaches = repositoryOf(Coach)
    const [coach] = await coaches.getOrCreate({ name: 'eager', team: { id: team.id } })
    expect(coach.team).toEqual(await repositoryOf(Team).findOneBy({ id: team.id }))
    const [role] = await roles.getOrCreate({ team, title: 'plain' })
    expect(role.team).toBeUndefined()
  })
})

describe('arguments are left as they were', () => {
  /** All that an operator holds, those inside it included. */
  const plain = (operator: object): unknown => JSON.parse(JSON.stringify(operator))

  test.each(['created', 'found'])('when the row is %s', async (branch) => {
    const badges = repositoryOf(Badge)
    if (branch === 'found') await badges.save({ code: branch, level: 3 })
    const criteria = Object.freeze({ code: Equal(branch) })
    const defaults = Object.freeze({ level: 3 })
    const [, created] = await badges.getOrCreate(criteria, defaults)
    expect(created).toBe(branch === 'created')
    expect(criteria).toEqual({ code: Equal(branch) })
    expect(defaults).toEqual({ level: 3 })
    expect((await badges.getOrCreate(criteria, defaults))[1]).toBe(false)
  })

  test.each([
    ['Equal', Equal('kept')],
    ['In', In(['kept', 'other'])],
    ['Not', Not(In(['kept', 'other']))],
    ['And', And(Equal('kept'), Not('other'))],
  ])('operators too, whose value passes through a transformer: %s()', async (_, operator) => {
    const before = plain(operator)
    for (let call = 0; call < 2; call++) {
      await repositoryOf(Badge).getOrBuild({ code: operator, level: 77 })
      await repositoryOf(Badge).getOrBuild([{ code: operator, level: 77 }])
    }
    expect(plain(operator)).toEqual(before)
  })

  test('nested ones too', async () => {
    const contact = Object.freeze({ phone: 'frozen' })
    const place = Object.freeze({ city: 'Rome' })
    await repositoryOf(Customer).getOrCreate({ contact }, { contact: place })
    expect([contact, place]).toEqual([{ phone: 'frozen' }, { city: 'Rome' }])
  })

  test('also when the row has to be read again after a lost race', async () => {
    const code = Equal('raced')
    const [badge, created] = await repositoryOf(Badge).getOrCreate({ code }, async () => {
      await rival.act((manager) => manager.insert(Badge, { code: 'raced', level: 9 }))
      return {}
    })
    expect([badge.level, created]).toEqual([9, false])
    expect(code.value).toBe('raced')
  })

  test.each<[string, () => object | (() => object)]>([
    ['values', () => ({ level: 1 })],
    ['a function', () => () => ({ level: 1 })],
    ['values without a prototype', () => Object.assign(Object.create(null), { level: 1 })],
  ])('what is changed in them after the call does not reach the row, with %s as defaults', async (_form, defaults) => {
    const criteria = { code: 'first' }
    const calls = ['first', 'second'].map((code) => {
      criteria.code = code
      return repositoryOf(Badge).getOrCreate(criteria, defaults())
    })
    expect((await Promise.all(calls)).map(([{ code }]) => code)).toEqual(['first', 'second'])
  })

  test('the entity that comes back shares nothing with them', async () => {
    const defaults = { contact: { city: 'Oslo' } }
    const [customer] = await repositoryOf(Customer).getOrCreate({ contact: { phone: 'shared' } }, defaults)
    customer.contact.city = 'Bergen'
    expect(defaults.contact.city).toBe('Oslo')
  })
})

describe('keys of every kind', () => {
  test('a chosen value for a generated id is honoured when the criteria give it', async () => {
    const call = () => users.getOrCreate({ id: 4242 }, { email: 'chosen@x', name: 'Chosen' })
    const [user, created] = await call()
    expect([user.id, created]).toEqual([4242, true])
    expect(await call()).toEqual([user, false])
    expect(await users.findOneBy({ email: 'chosen@x' })).toMatchObject({ id: 4242 })
  })

  test('a chosen value for a generated id is honoured when the defaults give it', async () => {
    const [user] = await users.getOrCreate({ email: 'default-id@x' }, { id: 4243, name: 'Chosen' })
    expect(user.id).toBe(4243)
    expect(await users.findOneBy({ id: 4243 })).toEqual(user)
  })

  test('a composite key finds and creates', async () => {
    const seats = repositoryOf(Seat)
    const call = (guest: string) => seats.getOrCreate({ line: 'A', position: 1 }, { guest })
    expect(await call('Ann')).toEqual([{ line: 'A', position: 1, guest: 'Ann' }, true])
    expect(await call('Bob')).toEqual([{ line: 'A', position: 1, guest: 'Ann' }, false])
    expect(await seats.getOrCreate({ line: 'A', position: 2 })).toEqual([{ line: 'A', position: 2, guest: null }, true])
  })

  test('a uuid is generated, or chosen', async () => {
    const devices = repositoryOf(Device)
    const [generated] = await devices.getOrCreate({ serial: 'generated' })
    expect(generated.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-/i)
    expect(await devices.getOrCreate({ id: generated.id })).toEqual([generated, false])
    const id = '6f1f7a3e-95a5-4f0c-8d5f-0a3d5f6a7b8c'
    const [chosen, created] = await devices.getOrCreate({ id }, { serial: 'chosen' })
    expect([chosen.id, created]).toEqual([id, true])
    expect(await devices.findOneBy({ serial: 'chosen' })).toEqual(chosen)
  })

  test('a natural key finds and creates', async () => {
    const countries = repositoryOf(Country)
    expect(await countries.getOrCreate({ code: 'FR' }, { name: 'France' })).toEqual([
      { code: 'FR', name: 'France' },
      true,
    ])
    expect(await countries.getOrCreate({ code: 'FR' }, { name: 'other' })).toEqual([
      { code: 'FR', name: 'France' },
      false,
    ])
  })
})

describe("strategy 'create-first'", () => {
  const createFirst = { strategy: 'create-first' } as const

  test('creates, then finds', async () => {
    const [user, created] = await users.getOrCreate({ email: 'first@x' }, { name: 'First' }, createFirst)
    expect([user.name, created]).toEqual(['First', true])
    expect(await users.getOrCreate({ email: 'first@x' }, { name: 'Second' }, createFirst)).toEqual([user, false])
    expect(await users.findOneBy({ email: 'first@x' })).toEqual(user)
  })

  test('runs a function of defaults only when there is no row', async () => {
    await users.insert({ email: 'first-present@x', name: 'Present' })
    const defaults = jest.fn(() => ({ name: 'Lazy' }))
    const [user, created] = await users.getOrCreate({ email: 'first-present@x' }, defaults, createFirst)
    expect([user.name, created]).toEqual(['Present', false])
    expect(defaults).not.toHaveBeenCalled()
  })

  test('does not make a second row where no unique key would stop it', async () => {
    await users.insert({ email: 'first-name@x', name: 'Only One' })
    const [user, created] = await users.getOrCreate({ name: 'Only One' }, { email: 'another@x' }, createFirst)
    expect([user.email, created]).toEqual(['first-name@x', false])
    expect(await users.countBy({ name: 'Only One' })).toBe(1)
  })

  test('does not make a row for criteria that only look up', async () => {
    await users.insert({ email: 'first-like@x', name: 'Looked Up' })
    const byOperator = { email: Like('first-like%'), name: 'Looked Up' }
    const byKeyAndOperator = { email: 'first-like@x', name: Like('Looked%') }
    for (const criteria of [byOperator, byKeyAndOperator]) {
      const defaults = { email: 'first-likely@x', name: 'Looked Up' }
      const [user, created] = await users.getOrCreate(criteria, defaults, createFirst)
      expect([user.email, created]).toEqual(['first-like@x', false])
    }
  })

  test('does not make a second row where defaults replace the key of the criteria', async () => {
    await users.insert({ email: 'first-asked@x', name: 'Asked' })
    const defaults = { email: 'first-given@x', name: 'Given' }
    const [user, created] = await users.getOrCreate({ email: 'first-asked@x' }, defaults, createFirst)
    expect([user.email, created]).toEqual(['first-asked@x', false])
  })

  test('passes on a missing required value', async () => {
    expect(await failureOf(users.getOrCreate({ email: 'first-missing@x' }, {}, createFirst))).toBeInstanceOf(
      QueryFailedError,
    )
  })
})
