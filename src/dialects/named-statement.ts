import type { QueryRunner } from '../typeorm.js'

type PgClient = { query(text: unknown, values?: unknown[]): unknown }

/**
 * Sends a text under a name through `pg`: the server parses and plans it once a connection. TypeORM sends texts only, so
 * the client's `query` gives this one its name on the way; logging, events and errors stay TypeORM's.
 */
export async function queryNamed(runner: QueryRunner, name: string, sql: string, values: unknown[]): Promise<unknown> {
  const client: PgClient = await runner.connect()
  const { query } = client
  const ownQuery = Object.getOwnPropertyDescriptor(client, 'query')
  client.query = (text, given) => query.call(client, text === sql ? { name, text, values: given } : text, given)
  try {
    return await runner.query(sql, values, true)
  } catch (error) {
    if (runner.isTransactionActive || !isOutdatedPlan(error)) throw error
  } finally {
    if (ownQuery) Object.defineProperty(client, 'query', ownQuery)
    else Reflect.deleteProperty(client, 'query')
  }
  return runner.query(sql, values, true)
}

/** After a schema change: `cached plan must not change result type`, feature_not_supported. It stays so on the connection. */
function isOutdatedPlan(error: unknown): boolean {
  const { code, routine } = (error as { driverError?: { code?: unknown; routine?: unknown } }).driverError ?? {}
  return code === '0A000' && routine === 'RevalidateCachedQuery'
}
