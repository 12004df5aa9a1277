/** Columns of every type can be in criteria and defaults. Compiled, never run. */
import { ArrayContains, Column, type DataSource, Entity, Equal, In, IsNull, PrimaryColumn } from 'typeorm'
import { getOrCreateMixin } from '../../src/index.js'
import { expectType } from './expect-type.js'

enum Status {
  Open = 'open',
  Closed = 'closed',
}
type Sku = string & { readonly brand: 'sku' }
type Level = 'low' | 'high'

@Entity()
class Item {
  @PrimaryColumn()
  sku!: Sku

  @Column({ type: 'enum', enum: Status })
  status!: Status

  @Column({ type: 'varchar' })
  level!: Level

  @Column({ type: 'varchar', nullable: true })
  note!: string | null

  @Column({ type: 'varchar', nullable: true })
  hint?: string

  @Column('text', { array: true })
  labels!: string[]

  @Column('jsonb')
  details!: { color: string; sizes?: number[] }

  @Column('jsonb', { nullable: true })
  extra!: Record<string, unknown> | null

  @Column('bigint')
  views!: bigint

  @Column('bytea')
  image!: Buffer

  @Column()
  soldAt!: Date

  @Column()
  isNew!: boolean

  describe(): string {
    return this.sku
  }
}

export async function columns(dataSource: DataSource, sku: Sku) {
  const items = dataSource.getRepository(Item).extend(getOrCreateMixin())

  const [item] = await items.getOrCreate({ sku }, { status: Status.Open, level: 'low', views: 1n, labels: ['a', 'b'] })
  expectType<Item>()(item)
  expectType<Sku>()(item.sku)
  expectType<string | undefined>()(item.hint)
  await items.getOrCreate({ sku }, { details: { color: 'red', sizes: [1] }, extra: null, note: null, hint: 'x' })
  await items.getOrCreate({ sku }, { image: Buffer.from('x'), soldAt: new Date(), isNew: true, extra: { any: 1 } })
  await items.getOrCreate({ status: Status.Open, level: In<Level>(['low', 'high']), note: IsNull() })
  await items.getOrCreate({ views: 1n, isNew: false, soldAt: Equal(new Date()), hint: 'x' })
  await items.getOrCreate({ labels: ArrayContains(['a']) })

  // @ts-expect-error a plain string is no sku
  await items.getOrCreate({ sku: 'a' })
  // @ts-expect-error there is no such status
  await items.getOrCreate({ sku }, { status: 'lost' })
  // @ts-expect-error there is no such level
  await items.getOrCreate({ level: 'medium' })
  // @ts-expect-error labels are texts
  await items.getOrCreate({ sku }, { labels: [1] })
  // @ts-expect-error details have no colour
  await items.getOrCreate({ sku }, { details: { colour: 'red' } })
  // @ts-expect-error views are a bigint
  await items.getOrCreate({ sku }, { views: '1' })
  // @ts-expect-error a date is no text
  await items.getOrCreate({ soldAt: '2024-01-01' })
  // @ts-expect-error null matches nothing: IsNull() is meant
  await items.getOrCreate({ note: null })
}
