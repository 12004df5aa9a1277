import { type EntityManager, IsNull, Like } from 'typeorm'
import { type GetOrCreateRepository, getOrCreateMixin } from '../../src/index.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { entities, Post, Role, Tag, Team, User } from '../entities.js'
import { failureOf } from '../failures.js'
import { Badge, Coach, Folder, keyEntities } from '../key-entities.js'
import { openRival, type Rival } from '../rival.js'

/** Where an INSERT returns nothing, one SELECT reads the row back. */
const readBack = database.insertReturnsRow ? [] : ['SELECT']
const miss = ['SELECT', 'INSERT', ...readBack]
const lostRace = ['SELECT', 'INSERT', 'SELECT']
/** In a transaction whose snapshot hides the winner, a plain read misses and a locking one finds. */
const lostRaceInTransaction = database.snapshotHidesWinner ? [...lostRace, 'SELECT'] : lostRace

let db: OpenDatabase
let rival: Rival
let users: GetOrCreateRepository<User>

beforeAll(async () => {
  db = await openDatabase([...entities, ...keyEntities])
  rival = await openRival(db)
  users = db.dataSource.getRepository(User).extend(getOrCreateMixin({ uniqueness: 'ignore' }))
})
afterAll(() => db.close())

/** The first word of each statement that `work` sends. */
async function kinds(work: () => Promise<unknown>): Promise<string[]> {
  const sent = await db.statements.of(work)
  return sent.map((sql) => sql.trimStart().split(/\s/, 1)[0] as string)
}

/** Defaults of a caller who loses: someone else stores the row between the look and the insert. */
function beatenTo(email: string) {
  return async () => {
    await rival.act((manager) => manager.insert(User, { email, name: 'Winner' }))
    return { name: 'Loser' }
  }
}

/** Runs the same calls on their own, and inside a transaction of the caller, whose own statements are not counted. */
const places = [
  ['outside a transaction', (work: (manager: EntityManager) => Promise<void>) => work(db.dataSource.manager)],
  ['in a transaction', (work: (manager: EntityManager) => Promise<void>) => db.dataSource.transaction(work)],
] as const

describe.each(places)('%s', (place, inPlace) => {
  const email = (name: string) => `${name} ${place}`

  test('a hit is one statement', () =>
    inPlace(async (manager) => {
      const here = manager.withRepository(users)
      await here.insert({ email: email('hit'), name: 'Hit' })
      expect(await kinds(() => here.getOrCreate({ email: email('hit') }, { name: 'Miss' }))).toEqual(['SELECT'])
      expect(await kinds(() => here.getOrCreate({ email: email('hit') }, () => ({ name: 'x' })))).toEqual(['SELECT'])
    }))

  test('a hit is one statement also by criteria that no key covers', () =>
    inPlace(async (manager) => {
      const here = manager.withRepository(users)
      await here.insert({ email: email('named'), name: email('named') })
      expect(await kinds(() => here.getOrCreate({ name: email('named') }))).toEqual(['SELECT'])
      expect(await kinds(() => here.getOrCreate({ email: Like(`${email('named')}%`) }))).toEqual(['SELECT'])
      expect(await kinds(() => here.getOrCreate({ name: email('named'), team: IsNull() }))).toEqual(['SELECT'])
      expect(await kinds(() => here.getOrCreate([{ name: email('named') }, { email: 'nobody' }]))).toEqual(['SELECT'])
    }))

  test('a miss is two statements, and one more where an insert returns no row', () =>
    inPlace(async (manager) => {
      const here = manager.withRepository(users)
      expect(await kinds(() => here.getOrCreate({ email: email('miss') }, { name: 'Miss' }))).toEqual(miss)
    }))

  test('a chosen id, a transformer and a relation given by key cost nothing', () =>
    inPlace(async (manager) => {
      const team = await manager.save(Team, { name: email('team') })
      const roles = manager.withRepository(db.dataSource.getRepository(Role).extend(getOrCreateMixin()))
      const badges = manager.withRepository(db.dataSource.getRepository(Badge).extend(getOrCreateMixin()))
      const role = () => roles.getOrCreate({ team: { id: team.id }, title: 'Lead' })
      const badge = () => badges.getOrCreate({ code: email('badge') }, { id: place.length + 1000 })
      expect(await kinds(role)).toEqual(miss)
      expect(await kinds(role)).toEqual(['SELECT'])
      expect(await kinds(badge)).toEqual(miss)
      expect(await kinds(badge)).toEqual(['SELECT'])
    }))

  test('a hit is one statement also by a relation, given by its key or by other fields', () =>
    inPlace(async (manager) => {
      const here = manager.withRepository(users)
      const team = await manager.save(Team, { name: email('side') })
      await here.insert({ email: email('side'), name: 'Side', team })
      expect(await kinds(() => here.getOrCreate({ team: { id: team.id } }))).toEqual(['SELECT'])
      expect(await kinds(() => here.getOrCreate({ team: { name: team.name } }))).toEqual(['SELECT'])
    }))

  test('a lost race is three statements', () =>
    inPlace(async (manager) => {
      const here = manager.withRepository(users)
      let result: [User, boolean] | undefined
      const sent = await kinds(async () => {
        result = await here.getOrCreate({ email: email('lost') }, beatenTo(email('lost')))
      })
      expect(result).toEqual([expect.objectContaining({ name: 'Winner' }), false])
      expect(sent).toEqual(place === 'in a transaction' ? lostRaceInTransaction : lostRace)
    }))

  test("'create-first' is one statement where the row is new, and one more where an insert returns no row", () =>
    inPlace(async (manager) => {
      const here = manager.withRepository(users)
      const call = () => here.getOrCreate({ email: email('first') }, { name: 'First' }, { strategy: 'create-first' })
      expect(await kinds(call)).toEqual(['INSERT', ...readBack])
      expect(await kinds(call)).toEqual(['INSERT', 'SELECT'])
    }))

  test("'create-first' looks first where defaults are a function", () =>
    inPlace(async (manager) => {
      const here = manager.withRepository(users)
      const lazy = () => ({ name: 'Lazy' })
      const call = () => here.getOrCreate({ email: email('lazy') }, lazy, { strategy: 'create-first' })
      expect(await kinds(call)).toEqual(miss)
      expect(await kinds(call)).toEqual(['SELECT'])
    }))

  test('a requested relation is joined on a hit, and read with the row on a miss', () =>
    inPlace(async (manager) => {
      const here = manager.withRepository(users)
      const call = () => here.getOrCreate({ email: email('related') }, { name: 'x' }, { relations: { team: true } })
      expect(await kinds(call)).toEqual(['SELECT', 'INSERT', 'SELECT'])
      expect(await kinds(call)).toEqual(['SELECT'])
    }))

  test('an eager relation is joined on a hit, read with the row on a miss, and costs nothing when left out', () =>
    inPlace(async (manager) => {
      const coaches = manager.withRepository(db.dataSource.getRepository(Coach).extend(getOrCreateMixin()))
      const call = (name: string, loadEagerRelations: boolean) =>
        kinds(() => coaches.getOrCreate({ name: email(name) }, {}, { loadEagerRelations }))
      expect(await call('eager', true)).toEqual(['SELECT', 'INSERT', 'SELECT'])
      expect(await call('eager', true)).toEqual(['SELECT'])
      expect(await call('not eager', false)).toEqual(miss)
      expect(await call('not eager', false)).toEqual(['SELECT'])
    }))
})

describe('transactions of our own', () => {
  const posts = () => db.dataSource.getRepository(Post).extend(getOrCreateMixin())
  const isTransactional = (sql: string) => /\b(BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b/.test(sql)

  test('are not opened for rows without relations of their own, whatever the outcome', async () => {
    const sent = await db.statements.of(async () => {
      await users.getOrCreate({ email: 'bare@x' }, { name: 'Miss' })
      await users.getOrCreate({ email: 'bare@x' }, { name: 'Hit' })
      await users.getOrCreate({ email: 'bare-lost@x' }, beatenTo('bare-lost@x'))
      await failureOf(users.getOrCreate({ email: 'bare-null@x' }))
      await db.dataSource.getRepository(Post).extend(getOrCreateMixin()).getOrCreate({ slug: 'bare' })
    })
    expect(sent.filter(isTransactional)).toEqual([])
  })

  test('are not opened for a relation that is given by its key, though it cascades', async () => {
    const team = await db.dataSource.getRepository(Team).save({ name: 'by key' })
    const sent = await db.statements.of(() => posts().getOrCreate({ slug: 'by-key' }, { team: { id: team.id } }))
    expect(sent.filter(isTransactional)).toEqual([])
  })

  test('no savepoint is set in the transaction of a caller who creates, finds or loses', async () => {
    const sent = await db.statements.of(() =>
      db.dataSource.transaction(async (manager) => {
        const here = manager.withRepository(users)
        await here.getOrCreate({ email: 'tx@x' }, { name: 'Miss' })
        await here.getOrCreate({ email: 'tx@x' }, { name: 'Hit' })
        await here.getOrCreate({ email: 'tx-lost@x' }, beatenTo('tx-lost@x'))
      }),
    )
    expect(sent.filter((sql) => sql.includes('SAVEPOINT'))).toEqual([])
  })

  test.each([
    ['a new parent that cascades', { team: { name: 'cascaded parent' } }],
    ['new links that cascade', { tags: [{ label: 'cascaded link' }] }],
  ])('are opened for %s', async (what, defaults) => {
    const sent = await db.statements.of(() => posts().getOrCreate({ slug: what }, defaults))
    const transactional = sent.filter(isTransactional)
    expect(transactional[0]).toMatch(/BEGIN|START/)
    expect(transactional.at(-1)).toBe('COMMIT')
    expect(sent[0]).toMatch(/^SELECT/)
  })

  test('are opened for links to what is there already', async () => {
    const tag = await db.dataSource.getRepository(Tag).save({ label: 'there' })
    const sent = await db.statements.of(() => posts().getOrCreate({ slug: 'linked' }, { tags: [{ id: tag.id }] }))
    expect(sent.filter(isTransactional).length).toBeGreaterThanOrEqual(2)
    expect(await kinds(() => posts().getOrCreate({ slug: 'linked' }, { tags: [{ id: tag.id }] }))).toEqual(['SELECT'])
  })

  test('are opened for a row of a tree', async () => {
    const folders = db.dataSource.getRepository(Folder).extend(getOrCreateMixin())
    const sent = await db.statements.of(() => folders.getOrCreate({ name: 'root' }))
    expect(sent.filter(isTransactional).length).toBeGreaterThanOrEqual(2)
    expect(await kinds(() => folders.getOrCreate({ name: 'root' }))).toEqual(['SELECT'])
  })
})
