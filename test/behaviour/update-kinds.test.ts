import {
  BeforeUpdate,
  ChildEntity,
  Column,
  Entity,
  JoinTable,
  ManyToMany,
  ManyToOne,
  PrimaryGeneratedColumn,
  TableInheritance,
  VersionColumn,
} from 'typeorm'
import { withGetOrCreate } from '../../src/index.js'
import { database, type OpenDatabase, openDatabase } from '../databases.js'

@Entity()
@TableInheritance({ column: { type: 'varchar', length: 20, name: 'type' } })
class Animal {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string

  @Column({ default: 0 })
  age!: number
}

@ChildEntity()
class Dog extends Animal {
  @Column({ default: 0 })
  bones!: number

  @BeforeUpdate()
  bury() {
    this.bones += 1
  }
}

@Entity()
class Crew {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string
}

@Entity()
class Ship {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string

  @ManyToOne(() => Crew, { lazy: true })
  crew!: Promise<Crew | null>

  @ManyToMany(() => Crew, { lazy: true })
  @JoinTable()
  visitors!: Promise<Crew[]>
}

@Entity()
class Blob {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string

  @Column({ type: database.binaryType, ...(database.binaryType === 'varbinary' ? { length: 8 } : {}) })
  bytes!: Uint8Array

  @VersionColumn()
  version!: number
}

let db: OpenDatabase

beforeAll(async () => {
  db = await openDatabase([Animal, Dog, Crew, Ship, Blob])
})
afterAll(() => db.close())

const repositoryOf = <E extends object>(entity: new () => E) => withGetOrCreate(db.dataSource.getRepository(entity))

test('a row of a child class is updated as one, by the repository of its parent', async () => {
  await repositoryOf(Dog).save({ name: 'Rex', bones: 3 })
  const [dog, created] = await repositoryOf(Animal).updateOrCreate({ name: 'Rex' }, ({ age }) => ({ age: age + 4 }))

  expect(created).toBe(false)
  expect(dog).toBeInstanceOf(Dog)
  expect(dog).toMatchObject({ age: 4, bones: 4 })
  expect(dog).toStrictEqual(await repositoryOf(Animal).findOneByOrFail({ name: 'Rex' }))
})

test('lazy relations that are set on the row itself are stored', async () => {
  const [first, second] = await repositoryOf(Crew).save([{ name: 'first' }, { name: 'second' }])
  await repositoryOf(Ship).getOrCreate({ name: 'a' }, { crew: first, visitors: [first] } as object)
  await repositoryOf(Ship).updateOrCreate({ name: 'a' }, async (ship) => {
    expect(await ship.visitors).toHaveLength(1)
    ship.crew = Promise.resolve(second as Crew)
    ship.visitors = Promise.resolve([first, second] as Crew[])
    return ship
  })

  const ship = await repositoryOf(Ship).findOneByOrFail({ name: 'a' })
  expect((await ship.crew)?.name).toBe('second')
  expect((await ship.visitors).map(({ name }) => name).sort()).toEqual(['first', 'second'])
})

test('lazy relations that are left alone stay as they are, and are not read', async () => {
  const [crew] = await repositoryOf(Crew).getOrCreate({ name: 'of b' })
  await repositoryOf(Ship).getOrCreate({ name: 'b' }, { crew, visitors: [crew] } as object)
  const sent = await db.statements.of(() => repositoryOf(Ship).updateOrCreate({ name: 'b' }, (ship) => ship))

  expect(sent.filter((sql) => /crew|^UPDATE/i.test(sql) && !/^SELECT .* FROM .ship/i.test(sql))).toEqual([])
  const ship = await repositoryOf(Ship).findOneByOrFail({ name: 'b' })
  expect([(await ship.crew)?.name, (await ship.visitors).length]).toEqual(['of b', 1])
})

describe('bytes', () => {
  beforeEach(async () => {
    await repositoryOf(Blob).clear()
    await repositoryOf(Blob).save({ name: 'a', bytes: Buffer.from([1, 2]) })
  })

  test('that are changed in place are stored', async () => {
    const [blob] = await repositoryOf(Blob).updateOrCreate({ name: 'a' }, ({ bytes }) => {
      bytes[1] = 7
      return { bytes }
    })
    expect([...blob.bytes]).toEqual([1, 7])
    expect(await repositoryOf(Blob).findOneByOrFail({ name: 'a' })).toStrictEqual(blob)
  })

  test('that are not changed are not written', async () => {
    const [blob] = await repositoryOf(Blob).updateOrCreate({ name: 'a' }, (current) => current)
    expect([[...blob.bytes], blob.version]).toEqual([[1, 2], 1])
  })

  test('are not shared by those who share a batch', async () => {
    const batched = withGetOrCreate(db.dataSource.getRepository(Blob), { batch: true })
    const [[one], [other]] = await Promise.all([batched.getOrCreate({ name: 'a' }), batched.getOrCreate({ name: 'a' })])
    one.bytes[0] = 9
    expect([...other.bytes]).toEqual([1, 2])
  })

  test('that are changed after the call are stored as they were', async () => {
    const bytes = Buffer.from([3, 4])
    const call = repositoryOf(Blob).getOrCreate({ name: 'b' }, { bytes })
    bytes[0] = 9
    const [blob] = await call
    expect([...blob.bytes]).toEqual([3, 4])
  })
})
