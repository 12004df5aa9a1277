import { type EntityManager, EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'
import { type GetOrCreateRepository, withGetOrCreate } from '../../src/index.js'
import { isSupported, types } from '../column-types.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { openRival, type Rival } from '../rival.js'
import { type Kind, kind, testSameShape } from '../same-shape.js'
import { surroundings } from '../surroundings.js'

interface Row {
  id: number
  code: string
  value: unknown
}

const schemas = types.map(([what, column]) => schemaOf(what, { ...column, nullable: true }))

function schemaOf(name: string, value: EntitySchemaColumnOptions): EntitySchema<Row> {
  return new EntitySchema<Row>({
    name: `With ${name}`,
    columns: {
      id: { type: Number, primary: true, generated: true },
      code: { type: String, length: 40, unique: true },
      value,
    },
  })
}

const kinds: Kind[] = types.flatMap(([what, , value], index) => [
  named(what, schemas[index] as EntitySchema<Row>, value),
  named(`${what}, left out`, schemas[index] as EntitySchema<Row>, undefined),
])

function named(name: string, schema: EntitySchema<Row>, value: unknown): Kind {
  return kind(name, schema, (n) => ({ criteria: { code: `${n}` }, defaults: { value } }))
}

describe('the created entity equals what a read returns, of every type of column', () => {
  let db: OpenDatabase

  beforeAll(async () => {
    db = await openDatabase(schemas)
  })
  afterAll(() => db.close())

  testSameShape(kinds, () => db)
})

/** How a column is told that capitals do not matter. */
function foldingCase(): EntitySchemaColumnOptions | undefined {
  if (database.collationFoldsCase) return { type: String, length: 40 }
  if (isSupported({ type: 'citext' })) return { type: 'citext' }
  // SQLite's, whose databases have one connection.
  return database.hasConnections ? undefined : { type: String, collation: 'NOCASE' }
}

const insensitive = foldingCase()

if (insensitive) {
  describe('where capitals do not matter', () => {
    const Login = new EntitySchema<{ id: number; email: string; name: string }>({
      name: 'Login',
      columns: {
        id: { type: Number, primary: true, generated: true },
        email: { ...insensitive, unique: true },
        name: { type: String, length: 40, default: '' },
      },
    })
    let db: OpenDatabase
    let rival: Rival
    const loginsOf = (manager: EntityManager) => withGetOrCreate(manager.getRepository(Login))
    let logins: GetOrCreateRepository<{ id: number; email: string; name: string }>

    beforeAll(async () => {
      db = await openDatabase([Login])
      rival = await openRival(db)
      logins = loginsOf(db.dataSource.manager)
    })
    afterAll(() => db.close())

    test('the row is found as it was first written', async () => {
      const [created] = await logins.getOrCreate({ email: 'Ada@x' })
      const [found, isNew] = await logins.getOrCreate({ email: 'ADA@X' })

      expect(isNew).toBe(false)
      expect(found).toEqual(created)
      expect(found.email).toBe('Ada@x')
    })

    test.each(surroundings)('the row of a rival who wrote it otherwise is found, %s', async (where, within) => {
      const email = `lost-${where.length}@x`
      const [found, isNew] = await within(db.dataSource, (manager) =>
        loginsOf(manager).getOrCreate({ email }, async () => {
          await rival.act((other) => other.insert(Login, { email: email.toUpperCase() }))
          return {}
        }),
      )

      expect([found.email, isNew]).toEqual([email.toUpperCase(), false])
    })

    test('of many, those that are the same to the database share the row', async () => {
      const results = await logins.getOrCreateMany([{ email: 'Eve@x' }, { email: 'eve@X' }])

      expect(results.map(([{ email }, isNew]) => [email, isNew])).toEqual([
        ['Eve@x', true],
        ['Eve@x', false],
      ])
    })

    test('an update reaches the row', async () => {
      const [{ id }] = await logins.getOrCreate({ email: 'Zoe@x' })
      const [updated, isNew] = await logins.updateOrCreate({ email: 'ZOE@x' }, { name: 'Zoe' })

      expect([updated.id, updated.name, isNew]).toEqual([id, 'Zoe', false])
    })
  })
}

if (isSupported({ type: 'char' })) {
  test('a key that comes back with more or fewer blanks than it was given is found and created like any other', async () => {
    const Stamp = new EntitySchema<{ id: number; code: string }>({
      name: 'Stamp',
      columns: {
        id: { type: Number, primary: true, generated: true },
        code: { type: 'char', length: 5, unique: true },
      },
    })
    const db = await openDatabase([Stamp])
    const stamps = withGetOrCreate(db.dataSource.getRepository(Stamp))
    const list = [{ code: 'ab' }, { code: 'cd ' }, { code: 'ef   ' }]
    const created = async () => (await stamps.getOrCreateMany(list)).map(([, isNew]) => isNew)

    try {
      await stamps.getOrCreate({ code: 'ef' })
      expect(await created()).toEqual([true, true, false])
      expect(await created()).toEqual([false, false, false])
      expect((await stamps.getOrCreate({ code: 'ab' }))[1]).toBe(false)
    } finally {
      await db.close()
    }
  })
}
