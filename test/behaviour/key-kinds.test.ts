import { Column, Entity, Generated, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm'
import { withGetOrCreate } from '../../src/index.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'
import { type Kind, kind, testSameShape } from '../same-shape.js'

class Place {
  @PrimaryColumn({ length: 10 })
  shelf!: string

  @PrimaryColumn()
  position!: number
}

/** The primary key is an embedded object. */
@Entity()
class Parcel {
  @Column(() => Place)
  place!: Place

  @Column({ default: 1 })
  weight!: number
}

/** The key is not read unless it is asked for. */
@Entity()
class Secret {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40, select: false })
  token!: string

  @Column({ default: 0 })
  uses!: number
}

/** Generated columns beside the key, and an id that JavaScript reads as text. */
@Entity()
class Ticket {
  @PrimaryGeneratedColumn('increment', { type: 'bigint' })
  id!: string

  @Column({ unique: true, length: 40 })
  code!: string

  @Column()
  @Generated('uuid')
  reference!: string
}

/** Computed when the row is read. */
@Entity()
class Order {
  @PrimaryGeneratedColumn('uuid')
  id!: string

  @Column({ unique: true, length: 40 })
  number!: string

  @Column({ default: 3 })
  amount!: number

  @Column({ type: 'int', generatedType: 'VIRTUAL', asExpression: 'amount * 2', insert: false })
  doubled!: number
}

// PostgreSQL knows stored ones only, before version 18.
const computesOnRead = database.hasGeneratedColumns && !database.hasSchemas
const all = [Parcel, Secret, ...(database.hasConnections ? [Ticket] : []), ...(computesOnRead ? [Order] : [])]

const kinds: Kind[] = [
  kind('a primary key that is an embedded object', Parcel, (n) => ({
    criteria: { place: { shelf: 'A', position: n } },
  })),
  kind('a key that is not selected', Secret, (n) => ({ criteria: { token: `${n}` } })),
  ...(database.hasConnections
    ? [kind('a generated bigint, and a uuid beside it', Ticket, (n) => ({ criteria: { code: `${n}` } }))]
    : []),
  ...(computesOnRead
    ? [kind('a column computed when it is read', Order, (n) => ({ criteria: { number: `${n}` } }))]
    : []),
]

let db: OpenDatabase

beforeAll(async () => {
  db = await openDatabase(all)
})
afterAll(() => db.close())

testSameShape(kinds, () => db)

test('an embedded primary key works in every method', async () => {
  const parcels = withGetOrCreate(db.dataSource.getRepository(Parcel))
  const place = { shelf: 'Z', position: 1 }

  const [created] = await parcels.getOrCreateInTransaction({ place }, { weight: 5 })
  const [updated] = await parcels.updateOrCreate({ place }, ({ weight }) => ({ weight: weight + 1 }))
  const many = await parcels.getOrCreateMany([{ place: { shelf: 'Z', position: 2 } }, { place }])

  expect([created.weight, updated.weight]).toEqual([5, 6])
  expect(many.map(([parcel, isNew]) => [parcel.place, parcel.weight, isNew])).toEqual([
    [{ shelf: 'Z', position: 2 }, 1, true],
    [place, 6, false],
  ])
})

test('a key that is not selected works in every method', async () => {
  const secrets = withGetOrCreate(db.dataSource.getRepository(Secret))

  const [created] = await secrets.getOrCreateInTransaction({ token: 'a' })
  const [updated] = await secrets.updateOrCreate({ token: 'a' }, ({ uses }) => ({ uses: uses + 1 }))
  const many = await secrets.getOrCreateMany([{ token: 'b' }, { token: 'a' }])

  expect(updated).toEqual({ id: created.id, uses: 1 })
  expect(many.map(([secret, isNew]) => [secret.uses, isNew])).toEqual([
    [0, true],
    [1, false],
  ])
  expect(many[1]?.[0]).toEqual({ id: created.id, uses: 1 })
})
