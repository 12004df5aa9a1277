import type { ObjectLiteral } from 'typeorm'
import type { Call } from './call.js'
import { onConnection } from './connection.js'
import { isTransientFailure } from './failures.js'
import type { QueryRunner } from './typeorm.js'

/**
 * Runs a round on the primary, and again after a failure that another round may cure, at most `attempts` times. A
 * deadlock or serialization failure inside the caller's transaction is passed on: the transaction is gone, and going on
 * would store the rest of it outside of any.
 */
export async function inRounds<E extends ObjectLiteral, T>(
  call: Call<E>,
  mayBeCured: (call: Call<E>, error: unknown) => boolean,
  round: (runner: QueryRunner) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    let wasInTransaction = false
    try {
      return await onConnection(call.manager, call.dialect, 'master', (runner) => {
        wasInTransaction = runner.isTransactionActive
        return round(runner)
      })
    } catch (error) {
      const isCurable = mayBeCured(call, error) || (isTransientFailure(error) && !wasInTransaction)
      if (!isCurable || attempt >= call.options.attempts) throw error
      await backOff(attempt)
    }
  }
}

const FIRST_PAUSE_MS = 8

/** Exponential, with full jitter: those who collided once must not meet again in step. */
function backOff(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * FIRST_PAUSE_MS * 2 ** attempt))
}
