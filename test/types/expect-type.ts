type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** `expectType<string>()(value)` compiles only where the type of the value is exactly that. */
export function expectType<Expected>(): <Actual>(value: Same<Actual, Expected> extends true ? Actual : never) => void {
  return () => undefined
}
