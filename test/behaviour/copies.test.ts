import { AfterLoad, Column, Entity, ManyToOne, OneToMany, PrimaryGeneratedColumn } from 'typeorm'
import { withGetOrCreate } from '../../src/index.js'
import { type OpenDatabase, openDatabase } from '../databases.js'

@Entity()
class Basket {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  code!: string

  @Column({ default: 0 })
  weight!: number

  @OneToMany(
    () => Fruit,
    (fruit) => fruit.basket,
    { eager: true, cascade: true },
  )
  fruits!: Fruit[]

  /** Private to the class: only its constructor makes it. */
  readonly #heavier = 1

  @AfterLoad()
  leadBack() {
    for (const fruit of this.fruits) fruit.basket = this
  }

  heavier(): number {
    return this.weight + this.#heavier
  }
}

@Entity()
class Fruit {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  name!: string

  @ManyToOne(
    () => Basket,
    (basket) => basket.fruits,
  )
  basket!: Basket
}

@Entity()
class Label {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  text!: string

  @ManyToOne(() => Basket)
  basket!: Basket
}

const CANNOT_STORE = new Error('what was read is not stored again')

@Entity()
class Seal {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ unique: true, length: 40 })
  code!: string

  @Column({
    type: 'varchar',
    length: 40,
    transformer: {
      to(value: string | object) {
        if (typeof value === 'object') throw CANNOT_STORE
        return value
      },
      from: (stored: string) => ({ stored }),
    },
  })
  value!: unknown
}

let db: OpenDatabase
let basket: Basket

beforeAll(async () => {
  db = await openDatabase([Basket, Fruit, Label, Seal])
  await baskets().save({ code: 'a', fruits: [{ name: 'apple' }, { name: 'pear' }] })
  basket = await baskets().findOneByOrFail({ code: 'a' })
})
afterAll(() => db.close())

const baskets = (options = {}) => withGetOrCreate(db.dataSource.getRepository(Basket), options)
const labels = () => withGetOrCreate(db.dataSource.getRepository(Label))

describe('an entity whose relations lead back to it, with private fields', () => {
  test('is there for each of those who share a batch', async () => {
    const batched = baskets({ batch: true })
    const results = await Promise.all(Array.from({ length: 3 }, () => batched.getOrCreate({ code: 'a' })))

    for (const [one] of results) {
      expect(one).toEqual(basket)
      expect(one.fruits.map((fruit) => fruit.basket === one)).toEqual([true, true])
      expect(one.heavier()).toBe(one.weight + 1)
    }
    expect(new Set(results.map(([one]) => one)).size).toBe(3)
    expect(new Set(results.flatMap(([{ fruits }]) => fruits)).size).toBe(6)
  })

  test('is updated from its own values', async () => {
    const [updated] = await baskets().updateOrCreate({ code: 'a' }, (current) => ({ weight: current.heavier() }))
    expect(updated.weight).toBe(basket.weight + 1)
    expect(updated.fruits).toHaveLength(2)
  })

  test('is a value of a new row, as it is with insert', async () => {
    const [label, created] = await labels().getOrCreate({ text: 'of a' }, { basket }, { relations: { basket: true } })
    expect([label.basket.id, created]).toEqual([basket.id, true])
    expect(await labels().getOrCreateMany([{ text: 'b' }, { text: 'c' }], { basket })).toHaveLength(2)
    expect((await labels().getOrBuild({ text: 'd' }, { basket }))[0].basket.id).toBe(basket.id)
  })

  test('is a value of a row that is updated', async () => {
    await labels().getOrCreate({ text: 'later' })
    const [label] = await labels().updateOrCreate({ text: 'later' }, { basket }, { relations: { basket: true } })
    expect(label.basket.id).toBe(basket.id)
  })
})

test('who shares a batch gets an error where the row cannot be copied', async () => {
  const batched = withGetOrCreate(db.dataSource.getRepository(Seal), { batch: true })
  const calls = [1, 2].map(() => batched.getOrCreate({ code: 'a' }, { value: 'v' }))
  await expect(calls[0]).resolves.toMatchObject([{ value: { stored: 'v' } }, true])
  await expect(calls[1]).rejects.toBe(CANNOT_STORE)
})
