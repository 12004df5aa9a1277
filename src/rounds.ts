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
    try {
      return await round(attempt)
    } catch (error) {
      if (attempt >= attempts || !isCurable(error)) throw error
      await backOff(attempt)
    }
  }
}

const FIRST_PAUSE_MS = 8

/** Exponential, with full jitter: those who collided once must not meet again in step. */
function backOff(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * FIRST_PAUSE_MS * 2 ** attempt))
}
