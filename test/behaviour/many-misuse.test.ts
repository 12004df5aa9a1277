import { Equal, In, IsNull, Like, Not } from 'typeorm'
import {
  GetOrCreateError,
  getOrCreateMixin,
  InvalidCriteriaError,
  InvalidOptionsError,
  InvalidValuesError,
  NotUniqueCriteriaError,
} from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { entities, Role, Tag, Team, User } from '../entities.js'
import { expectRefusal, failureOf } from '../failures.js'
import { Customer, keyEntities, Seat, TeamName } from '../key-entities.js'

type Target = new () => object
/** What no compiler lets through is what this file is about, so nothing here is typed. */
type Untyped = { getOrCreateMany(...args: unknown[]): Promise<[object, boolean][]> }

let db: OpenDatabase

beforeAll(async () => {
  db = await openDatabase([...entities, ...keyEntities])
})
afterAll(() => db.close())

function misused(entity: Target): Untyped {
  return db.dataSource.getRepository(entity).extend(getOrCreateMixin()) as unknown as Untyped
}

const refused = (call: () => Promise<unknown>, error: new (...args: never) => GetOrCreateError, says: string[]) =>
  expectRefusal(db.statements, call, { error, says })

const good = { email: 'a@x' }

const noLists: [what: string, list: unknown, says: string][] = [
  ['nothing', undefined, 'criteria is undefined: give an array'],
  ['null', null, 'criteria is null: give an array'],
  ['one member without its list', good, 'criteria is an object: give an array'],
  ['a string', 'a@x', 'criteria is "a@x": give an array'],
  ['a number', 1, 'criteria is 1: give an array'],
  ['a Set', new Set([good]), 'give an array'],
  ['a Map', new Map([['email', 'a@x']]), 'give an array'],
  ['a generator', [good].values(), 'give an array'],
  ['something like an array', { length: 1, 0: good }, 'give an array'],
  ['a promise of a list', Promise.resolve([good]), 'criteria is a Promise: give an array'],
  ['an operator', In(['a@x']), 'give an array'],
  ['a function', () => [good], 'criteria is a function: give an array'],
]

const badMembers: [what: string, entity: Target, list: unknown[], path: string, says: string][] = [
  ['undefined', User, [good, undefined], 'criteria[1]', 'undefined: give an object'],
  ['null', User, [null, good], 'criteria[0]', 'null: give an object'],
  ['a hole', User, holey(), 'criteria[1]', 'undefined: give an object'],
  ['a bare key', User, ['a@x'], 'criteria[0]', '"a@x": give an object'],
  ['an empty object', User, [good, {}], 'criteria[1]', 'an empty object: it would match every row'],
  ['an array', User, [good, []], 'criteria[1]', 'an empty array'],
  ['alternatives', User, [good, [good, { email: 'b@x' }]], 'criteria[1]', 'plain values'],
  ['a Date', User, [new Date()], 'criteria[0]', 'a Date: give an object'],
  ['a promise', User, [Promise.resolve(good)], 'criteria[0]', 'a Promise: give an object'],
  ['undefined for a value', User, [good, { email: undefined }], 'criteria[1].email', 'undefined: '],
  ['null for a value', User, [good, { email: null }], 'criteria[1].email', 'null: '],
  ['NaN for a value', Tag, [{ id: 1 }, { id: Number.NaN }], 'criteria[1].id', 'NaN: '],
  ['an invalid Date', User, [{ createdAt: new Date('no') }], 'criteria[0].createdAt', 'an invalid Date: '],
  ['an unknown property', User, [good, good, { email: 'c@x', mail: 1 }], 'criteria[2].mail', 'User has no such'],
  ['an unknown property, alternatives', User, [[good, { mail: 1 }]], 'criteria[0][1].mail', 'User has no such'],
  ['an unknown related property', Role, [{ team: { id: 1, x: 1 }, title: 'x' }], 'criteria[0].team.x', 'Team has no'],
  ['a bare id', Role, [{ team: 1, title: 'x' }], 'criteria[0].team', '1: a relation is given as an object'],
  ['an empty embedded object', Customer, [{ contact: {} }], 'criteria[0].contact', 'an empty object: '],
  ['an unknown embedded property', Customer, [{ contact: { fax: 1 } }], 'criteria[0].contact.fax', 'Customer has no'],
]

function holey(): unknown[] {
  const list: unknown[] = [good]
  list[2] = good
  return list
}

const noKeys: [what: string, entity: Target, list: unknown[], path: string][] = [
  ['Like', User, [good, { email: Like('a%') }], 'criteria[1]'],
  ['In', User, [{ email: In(['a@x']) }], 'criteria[0]'],
  ['Not', User, [good, { email: Not('a@x') }], 'criteria[1]'],
  ['IsNull', User, [{ email: 'a@x', handle: IsNull() }], 'criteria[0]'],
  ['an operator beside a value', User, [{ email: 'a@x', name: Like('a') }], 'criteria[0]'],
  ['a relation by other fields', Role, [{ team: { name: 'A' }, title: 'x' }], 'criteria[0]'],
  ['a relation that is null', Role, [{ team: IsNull(), title: 'x' }], 'criteria[0]'],
  ['rows on the other side', Team, [{ members: [{ id: 1 }] }], 'criteria[0]'],
]

const differentKeys: [what: string, entity: Target, list: unknown[], index: number, names: string[]][] = [
  ['another property', User, [good, good, { handle: 'a' }], 2, ['handle', 'email']],
  ['a property more', User, [good, { email: 'b@x', name: 'b' }], 1, ['email, name', 'email']],
  ['a property less', Seat, [{ line: 'A', position: 1 }, { line: 'A' }], 1, ['line', 'line, position']],
  ['a relation more', User, [good, { email: 'b@x', team: { id: 1 } }], 1, ['team', 'email']],
]

const badOptions: [what: string, options: unknown, says: string][] = [
  ['null', null, 'options is null: give an object'],
  ['a number', 100, 'options is 100: give an object'],
  ['a function', () => undefined, 'options is a function: give an object'],
  ['an unknown name', { chunksize: 10 }, 'options.chunksize is unknown: use '],
  ['chunks of nothing', { chunkSize: 0 }, 'options.chunkSize is 0: use an integer of at least 1'],
  ['negative chunks', { chunkSize: -5 }, 'options.chunkSize is -5: use an integer of at least 1'],
  ['half a row', { chunkSize: 0.5 }, 'options.chunkSize is 0.5: use an integer of at least 1'],
  ['NaN rows', { chunkSize: Number.NaN }, 'options.chunkSize is NaN: use an integer'],
  ['endless chunks', { chunkSize: Number.POSITIVE_INFINITY }, 'options.chunkSize is Infinity: use an integer'],
  ['a size as text', { chunkSize: '10' }, 'options.chunkSize is "10": use an integer'],
  ['null for a size', { chunkSize: null }, 'options.chunkSize is null: use an integer'],
  ['progress that is no function', { onProgress: true }, 'options.onProgress is true: use a function'],
  ['null for progress', { onProgress: null }, 'options.onProgress is null: use a function'],
  ['no attempts', { attempts: 0 }, 'options.attempts is 0: use an integer of at least 1'],
  ['an unknown uniqueness', { uniqueness: 'refuse' }, 'options.uniqueness is "refuse": use'],
  ['an unknown node', { readFrom: 'slave' }, 'options.readFrom is "slave": use'],
  ['an unknown relation', { relations: { squad: true } }, 'options.relations.squad'],
  ['a strategy, which a single row has', { strategy: 'create-first' }, 'options.strategy is unknown'],
  ['restoreDeleted, which a single row has', { restoreDeleted: true }, 'options.restoreDeleted is unknown'],
  ['work, which a transaction of ours has', { work: () => undefined }, 'options.work is unknown'],
]

const badDefaults: [what: string, defaults: unknown, says: string][] = [
  ['a list', [{ name: 'x' }], 'defaults is an array: give an object'],
  ['a string', 'x', 'defaults is "x": give an object'],
  ['null', null, 'defaults is null: give an object'],
  ['an unknown property', { nickname: 'x' }, 'defaults.nickname is "x": User has no such property'],
  ['an operator', { name: Equal('x') }, 'defaults.name'],
  ['a bare id', { team: 1 }, 'defaults.team is 1: a relation is given as an object'],
]

test.each(noLists)('criteria that are no array are refused: %s', (_what, list, says) =>
  refused(() => misused(User).getOrCreateMany(list, { name: 'x' }), InvalidCriteriaError, [says]),
)

test.each(badMembers)('a member is refused with its index and path: %s', (_what, entity, list, path, says) =>
  refused(() => misused(entity).getOrCreateMany(list), InvalidCriteriaError, [path, says]),
)

test.each(noKeys)('a member that is no key is refused with its index: %s', (_what, entity, list, path) =>
  refused(() => misused(entity).getOrCreateMany(list), InvalidCriteriaError, [path, 'plain values']),
)

test.each(differentKeys)('members with different keys are refused, naming both: %s', (_what, entity, list, ...rest) => {
  const [index, names] = rest
  const says = [`criteria[${index}]`, 'criteria[0]', 'the same properties', ...names]
  return refused(() => misused(entity).getOrCreateMany(list), InvalidCriteriaError, says)
})

test('the order of the properties, and Equal(), make no difference', async () => {
  const list = [
    { line: 'A', position: 1 },
    { position: Equal(2), line: 'A' },
  ]
  expect((await misused(Seat).getOrCreateMany(list)).map(([, created]) => created)).toEqual([true, true])
})

test.each(badOptions)('options are refused: %s', (_what, options, says) =>
  refused(() => misused(User).getOrCreateMany([good], { name: 'x' }, options), InvalidOptionsError, [says]),
)

test.each(badOptions)('options are refused also with an empty list: %s', (_what, options, says) =>
  refused(() => misused(User).getOrCreateMany([], { name: 'x' }, options), InvalidOptionsError, [says]),
)

test.each(badDefaults)('defaults are refused: %s', (_what, defaults, says) =>
  refused(() => misused(User).getOrCreateMany([good], defaults), InvalidValuesError, [says]),
)

test.each([
  ['nothing', undefined, 'undefined: give an object'],
  ['an unknown property', { nickname: 'x' }, 'nickname is "x": User has no such property'],
  ['an operator', { name: Equal('x') }, 'name'],
  ['a bare id', { team: 1 }, 'team is 1: a relation is given as an object'],
])('what a function of defaults made is refused before anything is written: %s', async (_what, made, says) => {
  const list = [{ email: 'fine@x' }, { email: 'made@x' }]
  let failure: Error | undefined
  const sent = await db.statements.of(async () => {
    const defaults = (_criteria: object, index: number) => (index === 0 ? { name: 'x' } : made)
    failure = await failureOf(misused(User).getOrCreateMany(list, defaults))
  })
  expect(failure).toBeInstanceOf(InvalidValuesError)
  expect(failure?.message).toContain(says)
  expect(sent).toEqual([expect.stringMatching(/^SELECT/)])
})

test('no function of defaults runs when one of the criteria is refused', async () => {
  const defaults = jest.fn(() => ({ name: 'x' }))
  await refused(() => misused(User).getOrCreateMany([good, {}], defaults), InvalidCriteriaError, ['criteria[1]'])
  expect(defaults).not.toHaveBeenCalled()
})

test("criteria without a unique key are refused by uniqueness: 'require', naming what to add", () =>
  refused(
    () => misused(User).getOrCreateMany([{ name: 'x' }], { email: 'a@x' }, { uniqueness: 'require' }),
    NotUniqueCriteriaError,
    ['User', "'name'", "@Unique(['name'])"],
  ))

test('criteria without a unique key are warned of once, not once a member', async () => {
  const fresh = await openDatabase(entities)
  const teams = fresh.dataSource.getRepository(User).extend(getOrCreateMixin())
  await teams.getOrCreateMany([{ name: 'a' }, { name: 'b' }], ({ name }) => ({ email: `${name as string}@x` }))
  expect(fresh.statements.warnings).toHaveLength(1)
  await fresh.close()
})

test('a view is refused: no row can be created in it', () =>
  refused(() => misused(TeamName).getOrCreateMany([{ name: 'x' }]), GetOrCreateError, ['TeamName', 'view']))

test('a refusal inside a transaction leaves it as it was', async () => {
  await db.dataSource.transaction(async (manager) => {
    const tags = manager.withRepository(db.dataSource.getRepository(Tag).extend(getOrCreateMixin()))
    await tags.insert({ label: 'before' })
    await refused(() => tags.getOrCreateMany([{}]), InvalidCriteriaError, ['criteria[0]'])
    expect(await tags.countBy({ label: 'before' })).toBe(1)
  })
})
