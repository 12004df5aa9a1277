import type { FindOptionsWhere, ObjectLiteral, SelectQueryBuilder } from 'typeorm'
import type { Call } from './call.js'
import { onConnection } from './connection.js'
import { MultipleEntitiesFoundError } from './errors.js'
import { type QueryRunner, replaceLockClause } from './typeorm.js'

/** The first read: where TypeORM would read, unless the caller chose the primary or the replica. */
export async function look<E extends ObjectLiteral>(call: Call<E>): Promise<E | undefined> {
  const modes = { replica: 'slave', primary: 'master' } as const
  const { readFrom } = call.options
  const mode = readFrom ? modes[readFrom] : call.dataSource.defaultReplicationModeForReads()
  return onConnection(call.manager, call.dialect, mode, (runner) => onlyMatch(call, matching(call, runner)))
}

/**
 * The read after a lost race, on the primary. A snapshot that was taken before the winner committed hides its row from a
 * plain SELECT for the rest of the transaction; a shared lock reads what is committed now. Not FOR UPDATE: the failed
 * insert left a shared lock on that row, and losers that all want the exclusive one deadlock.
 */
export async function lookAgain<E extends ObjectLiteral>(call: Call<E>, runner: QueryRunner): Promise<E | undefined> {
  const winner = await onlyMatch(call, matching(call, runner))
  if (winner || !call.dialect.snapshotHidesWinner || !runner.isTransactionActive) return winner
  const locking = matching(call, runner).setLock('pessimistic_read')
  const clause = call.dialect.sharedLockClause(call.dataSource.driver)
  if (clause) replaceLockClause(locking as SelectQueryBuilder<never>, clause)
  return onlyMatch(call, locking)
}

/** Reads a row by its primary key as `find` would give it. */
export async function readById<E extends ObjectLiteral>(
  call: Call<E>,
  runner: QueryRunner,
  id: ObjectLiteral,
): Promise<E | undefined> {
  const query = select(call, runner, id as FindOptionsWhere<E>, true)
  return (await query.getMany())[0]
}

async function onlyMatch<E extends ObjectLiteral>(call: Call<E>, query: SelectQueryBuilder<E>): Promise<E | undefined> {
  const [match, another] = await query.getMany()
  if (another) throw new MultipleEntitiesFoundError(call.metadata.name)
  return match
}

function matching<E extends ObjectLiteral>(call: Call<E>, runner: QueryRunner): SelectQueryBuilder<E> {
  const { withDeleted, restoreDeleted } = call.options
  const query = select(call, runner, call.criteria.where(), withDeleted || restoreDeleted)
  if (call.isUnique) return query
  // `take` counts entities at the price of a second SELECT, `limit` counts rows: the same where no join repeats ours.
  return call.criteria.joinToMany || loadsRelations(call) ? query.take(2) : query.limit(2)
}

/** `cache: false`: an empty answer that TypeORM's query cache kept from the first read would hide the winner. */
function select<E extends ObjectLiteral>(
  call: Call<E>,
  runner: QueryRunner,
  where: FindOptionsWhere<E> | FindOptionsWhere<E>[],
  withDeleted: boolean | undefined,
): SelectQueryBuilder<E> {
  const { relations, loadEagerRelations } = call.options
  return runner.manager.createQueryBuilder<E>(call.metadata.target, call.metadata.name, runner).setFindOptions({
    where,
    cache: false,
    ...(withDeleted && { withDeleted }),
    ...(relations && { relations }),
    ...(loadEagerRelations !== undefined && { loadEagerRelations }),
  })
}

/** Does a read load relations beside the row? */
export function loadsRelations<E extends ObjectLiteral>(call: Call<E>): boolean {
  const { relations = {}, loadEagerRelations } = call.options
  return (
    (loadEagerRelations !== false && call.metadata.eagerRelations.length > 0) || Object.values(relations).some(Boolean)
  )
}
