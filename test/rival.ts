import type { EntityManager } from 'typeorm'
import { database, type OpenDatabase } from './databases.js'

/** Someone else who writes to the same database while a call of ours is under way. */
export interface Rival {
  /** Runs to its end on another connection, where the database has one. What it sends is not in the statement log. */
  act<T>(work: (manager: EntityManager) => Promise<T>): Promise<T>
}

export async function openRival(db: OpenDatabase): Promise<Rival> {
  const { manager } = database.hasConnections ? (await db.connect()).dataSource : db.dataSource
  return {
    async act(work) {
      const before = db.statements.sent.length
      try {
        return await work(manager)
      } finally {
        // On a database with one connection the rival's statements are in our log.
        db.statements.sent.length = before
      }
    },
  }
}
