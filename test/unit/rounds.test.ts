import { inRounds } from '../../src/rounds.js'

/** The longest pauses between rounds that fail and take the given time. */
async function pausesAfter(rounds: number, roundMs: number): Promise<(number | undefined)[]> {
  let now = 0
  const pauses: (number | undefined)[] = []
  jest.spyOn(Math, 'random').mockReturnValue(1)
  jest.spyOn(Date, 'now').mockImplementation(() => now)
  jest.spyOn(globalThis, 'setTimeout').mockImplementation(((work: () => void, ms?: number) => {
    pauses.push(ms)
    work()
  }) as typeof setTimeout)
  const failing = inRounds(
    rounds,
    () => true,
    async () => {
      now += roundMs
      throw new Error('again')
    },
  )
  await expect(failing).rejects.toThrow('again')
  return pauses
}

afterEach(() => jest.restoreAllMocks())

test.each([
  ['start small after short rounds, and double', 1, [16, 32, 64]],
  ['start from what a round takes', 50, [100, 200, 400]],
  ['have a limit, however long a round took', 60_000, [500, 1_000, 1_000]],
])('pauses %s', async (_what, roundMs, expected) => {
  expect(await pausesAfter(4, roundMs)).toEqual(expected)
})
