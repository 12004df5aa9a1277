/**
 * One at a time on a shared connection, re-entrantly: a hook that runs inside our call may call us again.
 *
 * Who calls from inside is told by the asynchronous context, not by the manager at hand: on a database with one
 * connection every manager shares one query runner. The Node module is asked for at run time, so that bundles for
 * React Native, Cordova and browsers load; there, where it does not exist, calls do not queue.
 */
type AsyncLocalStorage<T> = { getStore(): T | undefined; run<R>(store: T, work: () => R): R }
type AsyncHooks = { readonly AsyncLocalStorage: new <T>() => AsyncLocalStorage<T> }
type NodeProcess = { getBuiltinModule?(name: 'node:async_hooks'): AsyncHooks | undefined }

/** A call's time on a connection. Calls made from inside it queue among themselves. */
interface Turn {
  readonly key: object
  readonly nested: Queue
  readonly outer: Turn | undefined
  isOver: boolean
}

class Queue {
  /** Absent while nobody is inside. */
  #waiting: (() => void)[] | undefined

  /** A promise only where somebody is inside. */
  enter(): Promise<void> | undefined {
    if (this.#waiting) return new Promise((resolve) => this.#waiting?.push(resolve))
    this.#waiting = []
    return undefined
  }

  leave(): void {
    const next = this.#waiting?.shift()
    if (next) next()
    else this.#waiting = undefined
  }

  async whenIdle(): Promise<void> {
    while (this.#waiting) {
      await this.enter()
      this.leave()
    }
  }
}

let currentTurn: AsyncLocalStorage<Turn> | undefined
const queues = new WeakMap<object, Queue>()

/** Runs `work` when no other call has its turn on `key`, or at once when this call is made from inside such a turn. */
export async function inTurn<T>(key: object, work: () => Promise<T>): Promise<T> {
  currentTurn ??= newContext()
  const context = currentTurn
  if (!context) return work()
  const outer = turnOn(key, context.getStore())
  const queue = outer ? outer.nested : queueOf(key)
  const others = queue.enter()
  if (others) await others
  const turn: Turn = { key, nested: new Queue(), outer: context.getStore(), isOver: false }
  try {
    return await context.run(turn, work)
  } finally {
    // A hook may have called us without waiting for the answer: that call is still inside this turn.
    await turn.nested.whenIdle()
    turn.isOver = true
    queue.leave()
  }
}

/** The running turn on `key` that this code is inside of. A turn that is over no longer holds the connection. */
function turnOn(key: object, innermost: Turn | undefined): Turn | undefined {
  for (let turn = innermost; turn; turn = turn.outer) if (turn.key === key && !turn.isOver) return turn
  return undefined
}

/** Is this code called by work that has its turn on some connection? */
export function isInsideATurn(): boolean {
  for (let turn = currentTurn?.getStore(); turn; turn = turn.outer) if (!turn.isOver) return true
  return false
}

function queueOf(key: object): Queue {
  const queue = queues.get(key) ?? new Queue()
  queues.set(key, queue)
  return queue
}

function newContext(): AsyncLocalStorage<Turn> | undefined {
  const { process } = globalThis as { process?: NodeProcess }
  const hooks = process?.getBuiltinModule?.('node:async_hooks')
  return hooks && new hooks.AsyncLocalStorage<Turn>()
}
