import { fork } from 'node:child_process'
import { once } from 'node:events'

const MEGABYTES = 512

/** A process that waits for its turn must not lose meanwhile what V8 has compiled and how it has sized its heap. */
const KEEPING_WARM = ['--no-flush-bytecode', '--no-memory-reducer']

const LONGEST_ANSWER = 120_000

/** A contender in a process of its own. Questions are asked one after the other. */
export class ContenderProcess {
  #child
  #output = ''

  constructor(name) {
    this.name = name
    this.#child = fork(new URL('worker.js', import.meta.url), [name], {
      execArgv: [`--max-old-space-size=${MEGABYTES}`, ...KEEPING_WARM],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const collect = (chunk) => {
      this.#output = (this.#output + chunk).slice(-2000)
    }
    this.#child.stdout.on('data', collect)
    this.#child.stderr.on('data', collect)
  }

  get pid() {
    return this.#child.pid
  }

  ready() {
    return this.#answer()
  }

  ask(question, parameters = {}) {
    this.#child.send({ question, ...parameters })
    return this.#answer()
  }

  async #answer() {
    const aborting = new AbortController()
    const { signal } = aborting
    const timer = setTimeout(() => aborting.abort(), LONGEST_ANSWER)
    try {
      const [message] = await Promise.race([
        once(this.#child, 'message', { signal }),
        once(this.#child, 'exit', { signal }).then(([code]) => [{ error: `ended with ${code}: ${this.#output}` }]),
      ])
      if ('error' in message) throw new Error(`${this.name}: ${message.error}`)
      return message.answer
    } finally {
      clearTimeout(timer)
      aborting.abort()
    }
  }

  async close() {
    try {
      if (this.#child.connected) await this.ask('close')
    } finally {
      this.#child.kill('SIGKILL')
    }
  }
}
