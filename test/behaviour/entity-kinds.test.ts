import { DefaultNamingStrategy } from 'typeorm'
import { withGetOrCreate } from '../../src/index.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { Country, entities, Role, Team, User } from '../entities.js'
import {
  Author,
  Book,
  Car,
  Elsewhere,
  Enrolment,
  Invoice,
  kindEntities,
  Letter,
  Loan,
  Profile,
  planetSchema,
  Quoted,
  Receipt,
  Seat,
  Truck,
  Vehicle,
} from '../kind-entities.js'
import { type Kind, kind, testSameShape } from '../same-shape.js'

/** TypeORM creates the tables, but not the schema that one of them lives in. */
async function open(...[all, options]: Parameters<typeof openDatabase>): Promise<OpenDatabase> {
  const db = await openDatabase(all, { ...options, synchronize: false } as typeof options)
  if (database.hasSchemas) await db.dataSource.query('CREATE SCHEMA "Odd Schema"')
  await db.dataSource.synchronize()
  return { ...db, connect: (more) => db.connect({ ...options, ...more } as typeof options) }
}

const newTeam = (n: number, manager: OpenDatabase['dataSource']['manager']) => manager.save(Team, { name: `team ${n}` })

const kinds: Kind[] = [
  kind('a generated key', User, (n) => ({ criteria: { email: `${n}@x` }, defaults: { name: 'A' } })),
  kind('a relation among the values', User, async (n, manager) => ({
    criteria: { email: `${n}@x` },
    defaults: { name: 'A', team: await newTeam(n, manager) },
  })),
  kind('a uuid key and a relation among the criteria', Role, async (n, manager) => ({
    criteria: { team: { id: (await newTeam(n, manager)).id }, title: 'lead' },
  })),
  kind('a loaded entity as a criterion', Role, async (n, manager) => ({
    criteria: { team: await newTeam(n, manager), title: 'lead' },
  })),
  kind('a chosen key', Country, (n) => ({
    criteria: { code: n.toString(36).padStart(2, '0') },
    defaults: { name: 'Somewhere' },
  })),
  kind('a composite key', Enrolment, (n) => ({ criteria: { course: n, student: 'Ada' } })),
  kind('a key that is a relation, by its column', Seat, async (n, manager) => ({
    criteria: { teamId: (await newTeam(n, manager)).id, position: 1 },
  })),
  kind('a key that is a relation, by the relation', Seat, async (n, manager) => ({
    criteria: { team: { id: (await newTeam(n, manager)).id }, position: 1 },
  })),
  kind('the owner of a one-to-one relation', Profile, async (n, manager) => ({
    criteria: { team: { id: (await newTeam(n, manager)).id } },
    defaults: { motto: 'onward' },
  })),
  kind('the owner of a one-to-one relation that is requested', Profile, async (n, manager) => ({
    criteria: { team: { id: (await newTeam(n, manager)).id } },
    defaults: { motto: 'onward' },
    options: { relations: { team: true } },
  })),
  kind('a parent of single-table inheritance', Vehicle, (n) => ({ criteria: { plate: `V-${n}` } })),
  kind('a child of single-table inheritance', Car, (n) => ({ criteria: { plate: `C-${n}` } })),
  kind('a child with an eager relation', Truck, async (n, manager) => ({
    criteria: { plate: `T-${n}` },
    defaults: { owner: await newTeam(n, manager) },
  })),
  kind('an entity schema without a class', planetSchema, (n) => ({ criteria: { name: `planet ${n}` } })),
  kind('names that need quoting', Quoted, (n) => ({ criteria: { order: `o-${n}` } })),
  kind('a virtual column', Receipt, (n) => ({ criteria: { number: `${n}` }, defaults: { amount: 41 } })),
  kind('an eager relation', Book, async (n, manager) => ({
    criteria: { isbn: `${n}` },
    defaults: { author: await manager.save(Author, { name: `author ${n}` }) },
  })),
  kind('an eager relation that is not wanted', Book, async (n, manager) => ({
    criteria: { isbn: `${n}` },
    defaults: { author: await manager.save(Author, { name: `author ${n}` }) },
    options: { loadEagerRelations: false },
  })),
  kind('a relation id', Loan, async (n, manager) => ({
    criteria: { number: `${n}` },
    defaults: { team: await newTeam(n, manager) },
  })),
  kind('requested relations of relations', Book, async (n, manager) => ({
    criteria: { isbn: `${n}` },
    defaults: { author: await manager.save(Author, { name: `author ${n}` }), team: await newTeam(n, manager) },
    options: { relations: { author: { books: true }, team: true } },
  })),
  ...(database.hasGeneratedColumns
    ? [
        kind('a column that the database computes', Invoice, (n) => ({
          criteria: { number: `${n}` },
          defaults: { amount: 21 },
        })),
      ]
    : []),
  ...(database.hasSchemas
    ? [kind('a schema that needs quoting', Elsewhere, (n) => ({ criteria: { code: `${n}` } }))]
    : []),
]

class SnakeCase extends DefaultNamingStrategy {
  override tableName(className: string, given: string | undefined): string {
    return given ?? `tbl_${className.toLowerCase()}`
  }

  override columnName(propertyName: string, given: string | undefined): string {
    return given ?? propertyName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  }

  override joinColumnName(relationName: string, referencedColumnName: string): string {
    return `${relationName}_${referencedColumnName}`
  }
}

describe.each([
  ['', {}],
  [' under a naming strategy of its own', { namingStrategy: new SnakeCase() }],
])('what is created equals what is read%s', (_naming, options) => {
  let db: OpenDatabase

  beforeAll(async () => {
    db = await open([...new Set([...entities, ...kindEntities])], options)
  })
  afterAll(() => db.close())

  testSameShape(kinds, () => db)
})

describe('what kinds of entities promise beyond that', () => {
  let db: OpenDatabase

  beforeAll(async () => {
    db = await open(kindEntities)
  })
  afterAll(() => db.close())

  test('a child of single-table inheritance is created as its own class, with its own discriminator', async () => {
    const [truck] = await withGetOrCreate(db.dataSource.getRepository(Truck)).getOrCreate({ plate: 'T-own' })

    expect(truck).toBeInstanceOf(Truck)
    expect(await db.dataSource.getRepository(Vehicle).findOneBy({ plate: 'T-own' })).toBeInstanceOf(Truck)
    expect(truck).toMatchObject({ tons: 40, owner: null, loads: 1 })
  })

  test('the repository of a parent finds a child, as the child', async () => {
    const [car] = await withGetOrCreate(db.dataSource.getRepository(Car)).getOrCreate({ plate: 'C-own' })
    const [found, created] = await withGetOrCreate(db.dataSource.getRepository(Vehicle)).getOrCreate({ plate: 'C-own' })

    expect(created).toBe(false)
    expect(found).toBeInstanceOf(Car)
    expect(found).toEqual(car)
  })

  test('a sibling that holds the key is no match, and the conflict is told as the database tells it', async () => {
    await withGetOrCreate(db.dataSource.getRepository(Car)).getOrCreate({ plate: 'taken' })
    const trucks = withGetOrCreate(db.dataSource.getRepository(Truck))

    await expect(trucks.getOrCreate({ plate: 'taken' })).rejects.toMatchObject({ name: 'QueryFailedError' })
    expect(await trucks.countBy({ plate: 'taken' })).toBe(0)
  })

  test('a lazy relation is a promise of what was stored, given as an entity or as a promise', async () => {
    const team = await db.dataSource.manager.save(Team, { name: 'lazy' })
    const letters = withGetOrCreate(db.dataSource.getRepository(Letter))
    for (const [subject, given] of [
      ['by promise', Promise.resolve(team)],
      ['by entity', team as never],
    ] as const) {
      const [created] = await letters.getOrCreate({ subject }, { team: given })
      const [found] = await letters.getOrCreate({ subject })

      expect(await created.team).toEqual(team)
      expect(await found.team).toEqual(team)
    }
  })

  test('a requested lazy relation is loaded with the row', async () => {
    const team = await db.dataSource.manager.save(Team, { name: 'lazy and loaded' })
    const letters = withGetOrCreate(db.dataSource.getRepository(Letter))
    const options = { relations: { team: true } }
    const [created] = await letters.getOrCreate({ subject: 'loaded' }, { team: Promise.resolve(team) }, options)

    const sent = await db.statements.of(async () => expect(await created.team).toEqual(team))
    expect(sent).toEqual([])
  })
})
