import type { EntityMetadata } from './typeorm.js'

/** So many of a kind are kept for an entity: what they depend on may be put together at run time, without end. */
const MOST_TEXTS = 100

/** SQL texts, and what else is found once a text, by entity, which belongs to one data source. The oldest makes room. */
export class TextCache<T> {
  readonly #texts = new WeakMap<EntityMetadata, Map<string, T>>()

  get(metadata: EntityMetadata, key: string, write: () => T): T {
    let texts = this.#texts.get(metadata)
    if (!texts) {
      texts = new Map()
      this.#texts.set(metadata, texts)
    }
    const known = texts.get(key)
    if (known !== undefined || texts.has(key)) return known as T
    const [oldest] = texts.keys()
    if (texts.size >= MOST_TEXTS && oldest !== undefined) texts.delete(oldest)
    const text = write()
    texts.set(key, text)
    return text
  }
}

const processMark = Math.random().toString(36).slice(2)
let names = 0

/** A name for a statement, unique among processes, which may share connections through a pooler. */
export function nameOfText(): string {
  names += 1
  return `get_or_create_${processMark}_${names}`
}
