/**
 * One key, as a careful hand writes it: look, create, look for who was faster. `create` returns nothing where a row stood in
 * its way.
 */
export const lookCreateLook =
  ({ find, create }) =>
  async (email, name) => {
    const found = await find(email)
    if (found) return [found, false]
    const created = await create({ email, name })
    return created ? [created, true] : [await find(email), false]
  }

/**
 * Many keys in three statements, for libraries that leave it to their users: look for all, insert what is missing, look for
 * what others were faster with. An insert that returns no rows cannot say which of them it has stored.
 */
export async function getOrCreateMissing(emails, { find, insert }) {
  const byEmail = new Map()
  const remember = (rows) => {
    for (const row of rows) byEmail.set(row.email, row)
  }
  remember(await find(emails))
  const missing = emails.filter((email) => !byEmail.has(email))
  const inserted = missing.length > 0 ? await insert(missing) : []
  remember(inserted ?? [])
  const lost = missing.filter((email) => !byEmail.has(email))
  if (lost.length > 0) remember(await find(lost))
  const created = new Set(inserted ? inserted.map((row) => row.email) : missing)
  return emails.map((email) => [byEmail.get(email), created.has(email)])
}

/** Error code of a row that stands in the way, on MySQL and MariaDB. */
export const isDuplicate = (error) => (error.cause ?? error).code === 'ER_DUP_ENTRY'

/** Whether the insert has stored a row, or another stood in its way. */
export async function insertedOrDuplicate(insert) {
  try {
    await insert
    return true
  } catch (error) {
    if (!isDuplicate(error)) throw error
    return false
  }
}
