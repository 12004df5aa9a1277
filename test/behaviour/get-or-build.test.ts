import { type GetOrCreateRepository, getOrCreateMixin, MultipleEntitiesFoundError } from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'
import { entities, Post, Role, Team, User } from '../entities.js'
import { failureOf } from '../failures.js'
import { Customer, Device, keyEntities } from '../key-entities.js'

let db: OpenDatabase
let users: GetOrCreateRepository<User>

beforeAll(async () => {
  db = await openDatabase([...entities, ...keyEntities])
  users = repositoryOf(User)
})
afterAll(() => db.close())

function repositoryOf<E extends object>(entity: new () => E): GetOrCreateRepository<E> {
  return db.dataSource.getRepository(entity).extend(getOrCreateMixin({ uniqueness: 'ignore' })) as never
}

test('a row that is there is found, by one statement', async () => {
  const stored = await users.save({ email: 'there@x', name: 'There' })
  let result: [User, boolean] | undefined
  const sent = await db.statements.of(async () => {
    result = await users.getOrBuild({ email: 'there@x' }, { name: 'Other' })
  })
  expect(result).toEqual([await users.findOneBy({ id: stored.id }), false])
  expect(sent).toEqual([expect.stringMatching(/^SELECT/)])
})

test('a row that is missing is built and not stored, by one statement', async () => {
  let result: [User, boolean] | undefined
  const sent = await db.statements.of(async () => {
    result = await users.getOrBuild({ email: 'built@x' }, { name: 'Built' })
  })
  expect(result).toEqual([expect.objectContaining({ email: 'built@x', name: 'Built' }), true])
  expect(result?.[0]).toBeInstanceOf(User)
  expect(result?.[0].id).toBeUndefined()
  expect(sent).toEqual([expect.stringMatching(/^SELECT/)])
  expect(await users.countBy({ email: 'built@x' })).toBe(0)
})

test('what was built can be saved, and is found then', async () => {
  const [built] = await users.getOrBuild({ email: 'saved@x' }, { name: 'Saved' })
  const saved = await users.save(built)
  const [found, isNew] = await users.getOrBuild({ email: 'saved@x' })
  expect([found.id, found.name, isNew]).toEqual([saved.id, 'Saved', false])
})

test('what was built has the values of getOrCreate: criteria, then defaults, embedded objects merged', async () => {
  const [customer] = await repositoryOf(Customer).getOrBuild(
    { contact: { phone: '1' }, name: 'Asked' },
    { contact: { city: 'Bonn' }, name: 'Given' },
  )
  expect(customer).toMatchObject({ contact: { phone: '1', city: 'Bonn' }, name: 'Given' })
})

test('what was built keeps its relations, so that it can be saved', async () => {
  const team = await repositoryOf(Team).save({ name: 'red' })
  const roles = repositoryOf(Role)
  const [role, isNew] = await roles.getOrBuild({ team, title: 'Lead' })
  expect([role.team.id, isNew]).toEqual([team.id, true])
  await roles.save(role)
  expect((await roles.getOrBuild({ team: { id: team.id }, title: 'Lead' }))[1]).toBe(false)
})

test('a function of defaults runs on a miss only, once', async () => {
  const defaults = jest.fn(async () => ({ name: 'Lazy' }))
  const [built] = await users.getOrBuild({ email: 'lazy@x' }, defaults)
  expect(built.name).toBe('Lazy')
  await users.save(built)
  await users.getOrBuild({ email: 'lazy@x' }, defaults)
  expect(defaults).toHaveBeenCalledTimes(1)
})

test('several matches are an error', async () => {
  await users.insert([
    { email: 'twin1@x', name: 'Twin' },
    { email: 'twin2@x', name: 'Twin' },
  ])
  expect(await failureOf(users.getOrBuild({ name: 'Twin' }))).toBeInstanceOf(MultipleEntitiesFoundError)
})

test('relations and withDeleted are read as in getOrCreate', async () => {
  const posts = repositoryOf(Post)
  await posts.save({ slug: 'gone' })
  await posts.softDelete({ slug: 'gone' })
  expect((await posts.getOrBuild({ slug: 'gone' }))[1]).toBe(true)
  const [post, isNew] = await posts.getOrBuild({ slug: 'gone' }, {}, { withDeleted: true, relations: { tags: true } })
  expect([post.tags, isNew]).toEqual([[], false])
})

test('in a transaction it sees what that wrote', async () => {
  await db.dataSource.transaction(async (manager) => {
    const here = manager.withRepository(users)
    await here.insert({ email: 'tx@x', name: 'Tx' })
    expect((await here.getOrBuild({ email: 'tx@x' }))[1]).toBe(false)
  })
})

test('neither argument is changed by it', async () => {
  const criteria = Object.freeze({ contact: Object.freeze({ phone: '9' }) })
  const defaults = Object.freeze({ contact: Object.freeze({ city: 'Rome' }) })
  const [customer] = await repositoryOf(Customer).getOrBuild(criteria, defaults)
  customer.contact.city = 'Milan'
  expect([criteria, defaults]).toEqual([{ contact: { phone: '9' } }, { contact: { city: 'Rome' } }])
})

test('what was built shares nothing with the arguments', async () => {
  const settings = { unit: 'K' }
  const [device] = await repositoryOf(Device).getOrBuild({ serial: 'shared' }, { settings })
  Object.assign(device.settings as object, { unit: 'C' })
  expect(settings).toEqual({ unit: 'K' })
})
