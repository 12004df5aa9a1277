import type { FindOptionsWhere, ObjectLiteral, ReplicationMode, SelectQueryBuilder } from 'typeorm'
import type { Call } from './call.js'
import { readCompiled, readIdCompiled } from './compiled.js'
import { onConnection } from './connection.js'
import { MultipleEntitiesFoundError } from './errors.js'
import { idOf, type QueryRunner, type RelationMetadata, replaceLockClause } from './typeorm.js'
import { keyInCriteria } from './unique-key.js'

/** The first read: where TypeORM would read, unless the caller chose the primary or the replica. */
export function look(call: Call): Promise<ObjectLiteral | undefined> {
  return onConnection(call.manager, call.dialect, readMode(call), (runner) => readMatch(call, runner))
}

/** One plain read by the criteria of one row. */
export async function readMatch(call: Call, runner: QueryRunner): Promise<ObjectLiteral | undefined> {
  const compiled = readCompiled(call, runner)
  return onlyOf(call, compiled ? (await compiled).entities : await matching(call, runner).getMany())
}

export function readMode({ options, dataSource }: Call): ReplicationMode {
  if (options.readFrom) return options.readFrom === 'replica' ? 'slave' : 'master'
  return dataSource.defaultReplicationModeForReads()
}

/**
 * The read after a lost race, on the primary. A snapshot that was taken before the winner committed hides its row from a
 * plain SELECT for the rest of the transaction; a shared lock reads what is committed now. Not FOR UPDATE: the failed
 * insert left a shared lock on that row, and losers that all want the exclusive one deadlock.
 */
export async function lookAgain(call: Call, runner: QueryRunner): Promise<ObjectLiteral | undefined> {
  const winner = await readMatch(call, runner)
  if (winner || !mayReadStale(call, runner)) return winner
  return onlyOf(call, await sharingLock(call, matching(call, runner)).getMany())
}

const mayReadStale = (call: Call, runner: QueryRunner) => call.dialect.snapshotHidesWinner && runner.isTransactionActive

function sharingLock(call: Call, query: SelectQueryBuilder<ObjectLiteral>): SelectQueryBuilder<ObjectLiteral> {
  query.setLock('pessimistic_read')
  const clause = call.dialect.sharedLockClause(call.dataSource.driver)
  if (clause) replaceLockClause(query, clause)
  return query
}

/** Reads a row that someone else may just have changed, as it is committed. */
export async function readAgain(
  call: Call,
  runner: QueryRunner,
  id: ObjectLiteral,
): Promise<ObjectLiteral | undefined> {
  const query = select(call, runner, id, call.options.withDeleted)
  return (await (mayReadStale(call, runner) ? sharingLock(call, query) : query).getMany())[0]
}

/** Reads a row by its primary key as `find` would give it. */
export async function readById(
  call: Call,
  runner: QueryRunner,
  id: ObjectLiteral,
  withDeleted = call.options.withDeleted ?? false,
): Promise<ObjectLiteral | undefined> {
  const compiled = readIdCompiled(call, runner, id, withDeleted)
  const rows = compiled ? (await compiled).entities : await select(call, runner, id, withDeleted).getMany()
  return rows[0]
}

/** A row that nobody else can change until the transaction ends. */
export interface LockedRow {
  readonly row: ObjectLiteral
  /** The database's time, where an update date has to be given to it. */
  readonly now?: unknown
}

/**
 * Reads the matching row and locks it, or the winner's row when that is known. A locking read that finds nothing locks the
 * gap on some databases, and two who then insert there deadlock: in the caller's transaction the row is looked for first.
 */
export async function lockMatch(
  call: Call,
  runner: QueryRunner,
  winner: ObjectLiteral | undefined,
  transaction: 'ours' | 'theirs',
): Promise<LockedRow | undefined> {
  if (!call.dialect.locksRows) {
    const row = await readMatch(call, runner)
    return row && { row }
  }
  const locksAtOnce = call.isUnique && (transaction === 'ours' || !call.dialect.locksGaps)
  const known = winner ?? (locksAtOnce ? undefined : await readMatch(call, runner))
  return known || locksAtOnce ? readLocked(call, runner, known) : undefined
}

async function readLocked(
  call: Call,
  runner: QueryRunner,
  known: ObjectLiteral | undefined,
): Promise<LockedRow | undefined> {
  const id = known && idOf(call.metadata, known)
  const where = [call.criteria.where()].flat().map((member) => Object.assign({}, member, id))
  const query = lock(call, select(call, runner, where, seesDeleted(call)))
  const { clock } = call.dialect
  if (clock && call.metadata.updateDateColumn) query.addSelect(clock, CLOCK)
  const { entities, raw } = await query.getRawAndEntities()
  return entities[0] && { row: entities[0], now: raw[0][CLOCK] }
}

const CLOCK = 'get_or_create_clock'

function lock(call: Call, query: SelectQueryBuilder<ObjectLiteral>): SelectQueryBuilder<ObjectLiteral> {
  const { dialect, metadata, dataSource } = call
  if (!dialect.locksRows) return query
  const tables = dialect.namesLockedTable ? [dataSource.driver.escape(metadata.name)] : undefined
  return query.setLock('pessimistic_write', undefined, tables)
}

/** Reads the foreign keys of a locked row into `state`, for the relations that are about to change. */
export async function lockedKeys(
  call: Call,
  runner: QueryRunner,
  state: ObjectLiteral,
  relations: readonly RelationMetadata[],
): Promise<void> {
  const query = runner.manager
    .createQueryBuilder<ObjectLiteral>(call.metadata.target, call.metadata.name, runner)
    .setFindOptions({
      where: idOf(call.metadata, state) as FindOptionsWhere<ObjectLiteral>,
      cache: false,
      withDeleted: true,
      loadEagerRelations: false,
      loadRelationIds: { relations: relations.map(({ propertyPath }) => propertyPath), disableMixedMap: true },
    })
  const [row] = await lock(call, query).getMany()
  for (const relation of relations) {
    const key = row && relation.getEntityValue(row)
    const isNull = !key || Object.values(key).every((part) => part === null || part === undefined)
    relation.setEntityValue(state, isNull ? null : key)
  }
}

function onlyOf(call: Call, [match, another]: ObjectLiteral[]): ObjectLiteral | undefined {
  if (!another) return match
  throw new MultipleEntitiesFoundError(call.metadata.name, keyInCriteria(call.metadata, call.criteria))
}

function matching(call: Call, runner: QueryRunner): SelectQueryBuilder<ObjectLiteral> {
  const query = select(call, runner, call.criteria.where(), seesDeleted(call))
  if (call.isUnique) return query
  // `take` counts entities at the price of a second SELECT, `limit` counts rows: the same where no join repeats ours.
  return call.criteria.joinToMany || loadsRelations(call) ? query.take(2) : query.limit(2)
}

/** Do the criteria find soft-deleted rows? */
export function seesDeleted({ options }: Call): boolean {
  return options.withDeleted === true || options.restoreDeleted === true
}

/** `cache: false`: an empty answer that TypeORM's query cache kept from the first read would hide the winner. */
export function select(
  call: Call,
  runner: QueryRunner,
  where: FindOptionsWhere<ObjectLiteral> | FindOptionsWhere<ObjectLiteral>[],
  withDeleted: boolean | undefined,
): SelectQueryBuilder<ObjectLiteral> {
  const { relations, loadEagerRelations } = call.options
  return runner.manager
    .createQueryBuilder<ObjectLiteral>(call.metadata.target, call.metadata.name, runner)
    .setFindOptions({
      where,
      cache: false,
      ...(withDeleted && { withDeleted }),
      ...(relations && { relations }),
      ...(loadEagerRelations !== undefined && { loadEagerRelations }),
    })
}

/** Does a read load relations beside the row? */
export function loadsRelations(call: Call): boolean {
  const { relations, loadEagerRelations } = call.options
  if (loadEagerRelations !== false && call.metadata.eagerRelations.length > 0) return true
  return relations !== undefined && Object.values(relations).some(Boolean)
}
