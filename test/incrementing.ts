import type { DataSource } from 'typeorm'
import { withGetOrCreate } from '../src/index.js'
import { Counter } from './update-entities.js'

const AT_ONCE = 10

/** Counts `times` visits of a path, some at once, and returns the errors. */
export async function countVisits(dataSource: DataSource, path: string, times: number): Promise<string[]> {
  const counters = withGetOrCreate(dataSource.getRepository(Counter))
  const errors: string[] = []
  let next = 0
  const visit = async () => {
    while (next++ < times) {
      try {
        await counters.updateOrCreate({ path }, ({ hits }) => ({ hits: hits + 1 }), { createDefaults: { hits: 1 } })
      } catch (error) {
        errors.push(String(error))
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, visit))
  return errors
}
