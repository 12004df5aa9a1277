import type { EntityMetadata } from 'typeorm'
import { nameOfText, TextCache } from '../../src/text-cache.js'

const entity = {} as EntityMetadata
const another = {} as EntityMetadata

/** Which of the keys have to be written, because they are not there. */
function written(cache: TextCache<string>, keys: string[], metadata = entity): string[] {
  const missing: string[] = []
  for (const key of keys) {
    cache.get(metadata, key, () => {
      missing.push(key)
      return `text of ${key}`
    })
  }
  return missing
}

const keys = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `key ${from + index}`)

test('a text is written once', () => {
  const cache = new TextCache<string | undefined>()
  let times = 0
  const write = () => {
    times += 1
    return undefined
  }

  expect([cache.get(entity, 'key', write), cache.get(entity, 'key', write)]).toEqual([undefined, undefined])
  expect(times).toBe(1)
})

test('a hundred texts are kept for an entity, the newest, however many keys arrive', () => {
  const cache = new TextCache<string>()
  written(cache, keys(0, 1000))

  expect(written(cache, keys(900, 1000))).toEqual([])
  expect(written(cache, keys(0, 900))).toEqual(keys(0, 900))
})

test('each entity has texts of its own', () => {
  const cache = new TextCache<string>()
  written(cache, keys(0, 100))

  expect(written(cache, keys(0, 100), another)).toEqual(keys(0, 100))
  expect(written(cache, keys(0, 100))).toEqual([])
})

test('no two texts have the same name', () => {
  const names = Array.from({ length: 100 }, nameOfText)

  expect(new Set(names).size).toBe(100)
})
