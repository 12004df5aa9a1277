/**
 * Runs `round`, and again after a failure that another round may cure, `attempts` times at most; then the last failure is
 * thrown as it is.
 */
export async function inRounds<T>(
  attempts: number,
  isCurable: (error: unknown) => boolean,
  round: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const start = Date.now()
    try {
      return await round(attempt)
    } catch (error) {
      if (attempt >= attempts || !isCurable(error)) throw error
      await backOff(attempt, Date.now() - start)
    }
  }
}

const FIRST_PAUSE_MS = { least: 8, most: 250 }
const LONGEST_PAUSE_MS = 1_000

/**
 * Exponential, with full jitter: those who collided once must not meet again in step. It starts from what a round takes,
 * because the others need about as long to be through.
 */
function backOff(attempt: number, lostMs: number): Promise<void> {
  const firstMs = Math.min(Math.max(lostMs, FIRST_PAUSE_MS.least), FIRST_PAUSE_MS.most)
  const pauseMs = Math.min(firstMs * 2 ** attempt, LONGEST_PAUSE_MS)
  return new Promise((resolve) => setTimeout(resolve, Math.random() * pauseMs))
}
