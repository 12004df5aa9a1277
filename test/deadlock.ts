import type { DataSource, EntityManager } from 'typeorm'
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
    // A server that weighs its victims lets the one that wrote less die; another takes the one that waits longest.
    await rival.manager.insert(
      Team,
      Array.from({ length: 50 }, (_, index) => ({ name: `ballast ${index}` })),
    )
    await lockTeam(rival.manager, second)
    const outcome = Promise.allSettled([lockTeam(manager, second)])
    await observer.untilWaiting(1)
    await lockTeam(rival.manager, first)
    const [ours] = await outcome
    throw ours.status === 'rejected' ? ours.reason : new Error('The other side was the victim of the deadlock.')
  } finally {
    await rival.rollbackTransaction()
    await rival.release()
  }
}
