import { TypeORMError } from 'typeorm'
import { GetOrCreateError } from '../src/index.js'
import type { Statements } from './databases.js'

/** What a call rejects with; a call that resolves fails the test. */
export async function failureOf(call: Promise<unknown>): Promise<Error> {
  try {
    await call
  } catch (error) {
    return error as Error
  }
  throw new Error('The call resolved, but it should have failed.')
}

export interface Refusal {
  readonly error: abstract new (...args: never) => GetOrCreateError
  /** What the message names: the path, what was received, what to do. */
  readonly says: readonly string[]
}

/** The call is refused as ours and TypeORM's error, in words that help, and without a single statement. */
export async function expectRefusal(statements: Statements, call: () => Promise<unknown>, refusal: Refusal) {
  let failure: unknown
  const sent = await statements.of(async () => {
    failure = await failureOf(call())
  })
  expect(failure).toBeInstanceOf(refusal.error)
  expect(failure).toBeInstanceOf(GetOrCreateError)
  expect(failure).toBeInstanceOf(TypeORMError)
  for (const part of refusal.says) expect((failure as Error).message).toContain(part)
  expect(sent).toEqual([])
}
