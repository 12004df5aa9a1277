/**
 * A counter that loses no visit: the first one creates the row, every other one adds to it, however many come at once.
 *
 *     npm run example:visit-counter
 *     DATABASE_TYPE=postgres DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres npm run example:visit-counter
 */
import assert from 'node:assert/strict'
import { Column, type DataSource, Entity, PrimaryColumn } from 'typeorm'
import { withGetOrCreate } from '../src/index.js'
import { withTables } from './tables.js'

@Entity()
class Page {
  @PrimaryColumn({ length: 100 })
  path!: string

  @Column()
  visits!: number
}

async function visit(dataSource: DataSource, path: string): Promise<number> {
  const pages = withGetOrCreate(dataSource.getRepository(Page))
  // The row is locked from the read to the commit, so `page.visits` is what the update adds to.
  const [page] = await pages.updateOrCreate({ path }, (page) => ({ visits: page.visits + 1 }), {
    createDefaults: { visits: 1 },
  })
  return page.visits
}

await withTables([Page], async (dataSource) => {
  const paths = Array.from({ length: 90 }, (_, n) => ['/', '/docs', '/blog'][n % 3] as string)
  const counts = await Promise.all(paths.map((path) => visit(dataSource, path)))

  const pages = await dataSource.manager.find(Page, { order: { path: 'ASC' } })
  for (const { path, visits } of pages) console.log(`${path.padEnd(8)} ${visits}`)

  assert.deepEqual(
    pages.map(({ path, visits }) => [path, visits]),
    [
      ['/', 30],
      ['/blog', 30],
      ['/docs', 30],
    ],
  )
  // Each visitor was told a number of its own.
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    3 * ((30 * 31) / 2),
  )
})
