/** Rows that every table starts with: `emailOf(1)` with the id 1, and so on. */
export const SEEDED_ROWS = 10_000
export const STORED_NAME = 'Ada'
const NEW_NAME = 'Grace'
const RACERS = 16

export const emailOf = (id) => `user-${id}@example.com`

/**
 * What one contender does to one database. A turn makes calls, checks each answer, and returns how many units of work were
 * done: calls, races or keys.
 */
export class Workloads {
  #contender
  #methods
  #rows
  #position = 0
  /** How many rows the table has to have more than at the start. */
  newRows = 0
  wrong = { count: 0, first: undefined }

  constructor(contender, methods, rows = SEEDED_ROWS) {
    this.#contender = contender
    this.#methods = methods
    this.#rows = rows
  }

  async hit() {
    const id = this.#nextId()
    await this.#checked(async () => {
      const email = emailOf(id)
      this.#check(await this.#methods.getOrCreate(email, NEW_NAME), { id, email, name: STORED_NAME, isNew: false })
    })
    return 1
  }

  async miss() {
    const email = this.#newEmail()
    await this.#checked(async () =>
      this.#check(await this.#methods.getOrCreate(email, NEW_NAME), { email, name: NEW_NAME, isNew: true }),
    )
    return 1
  }

  async race() {
    const email = this.#newEmail()
    await this.#checked(async () => {
      const call = () => this.#methods.getOrCreate(email, NEW_NAME)
      const results = await Promise.all(Array.from({ length: RACERS }, call))
      for (const result of results) this.#check(result, { id: results[0][0].id, email, name: NEW_NAME })
      const creators = results.filter(([, created]) => created).length
      if (this.#tellsCreated && creators !== 1) throw new Error(`${creators} of ${RACERS} callers created the row`)
    })
    return 1
  }

  async bulk(size = 1000) {
    const expected = Array.from({ length: size }, (_, index) => {
      if (index % 2) return { email: this.#newEmail(), name: NEW_NAME, isNew: true }
      const id = this.#nextId()
      return { id, email: emailOf(id), name: STORED_NAME, isNew: false }
    })
    await this.#checked(async () => {
      const results = await this.#getOrCreateMany(expected.map(({ email }) => email))
      if (results.length !== size) throw new Error(`${results.length} results for ${size} keys`)
      for (const [index, wanted] of expected.entries()) this.#check(results[index], wanted)
    })
    return size
  }

  async #getOrCreateMany(emails) {
    const { getOrCreate, getOrCreateMany } = this.#methods
    if (getOrCreateMany) return getOrCreateMany(emails, NEW_NAME)
    const results = []
    for (const email of emails) results.push(await getOrCreate(email, NEW_NAME))
    return results
  }

  get #tellsCreated() {
    return this.#contender.tellsCreated !== false
  }

  /** All of the rows in turn, neighbours in time far apart in the table. */
  #nextId() {
    this.#position = (this.#position + 7919) % this.#rows
    return this.#position + 1
  }

  #newEmail() {
    return `new-${++this.newRows}@example.com`
  }

  #check([row, created], { id, email, name, isNew }) {
    if (row?.email !== email) throw new Error(`asked for ${email}, got ${JSON.stringify(row)}`)
    if (id !== undefined ? row.id !== id : !(row.id > this.#rows)) throw new Error(`wrong id ${row.id} for ${email}`)
    if (row.name !== name && !this.#contender.overwrites) throw new Error(`name '${row.name}', stored is '${name}'`)
    if (row.visits !== 0 || !(row.registered instanceof Date)) throw new Error(`incomplete: ${JSON.stringify(row)}`)
    if (isNew !== undefined && this.#tellsCreated && created !== isNew)
      throw new Error(`created: ${created}, for ${email}`)
  }

  async #checked(work) {
    try {
      await work()
    } catch (error) {
      this.wrong.count++
      this.wrong.first ??= error.message.split('\n', 1)[0]
    }
  }
}
