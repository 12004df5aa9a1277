import { In, IsNull, Raw } from 'typeorm'
import {
  type GetOrCreateError,
  getOrCreateMixin,
  InvalidCriteriaError,
  InvalidOptionsError,
  InvalidValuesError,
  NotUniqueCriteriaError,
} from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { entities, Post, Team, User } from '../entities.js'
import { expectRefusal, failureOf } from '../failures.js'

type Target = new () => object
/** What no compiler lets through is what this file is about, so nothing here is typed. */
type Untyped = Record<'getOrCreateInTransaction' | 'updateOrCreate', (...args: unknown[]) => Promise<[object, boolean]>>

let db: OpenDatabase

beforeAll(async () => {
  db = await openDatabase(entities)
  await db.dataSource.manager.insert(User, { email: 'there@x', name: 'There' })
})
afterEach(async () => {
  expect(await db.dataSource.manager.count(User)).toBe(1)
})
afterAll(() => db.close())

function misused(entity: Target = User): Untyped {
  return db.dataSource.getRepository(entity).extend(getOrCreateMixin()) as unknown as Untyped
}

const refused = (call: () => Promise<unknown>, error: new (...args: never) => GetOrCreateError, ...says: string[]) =>
  expectRefusal(db.statements, call, { error, says })

const methods = ['getOrCreateInTransaction', 'updateOrCreate'] as const
const email = 'there@x'

const wrongCriteria: [what: string, criteria: unknown, path: string, says: string][] = [
  ['nothing', undefined, 'criteria', 'undefined: give an object'],
  ['null', null, 'criteria', 'null: give an object'],
  ['an empty object', {}, 'criteria', 'an empty object: it would match every row'],
  ['an empty array', [], 'criteria', 'an empty array: give at least one'],
  ['an empty member', [{ email }, {}], 'criteria[1]', 'an empty object: it would match every row'],
  ['undefined for a value', { email: undefined }, 'criteria.email', 'undefined: '],
  ['null for a value', { email, handle: null }, 'criteria.handle', 'null: use IsNull()'],
  ['NaN', { id: Number.NaN }, 'criteria.id', 'NaN: '],
  ['an invalid Date', { createdAt: new Date('never') }, 'criteria.createdAt', 'an invalid Date: '],
  ['an unknown property', { mail: email }, 'criteria.mail', 'User has no such property'],
  ['a bare id of a relation', { team: 1 }, 'criteria.team', '1: '],
]

describe.each(methods)('%s refuses criteria:', (method) => {
  test.each(wrongCriteria)('%s', (_what, criteria, path, says) =>
    refused(() => misused()[method](criteria, { name: 'N' }), InvalidCriteriaError, `${path} is `, says),
  )

  test('without a unique key where one is required', () =>
    refused(
      () => misused()[method]({ name: 'There' }, { hits: 1 }, { uniqueness: 'require' }),
      NotUniqueCriteriaError,
      'name',
    ))
})

const noValues: [what: string, values: unknown, received: string][] = [
  ['null', null, 'null'],
  ['a number', 1, '1'],
  ['a string', 'hits', '"hits"'],
  ['a boolean', true, 'true'],
  ['an array', [{ hits: 1 }], 'an array'],
  ['a Date', new Date(), 'a Date'],
  ['a Promise', Promise.resolve({ hits: 1 }), 'a Promise'],
  ['a Map', new Map([['hits', 1]]), 'Map'],
  ['an operator', IsNull(), ''],
]

const wrongValues: [what: string, values: object, path: string, says: string][] = [
  ['an unknown property', { hitz: 1 }, '.hitz', 'User has no such property'],
  ['an operator', { hits: In([1]) }, '.hits', 'an operator is no value'],
  ['an SQL operator', { hits: Raw('hits + 1') }, '.hits', 'an operator is no value'],
  ['a function', { hits: () => 'hits + 1' }, '.hits', 'a function is no value'],
  ['a bare id of a relation', { team: 1 }, '.team', '1: a relation is given as an object'],
  ['an array for one', { team: [{ id: 1 }] }, '.team', 'give one object'],
  ['a new object on a relation that does not cascade', { team: { name: 'T' } }, '.team', 'does not cascade'],
  ['a join column by its name', { teamId: 1 }, '.teamId', 'teamId belongs to the relation team; give team: { id: … }'],
  ['an unknown property of a relation', { team: { id: 1, title: 'T' } }, '.team.title', 'Team has no such property'],
]

describe('updateOrCreate refuses updates:', () => {
  test('none', () => refused(() => misused().updateOrCreate({ email }), InvalidValuesError, 'updates is undefined'))

  test.each(noValues)('%s', (_what, updates, received) =>
    refused(() => misused().updateOrCreate({ email }, updates), InvalidValuesError, 'updates is ', received),
  )

  test.each(wrongValues)('%s', (_what, updates, path, says) =>
    refused(() => misused().updateOrCreate({ email }, updates), InvalidValuesError, `updates${path} is `, says),
  )

  test('no array for a relation to many', () =>
    refused(() => misused(Post).updateOrCreate({ slug: 'a' }, { tags: { id: 1 } }), InvalidValuesError, 'updates.tags'))
})

describe('updateOrCreate refuses createDefaults:', () => {
  test.each(noValues)('%s', (_what, createDefaults, received) =>
    refused(
      () => misused().updateOrCreate({ email }, { hits: 1 }, { createDefaults }),
      // The option itself, or the values in it.
      Object(createDefaults) === createDefaults || createDefaults === null ? InvalidValuesError : InvalidOptionsError,
      'options.createDefaults is ',
      received,
    ),
  )

  test.each(wrongValues)('%s', (_what, createDefaults, path, says) =>
    refused(
      () => misused().updateOrCreate({ email }, { hits: 1 }, { createDefaults }),
      InvalidValuesError,
      `options.createDefaults${path} is `,
      says,
    ),
  )

  test.each([[undefined], [1], [[]], [{ hitz: 1 }]])('a function that returns %j, and stores nothing', async (made) => {
    const call = misused().updateOrCreate({ email: 'new@x' }, { name: 'N' }, { createDefaults: () => made })
    const failure = await failureOf(call)
    expect(failure).toBeInstanceOf(InvalidValuesError)
    expect(failure.message).toContain('options.createDefaults')
  })
})

describe('getOrCreateInTransaction refuses defaults:', () => {
  test.each(noValues)('%s', (_what, defaults, received) =>
    refused(
      () => misused().getOrCreateInTransaction({ email: 'new@x' }, defaults),
      InvalidValuesError,
      'defaults is ',
      received,
    ),
  )

  test.each(wrongValues)('%s', (_what, defaults, path, says) =>
    refused(
      () => misused().getOrCreateInTransaction({ email: 'new@x' }, defaults),
      InvalidValuesError,
      `defaults${path} is `,
      says,
    ),
  )
})

const noOptions: [what: string, options: unknown][] = [
  ['null', null],
  ['a number', 1],
  ['a string', 'SERIALIZABLE'],
  ['an array', [{ attempts: 1 }]],
  ['a function', () => ({})],
]

const wrongOptions: [what: string, options: object, path: string, says: string][] = [
  ['no attempt', { attempts: 0 }, 'attempts is 0', 'an integer of at least 1'],
  ['half an attempt', { attempts: 1.5 }, 'attempts is 1.5', 'an integer of at least 1'],
  ['attempts that are no number', { attempts: '3' }, 'attempts is "3"', 'an integer of at least 1'],
  ['endless attempts', { attempts: Number.POSITIVE_INFINITY }, 'attempts is ', 'an integer of at least 1'],
  ['an unknown uniqueness', { uniqueness: 'never' }, 'uniqueness is "never"', "'warn' or 'require' or 'ignore'"],
  ['withDeleted that is no flag', { withDeleted: 'yes' }, 'withDeleted is "yes"', 'true or false'],
  ['restoreDeleted without a delete-date column', { restoreDeleted: true }, 'restoreDeleted', '@DeleteDateColumn'],
  ['an unknown relation', { relations: { squad: true } }, 'relations.squad', 'User has no relation of that name'],
  ['an option of another method', { chunkSize: 5 }, 'chunkSize is unknown', 'attempts'],
  ['a misspelt option', { isolationlevel: 'SERIALIZABLE' }, 'isolationlevel is unknown', 'attempts'],
]

describe.each(methods)('%s refuses options:', (method) => {
  test.each(noOptions)('%s', (_what, options) =>
    refused(() => misused()[method]({ email }, { hits: 1 }, options), InvalidOptionsError, 'options is ', 'an object'),
  )

  test.each(wrongOptions)('%s', (_what, options, path, says) =>
    refused(() => misused()[method]({ email }, { hits: 1 }, options), InvalidOptionsError, `options.${path}`, says),
  )
})

describe('getOrCreateInTransaction refuses', () => {
  test.each([['READ'], ['SERIALIZEABLE'], ['serializable'], ['']])('the unknown isolation level %j', (isolationLevel) =>
    refused(
      () => misused().getOrCreateInTransaction({ email }, {}, { isolationLevel }),
      InvalidOptionsError,
      `options.isolationLevel is ${JSON.stringify(isolationLevel)}`,
      "'SERIALIZABLE'",
    ),
  )

  test.each([[1], [null], [true], [{}]])('%j as an isolation level', (isolationLevel) =>
    refused(
      () => misused().getOrCreateInTransaction({ email }, {}, { isolationLevel }),
      InvalidOptionsError,
      'options.isolationLevel is ',
    ),
  )

  test.each([[1], [null], ['send'], [{}], [Promise.resolve()]])('%p as work', (work) =>
    refused(
      () => misused().getOrCreateInTransaction({ email }, {}, { work }),
      InvalidOptionsError,
      'options.work is ',
      'a function',
    ),
  )

  test('createDefaults, an option of another method', () =>
    refused(
      () => misused().getOrCreateInTransaction({ email }, {}, { createDefaults: {} }),
      InvalidOptionsError,
      'options.createDefaults is unknown',
    ))

  test.each(['hit', 'miss'])('an isolation level inside a transaction, which goes on (%s)', async (what) => {
    const name = `after a ${what}`
    await db.dataSource.transaction(async (manager) => {
      const bound = manager.withRepository(db.dataSource.getRepository(User).extend(getOrCreateMixin()))
      const criteria = { email: what === 'hit' ? email : 'new@x' }
      await refused(
        () => bound.getOrCreateInTransaction(criteria, { name: 'N' }, { isolationLevel: 'SERIALIZABLE' }),
        InvalidOptionsError,
        'options.isolationLevel is "SERIALIZABLE"',
        'the transaction is yours already',
      )
      await manager.insert(Team, { name })
    })
    expect(await db.dataSource.manager.countBy(Team, { name })).toBe(1)
  })

  test('the work before it is run', async () => {
    const work = jest.fn()
    await refused(
      () => misused().getOrCreateInTransaction({ email }, {}, { work, attempts: 0 }),
      InvalidOptionsError,
      'options.attempts',
    )
    expect(work).not.toHaveBeenCalled()
  })
})

describe('updateOrCreate refuses', () => {
  test.each([
    [{ isolationLevel: 'SERIALIZABLE' }],
    [{ work: () => undefined }],
    [{ readFrom: 'replica' }],
    [{ strategy: 'create-first' }],
    [{ defaults: {} }],
  ])('%p, an option of another method', (options) =>
    refused(
      () => misused().updateOrCreate({ email }, { hits: 1 }, options),
      InvalidOptionsError,
      `options.${Object.keys(options)[0]} is unknown`,
    ),
  )

  test('the updates of a function before it is run', async () => {
    const updates = jest.fn(() => ({ hits: 1 }))
    await refused(
      () => misused().updateOrCreate({ email }, updates, { attempts: 0 }),
      InvalidOptionsError,
      'options.attempts',
    )
    expect(updates).not.toHaveBeenCalled()
  })

  test('nothing of a wrong call inside a transaction, which goes on', async () => {
    await db.dataSource.transaction(async (manager) => {
      const bound = manager.withRepository(misused() as never) as unknown as Untyped
      await refused(() => bound.updateOrCreate({ email }, { hitz: 1 }), InvalidValuesError, 'updates.hitz')
      await manager.insert(Team, { name: 'after' })
    })
    expect(await db.dataSource.manager.countBy(Team, { name: 'after' })).toBe(1)
  })
})
