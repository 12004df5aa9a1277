/**
 * Imports a price list of 20,000 lines, some of them twice, into a table that has part of them already: all of it or
 * nothing, with a progress bar.
 *
 *     npm run example:bulk-import
 *     DATABASE_TYPE=postgres DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres npm run example:bulk-import
 */
import assert from 'node:assert/strict'
import { Column, type DataSource, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm'
import { withGetOrCreate } from '../src/index.js'
import { withTables } from './tables.js'

@Entity()
@Unique(['supplier', 'number'])
class Product {
  @PrimaryGeneratedColumn()
  id!: number

  @Column({ length: 20 })
  supplier!: string

  @Column({ length: 20 })
  number!: string

  @Column({ length: 60 })
  name!: string

  @Column()
  cents!: number
}

interface Line {
  readonly supplier: string
  readonly number: string
  readonly name: string
  readonly cents: number
}

/** Stores the products that are new and leaves the others as they are. */
async function importLines(dataSource: DataSource, lines: readonly Line[]) {
  const products = withGetOrCreate(dataSource.getRepository(Product))
  return products.getOrCreateMany(
    lines.map(({ supplier, number }) => ({ supplier, number })),
    (_criteria, index) => {
      const { name, cents } = lines[index] as Line
      return { name, cents }
    },
    { onProgress: ({ done, total }) => drawBar(done / total) },
  )
}

const BAR_WIDTH = 40

function drawBar(share: number): void {
  const bar = '█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '░')
  process.stdout.write(`\r${bar} ${Math.floor(share * 100)} %`)
}

const LINES = 20_000
const DIFFERENT = 18_000

const priceList = Array.from({ length: LINES }, (_, n): Line => {
  const product = n % DIFFERENT
  return {
    supplier: `supplier ${product % 7}`,
    number: `P-${product}`,
    name: `Product ${product}`,
    cents: 100 + product,
  }
})

await withTables([Product], async (dataSource) => {
  for (const lines of [priceList.slice(0, 5_000), priceList, priceList]) {
    const start = performance.now()
    const results = await importLines(dataSource, lines)
    const created = results.filter(([, isNew]) => isNew).length
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    console.log(`\n${lines.length} lines, ${created} new products, ${seconds} s`)

    for (const [index, [product]] of results.entries()) {
      const { supplier, number, cents } = lines[index] as Line
      assert.deepEqual([product.supplier, product.number, product.cents], [supplier, number, cents])
    }
  }
  assert.equal(await dataSource.manager.count(Product), DIFFERENT)
})
