import type { DataSource, EntityManager } from 'typeorm'
import { database } from './databases.js'
import type { Observer } from './duel.js'
import { Team } from './entities.js'

export async function prepareDeadlocks({ manager }: DataSource): Promise<void> {
  await manager.insert(Team, [{ name: 'first' }, { name: 'second' }])
}

/** By the primary key, so that no lock lies on a gap that somebody else inserts into. */
const lockTeam = (manager: EntityManager, { id, name }: Team) => manager.update(Team, id, { name })

/** Makes the transaction of `manager` the victim of a real deadlock with `other`: rejects with the driver's error. */
export async function dieInDeadlock(manager: EntityManager, other: DataSource, observer: Observer): Promise<never> {
  const first = await other.manager.findOneByOrFail(Team, { name: 'first' })
  const second = await other.manager.findOneByOrFail(Team, { name: 'second' })
  const rival = other.createQueryRunner()
  try {
    await lockTeam(manager, first)
    await rival.startTransaction()
    await rival.query(database.locks?.survivesDeadlocks as string)
    await lockTeam(rival.manager, second)
    const theirs = Promise.allSettled([lockTeam(rival.manager, first)])
    await observer.untilWaiting(1)
    const [ours] = await Promise.allSettled([lockTeam(manager, second)])
    if (ours.status === 'rejected') throw ours.reason
    const [cause] = await theirs
    throw new Error('The other side was the victim of the deadlock.', { cause })
  } finally {
    await rival.rollbackTransaction()
    await rival.release()
  }
}
