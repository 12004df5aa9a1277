import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm'
import { type GetOrCreateRepository, withGetOrCreate } from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'

@Entity()
class Room {
  @PrimaryColumn()
  house!: number

  @PrimaryColumn()
  floor!: number
}

/** Its key has columns of its own which are also the foreign key of a relation. */
@Entity()
class Chair {
  @PrimaryColumn()
  house!: number

  @PrimaryColumn()
  floor!: number

  @PrimaryColumn()
  number!: number

  @ManyToOne(() => Room)
  @JoinColumn([
    { name: 'house', referencedColumnName: 'house' },
    { name: 'floor', referencedColumnName: 'floor' },
  ])
  room!: Room

  @Column({ default: 'free', length: 20 })
  state!: string
}

let db: OpenDatabase
let chairs: GetOrCreateRepository<Chair>
let room: Room

beforeAll(async () => {
  db = await openDatabase([Room, Chair])
  chairs = withGetOrCreate(db.dataSource.getRepository(Chair))
  room = await db.dataSource.manager.save(Room, { house: 1, floor: 2 })
})
afterAll(() => db.close())

test('a row whose key is a relation and a number is created as it reads', async () => {
  const [chair, created] = await chairs.getOrCreate({ room, number: 1 })

  expect(created).toBe(true)
  expect(chair).toStrictEqual(await chairs.findOneBy({ house: 1, floor: 2, number: 1 }))
  expect((await chairs.getOrCreate({ room, number: 1 }))[1]).toBe(false)
})

test('many of them are created and found by that key', async () => {
  const results = await chairs.getOrCreateMany([2, 3, 2].map((number) => ({ room, number })))

  expect(results.map(([chair, created]) => [chair.number, chair.state, created])).toEqual([
    [2, 'free', true],
    [3, 'free', true],
    [2, 'free', false],
  ])
})

test('and updated', async () => {
  const [chair, created] = await chairs.updateOrCreate({ room, number: 4 }, { state: 'taken' })
  const [again] = await chairs.updateOrCreate({ room, number: 4 }, { state: 'broken' })

  expect([chair.state, created, again.state]).toEqual(['taken', true, 'broken'])
})
