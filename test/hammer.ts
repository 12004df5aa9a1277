import type { DataSource } from 'typeorm'
import { getOrCreateMixin } from '../src/index.js'
import { User } from './entities.js'

export interface HammerReport {
  /** Keys whose row this process was told it created. */
  readonly created: string[]
  /** Every id that came back for a key. */
  readonly ids: [key: string, id: number][]
  readonly errors: string[]
}

const AT_ONCE = 10

/** Get-or-creates rows for `keys` keys in `calls` calls, some at once, each process in an order of its own. */
export async function hammer(dataSource: DataSource, calls: number, keys: number, stride: number) {
  const users = dataSource.getRepository(User).extend(getOrCreateMixin())
  const report: HammerReport = { created: [], ids: [], errors: [] }
  let next = 0
  const strike = async () => {
    while (next < calls) {
      const key = `${(next++ * stride) % keys}@x`
      try {
        const [{ id }, created] = await users.getOrCreate({ email: key }, { name: `process ${process.pid}` })
        report.ids.push([key, id])
        if (created) report.created.push(key)
      } catch (error) {
        report.errors.push(String(error))
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, strike))
  return report
}
