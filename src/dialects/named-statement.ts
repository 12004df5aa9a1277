import type { QueryRunner } from '../typeorm.js'

type PgClient = { query(text: unknown, values?: unknown[]): unknown }

/**
 * Sends a text under a name through `pg`: the server parses and plans it once a connection. Logging, events and errors
 * stay TypeORM's.
 */
export async function queryNamed(runner: QueryRunner, name: string, sql: string, values: unknown[]): Promise<unknown> {
  try {
    // To connect a query runner that was released would take a connection that nobody gives back.
    if (!runner.isReleased) return await sendNamed(runner, name, sql, values)
  } catch (error) {
    if (runner.isTransactionActive || !isOutdatedPlan(error)) throw error
  }
  return runner.query(sql, values, true)
}

/**
 * TypeORM sends texts only; a client put in the place of its own gives this one the name on the way. TypeORM's `query` asks
 * for its client before it waits for anything (0.3.20 to 1.1), so that nobody else can meet the other one. Where somebody
 * holds statements back, this one goes without a name.
 */
function sendNamed(runner: QueryRunner, name: string, sql: string, values: unknown[]): Promise<unknown> {
  const connected: Promise<PgClient> = runner.connect()
  const ownConnect = Object.getOwnPropertyDescriptor(runner, 'connect')
  runner.connect = async () => {
    const client = await connected
    return {
      query: (text: unknown, given?: unknown[]) =>
        text === sql ? client.query({ name, text, values: given }) : client.query(text, given),
    }
  }
  try {
    return runner.query(sql, values, true)
  } finally {
    if (ownConnect) Object.defineProperty(runner, 'connect', ownConnect)
    else Reflect.deleteProperty(runner, 'connect')
  }
}

/** After a schema change: `cached plan must not change result type`, feature_not_supported. It stays so on the connection. */
function isOutdatedPlan(error: unknown): boolean {
  const { code, routine } = (error as { driverError?: { code?: unknown; routine?: unknown } }).driverError ?? {}
  return code === '0A000' && routine === 'RevalidateCachedQuery'
}
